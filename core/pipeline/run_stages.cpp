#include "core/pipeline/run_stages.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/method/probe_sink.h"

namespace fw::pipeline {

namespace {

constexpr std::int64_t kWholeDecodeLatentPixels = 96 * 160;
constexpr std::int64_t kSmallestTile = 8;

Result<TensorView> own(RunState& state, backend::Device& device, const Shape& shape, DType dtype = DType::F32) {
    FW_ASSIGN(auto tensor, backend::createTensor(device, dtype, shape));
    state.bytes += tensor.view.bytes();
    state.owned.push_back(std::move(tensor));
    return state.owned.back().view;
}

cache::RunShape runShape(const ModelParts& parts, const job::GenerationRequest& request, int branches) {
    const model::VideoTransformer::Geometry& geometry = parts.shapes.transformer;
    cache::RunShape shape;
    shape.timesteps = scheduleOf(parts, request).timesteps;
    shape.branches = branches;
    shape.layers = static_cast<int>(geometry.layers);
    shape.kinds = parts.shapes.siteKinds;
    shape.latents = latentShape(parts, request);
    shape.tokens = tokenCount(parts, shape.latents);
    shape.width = geometry.heads * geometry.headDim;
    return shape;
}

}  // namespace

Shape latentShape(const ModelParts& parts, const job::GenerationRequest& request) {
    const model::VideoVae::Geometry& vae = parts.shapes.vae;
    return {vae.latentChannels, (*request.frames - 1) / vae.temporalFactor + 1, *request.height / vae.spatialFactor,
            *request.width / vae.spatialFactor};
}

std::int64_t tokenCount(const ModelParts& parts, const Shape& latents) {
    const model::VideoTransformer::Geometry& geometry = parts.shapes.transformer;
    return (latents[1] / geometry.patchT) * (latents[2] / geometry.patchH) * (latents[3] / geometry.patchW);
}

model::VaeTiling chooseTiling(const Shape& latents) {
    model::VaeTiling tiling;
    tiling.enabled = latents[2] * latents[3] > kWholeDecodeLatentPixels;
    return tiling;
}

std::optional<model::VaeTiling> smallerTiling(const Shape& latents, const model::VaeTiling& tiling) {
    model::VaeTiling smaller = tiling;
    if (tiling.pieceFrames > 1 && latents[1] > 2) {  // the first frame is a piece of its own anyway
        smaller.pieceFrames = 1;
        return smaller;
    }
    const std::int64_t side = std::max(latents[2], latents[3]);
    smaller.pieceFrames = 1;
    smaller.enabled = true;
    smaller.tile = tiling.enabled ? tiling.tile / 2 : model::VaeTiling{}.tile;
    while (smaller.tile >= side) {
        smaller.tile /= 2;
    }
    if (smaller.tile < kSmallestTile) {
        return std::nullopt;
    }
    smaller.stride = smaller.tile * 3 / 4;
    return smaller;
}

SigmaSchedule scheduleOf(const ModelParts& parts, const job::GenerationRequest& request) {
    SamplerOptions options = parts.sampler;
    options.kind = request.sampler;
    options.steps = *request.steps;
    options.shift = *request.shift;
    return makeSchedule(options);
}

Result<PromptIds> tokenize(const model::Tokenizer& tokenizer, const job::GenerationRequest& request) {
    PromptIds ids;
    FW_ASSIGN(ids.prompt, tokenizer.encode(request.prompt));
    if (*request.guidance > 1.0) {
        FW_ASSIGN(ids.negative, tokenizer.encode(request.negativePrompt));
    }
    return ids;
}

Result<RunState> createRunState(ModelParts& parts, const job::GenerationRequest& request, const PromptIds& ids) {
    const Shape latents = latentShape(parts, request);
    const Shape text{parts.tokenizer->maxTokens(), parts.shapes.textWidth};
    backend::Device& device = *parts.device;
    RunState state;
    std::vector<TensorView> samplerTensors;
    for (int i = 0; i < stateTensorCount(request.sampler); ++i) {
        FW_ASSIGN(const TensorView tensor, own(state, device, latents));
        samplerTensors.push_back(tensor);
    }
    state.sampler = makeState(request.sampler, samplerTensors);
    FW_ASSIGN(state.velocity, own(state, device, latents));
    FW_ASSIGN(state.text, own(state, device, text));
    if (*request.guidance > 1.0) {
        FW_ASSIGN(state.unguided, own(state, device, latents));
        FW_ASSIGN(state.negative, own(state, device, text));
    }
    const int branches = *request.guidance > 1.0 ? 2 : 1;
    state.tokens = {std::ssize(ids.prompt), std::ssize(ids.negative)};
    for (std::size_t branch = 0; branch < static_cast<std::size_t>(branches); ++branch) {
        Shape keys = parts.shapes.textKeys.shape;
        keys[1] = model::TextEmbedding(state.text, state.tokens[branch]).keys();
        FW_ASSIGN(state.textKeys[branch].values, own(state, device, keys, parts.shapes.textKeys.dtype));
    }
    const cache::RunShape shape = runShape(parts, request, branches);
    FW_ASSIGN(state.cache, cache::createStepCache(request.cache, request.cacheParameters,
                                                  {device, *parts.ops, shape, parts.cacheConstants}));
    state.bytes += state.cache == nullptr ? 0 : state.cache->bytes();
    return state;
}

bool cacheStandsAside(const job::WhatIf& whatIf, int step) {
    return std::find(whatIf.compute.begin(), whatIf.compute.end(), step) != whatIf.compute.end();
}

Result<std::unique_ptr<method::PaintedMasks>> createPaintedMasks(const ModelParts& parts,
                                                                 const job::GenerationRequest& request) {
    FW_ASSIGN(const job::WhatIf whatIf, job::whatIfOf(request));
    if (!job::hasMasks(whatIf)) {
        return nullptr;
    }
    const model::VideoTransformer::Geometry& geometry = parts.shapes.transformer;
    const Shape latents = latentShape(parts, request);
    auto painted = std::make_unique<method::PaintedMasks>(whatIf);
    FW_TRY(painted->prepare(
        *parts.ops, {latents[1] / geometry.patchT, latents[2] / geometry.patchH, latents[3] / geometry.patchW},
        geometry.layers, geometry.heads));
    return painted;
}

Status encodeText(method::RunContext& context, ModelParts& parts, const std::vector<std::int32_t>& ids,
                  const TensorView& out) {
    return parts.textEncoder->encode(context, ids, out);
}

namespace {

// One pass, and again where a sink wants to see which module went wrong: without a step cache, so that all of them
// are computed, and out of the trace's rows, whose pass it is not.
Status runPass(method::RunContext& context, ModelParts& parts, RunState& state, double timestep,
               const model::TextEmbedding& text, const TensorView& velocity) {
    const auto forward = [&]() -> Status {
        return parts.transformer->forward(context, state.sampler.sample, timestep, text, velocity);
    };
    FW_TRY(forward());
    if (context.probes == nullptr) {
        return {};
    }
    FW_ASSIGN(const bool isSound, context.probes->passDone(context, velocity));
    if (isSound) {
        return {};
    }
    auto* const cache = std::exchange(context.cache, nullptr);
    auto* const trace = std::exchange(context.trace, nullptr);
    Status found = forward();
    if (found) {
        if (const auto again = context.probes->passDone(context, velocity); !again) {
            found = tl::unexpected(again.error());
        }
    }
    context.cache = cache;
    context.trace = trace;
    return found;
}

}  // namespace

Status predictVelocity(method::RunContext& context, ModelParts& parts, RunState& state, double timestep,
                       double guidance) {
    context.branch = 0;
    context.textKeys = &state.textKeys[0];
    FW_TRY(runPass(context, parts, state, timestep, {state.text, state.tokens[0]}, state.velocity));
    if (guidance <= 1.0) {
        return {};
    }
    context.branch = 1;
    context.textKeys = &state.textKeys[1];
    FW_TRY(runPass(context, parts, state, timestep, {state.negative, state.tokens[1]}, state.unguided));
    context.branch = 0;
    const method::ModuleScope scope(context, trace::Module::Guidance);
    const std::array<backend::Ops::Term, 2> terms{{{guidance, state.velocity}, {1.0 - guidance, state.unguided}}};
    context.ops.linearCombination(terms, state.velocity);
    return {};
}

void advance(method::RunContext& context, const SigmaSchedule& schedule, RunState& state) {
    const method::ModuleScope scope(context, trace::Module::Sampler);
    samplerStep(schedule, state.sampler, context.ops, state.velocity);
}

Status decodeFrames(method::RunContext& context, ModelParts& parts, const ConstTensorView& latents,
                    const model::VaeTiling& tiling, const model::FrameSink& sink) {
    return parts.vae->decode(context, latents, tiling, sink);
}

}  // namespace fw::pipeline
