#include "core/pipeline/planner.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/backend/weight_stream.h"
#include "core/method/attention_method.h"
#include "core/method/changed_method.h"
#include "core/pipeline/check_method.h"
#include "core/pipeline/preview.h"
#include "core/pipeline/probe_recorder.h"

namespace fw::pipeline {

namespace {

// Runs `body` on a fresh measuring arena.
Result<job::PhaseCost> measure(const std::string& phase, ModelParts& meta, method::AttentionMethod& method,
                               const std::function<Status(method::RunContext&)>& body) {
    const auto arena = backend::Arena::createMeta();
    const backend::OpCost before = meta.ops->cost();
    method::RunContext context{.ops = *meta.ops, .arena = *arena, .selfAttention = method, .cancel = {}};
    FW_TRY(body(context));
    job::PhaseCost cost;
    cost.phase = phase;
    cost.flops =
        meta.ops->cost().flops - before.flops - context.probeWork.flops;  // who looks is no part of the run
    cost.scratchBytes = arena->highWater();
    return cost;
}

// Every step, because methods and step caches make them differ.
Status dryDenoise(method::RunContext& context, ModelParts& meta, const SigmaSchedule& schedule, RunState& state,
                  job::Plan& plan, double guidance, const job::WhatIf& whatIf) {
    const auto work = [&context] { return context.ops.cost().flops - context.probeWork.flops; };
    for (int step = 0; step < plan.steps; ++step) {
        const std::int64_t before = work();
        context.step = step;
        context.cache = cacheStandsAside(whatIf, step) ? nullptr : state.cache.get();
        FW_TRY(predictVelocity(context, meta, state, schedule.timesteps[static_cast<std::size_t>(step)], guidance));
        if (step == 0) {
            plan.flopsPerForward = (work() - before) / plan.forwardsPerStep;
        }
        advance(context, schedule, state);
        plan.stepFlops.push_back(work() - before);
    }
    for (const method::TextKeys& keys : state.textKeys) {
        plan.textKeyFlops += keys.flops;
    }
    const method::AttentionWork& done = context.attentionWork;
    plan.attention = {done.pairs, done.densePairs, done.tiles, done.denseTiles};
    return {};
}

void describeCache(const job::GenerationRequest& request, const RunState& state, job::Plan& plan) {
    constexpr int kFewSteps = 12;
    if (state.cache == nullptr) {
        return;
    }
    plan.cache.id = request.cache;
    plan.cache.bytes = state.cache->bytes();
    plan.cache.rows = state.cache->table();
    plan.cache.note = state.cache->note();
    if (plan.cache.note.empty() && plan.steps < kFewSteps) {
        plan.cache.note =
            fmt::format("with {} steps neighbouring steps differ much: step caches are made for {} and more",
                        plan.steps, kFewSteps);
    }
}

Status ignoreFrames(const ConstTensorView&) {
    return {};
}

Result<job::PhaseCost> measureDecode(ModelParts& meta, const Shape& latents, const model::VaeTiling& tiling) {
    FW_ASSIGN(const auto dense, method::createAttentionMethod("dense", Json::object()));
    FW_ASSIGN(const auto clip, backend::createTensor(*meta.device, DType::F32, latents));
    return measure("decode", meta, *dense, [&](method::RunContext& context) {
        return decodeFrames(context, meta, clip.view, tiling, ignoreFrames);
    });
}

Shape latentsOf(const ModelParts& meta, const job::Plan& plan) {
    return {meta.shapes.vae.latentChannels, plan.latentFrames, plan.latentHeight, plan.latentWidth};
}

void setTiling(const ModelParts& meta, const model::VaeTiling& tiling, job::Plan& plan) {
    plan.memory.tile = tiling.enabled ? tiling.tile : 0;
    plan.memory.pieceFrames = tiling.pieceFrames;
    plan.hostBytes = meta.vae->hostBytes(latentsOf(meta, plan), tiling);
}

// During the steps.
std::int64_t besideWeights(const job::Plan& plan, const MemoryLimit& limit) {
    return plan.stateBytes + plan.phases[1].scratchBytes + probeBytes(plan, limit);
}

// Shorter and smaller pieces until decoding fits; those that need least where none does.
Status fitDecoding(ModelParts& meta, const PartBytes& weights, const MemoryLimit& limit, job::Plan& plan) {
    const auto bytes = [&](const job::Plan& tried) {
        return weights.autoEncoder + tried.stateBytes + tried.phases.back().scratchBytes +
               probeBytes(tried, limit) + (limit.onHost ? tried.hostBytes : 0);
    };
    const Shape latents = latentsOf(meta, plan);
    job::Plan tried = plan;
    // Where the steps do not fit either, nothing is gained.
    const bool stepsFit = weights.transformer + besideWeights(plan, limit) <= limit.bytes;
    while (stepsFit && bytes(tried) > limit.bytes) {
        const auto smaller = smallerTiling(latents, tilingOf(tried));
        if (!smaller) {
            return {};
        }
        FW_TRY(useTiling(meta, *smaller, tried));
        if (bytes(tried) < bytes(plan)) {
            plan = tried;
        }
    }
    plan = std::move(tried);
    return {};
}

Status fitMemory(ModelParts& meta, const MemoryLimit& limit, std::int64_t lookScratch, job::Plan& plan) {
    PartBytes weights = meta.partBytes();
    if (limit.canStream && weights.transformer + besideWeights(plan, limit) > limit.bytes) {
        model::TransformerOptions options;
        options.streamBlocks = true;
        FW_ASSIGN(const auto streamed,
                  model::loadTransformer(meta.folder, *meta.device, *meta.ops, meta.dtype, options));
        weights.transformer += streamed->weightBytes() - meta.transformer->weightBytes();
        plan.memory.streamBlocks = true;
        plan.memory.streamedBytes = streamed->hostBytes();
    }
    FW_TRY(fitDecoding(meta, weights, limit, plan));
    const auto choose = [&](bool look) {
        job::Plan tried = plan;
        tried.memory.previews = look;
        tried.phases[1].scratchBytes = std::max(plan.phases[1].scratchBytes, look ? lookScratch : 0);
        chooseMemory(weights, limit, look, tried);
        return tried;
    };
    job::Plan chosen = choose(lookScratch > 0);
    if (!chosen.memory.shortage.empty() && lookScratch > 0) {
        chosen = choose(false);  // a look at the clip while it forms is what can be done without
    }
    plan = std::move(chosen);
    return {};
}

}  // namespace

model::VaeTiling tilingOf(const job::Plan& plan) {
    model::VaeTiling tiling;
    tiling.enabled = plan.memory.tile > 0;
    tiling.tile = tiling.enabled ? plan.memory.tile : tiling.tile;
    tiling.stride = tiling.tile * 3 / 4;
    tiling.pieceFrames = plan.memory.pieceFrames;
    return tiling;
}

Status useTiling(ModelParts& meta, const model::VaeTiling& tiling, job::Plan& plan) {
    // One tile of a few frames needs what all of them need, and the work grows with the area that tiles cover.
    const Shape latents = latentsOf(meta, plan);
    Shape part = latents;
    part[1] = std::min(latents[1], 1 + 2 * tiling.pieceFrames);
    double share = static_cast<double>(latents[1]) / static_cast<double>(part[1]);
    for (const std::size_t side : {std::size_t{2}, std::size_t{3}}) {
        part[side] = tiling.enabled ? std::min(latents[side], tiling.tile) : latents[side];
        std::int64_t covered = latents[side];
        for (std::int64_t begin = tiling.stride; tiling.enabled && begin < latents[side]; begin += tiling.stride) {
            covered += std::min(latents[side] - begin, tiling.tile - tiling.stride);
        }
        share *= static_cast<double>(covered) / static_cast<double>(part[side]);
    }
    FW_ASSIGN(job::PhaseCost cost, measureDecode(meta, part, tiling));
    cost.flops = static_cast<std::int64_t>(static_cast<double>(cost.flops) * share);
    plan.phases.back() = std::move(cost);
    setTiling(meta, tiling, plan);
    plan.memory.smallerPieces = true;
    return {};
}

Result<job::Plan> dryRun(ModelParts& meta, const job::GenerationRequest& request, const PromptIds& ids,
                         PreviewKind preview, const MemoryLimit& limit) {
    FW_ASSIGN(const auto method, method::createMethodOf(request, meta.methodWeights.get()));
    FW_ASSIGN(RunState state, createRunState(meta, request, ids));
    const bool guided = *request.guidance > 1.0;
    const Shape latents = latentShape(meta, request);

    job::Plan plan;
    plan.latentFrames = latents[1];
    plan.latentHeight = latents[2];
    plan.latentWidth = latents[3];
    plan.tokens = tokenCount(meta, latents);
    plan.textTokens = meta.tokenizer->maxTokens();
    plan.promptTokens = std::ssize(ids.prompt);
    plan.steps = *request.steps;
    plan.forwardsPerStep = guided ? 2 : 1;

    FW_ASSIGN(job::PhaseCost text, measure("text", meta, *method, [&](method::RunContext& context) -> Status {
                  FW_TRY(encodeText(context, meta, ids.prompt, state.text));
                  return guided ? encodeText(context, meta, ids.negative, state.negative) : Status{};
              }));
    const SigmaSchedule schedule = scheduleOf(meta, request);
    std::unique_ptr<ProbeRecorder> probes;
    if (request.probes) {
        FW_ASSIGN(ProbeSetup setup, fitProbes(meta, request));
        FW_ASSIGN(probes, ProbeRecorder::create(*meta.device, *meta.ops, std::move(setup)));
    }
    FW_ASSIGN(const auto painted, createPaintedMasks(meta, request));
    FW_ASSIGN(const job::WhatIf whatIf, job::whatIfOf(request));
    FW_ASSIGN(job::PhaseCost denoise, measure("denoise", meta, *method, [&](method::RunContext& context) {
                  context.probes = probes.get();
                  context.painted = painted.get();
                  return dryDenoise(context, meta, schedule, state, plan, *request.guidance, whatIf);
              }));
    if (probes != nullptr) {
        FW_ASSIGN(plan.probes, probes->forecast());
    }
    const model::VaeTiling tiling = chooseTiling(latents);
    FW_ASSIGN(job::PhaseCost decode, measureDecode(meta, latents, tiling));
    std::int64_t lookScratch = 0;
    if (preview != PreviewKind::Off) {
        FW_ASSIGN(const job::PhaseCost look, measure("preview", meta, *method, [&](method::RunContext& context) {
                      return dryRunPreview(context, meta, state.sampler.estimate, preview);
                  }));
        lookScratch = look.scratchBytes;
    }
    plan.phases = {std::move(text), std::move(denoise), std::move(decode)};
    plan.weightBytes = meta.weightBytes();
    plan.stateBytes = state.bytes + meta.ops->scratchBytes() + meta.methodBytes();
    describeCache(request, state, plan);
    setTiling(meta, tiling, plan);
    FW_TRY(fitMemory(meta, limit, lookScratch, plan));
    return plan;
}

std::int64_t arenaBytes(const job::Plan& plan) {
    std::int64_t bytes = 0;
    for (const job::PhaseCost& phase : plan.phases) {
        bytes = std::max(bytes, phase.scratchBytes);
    }
    return bytes;
}

Result<job::Plan> makePlan(const job::GenerationRequest& request) {
    if (request.model.empty()) {
        return fail(ErrorCode::InvalidArgument, "the request names no model folder");
    }
    FW_ASSIGN(const model::ModelInfo info, model::inspectModel(request.model));
    if (!info.problems.empty()) {
        return fail(ErrorCode::BadModel, "{}: {}", request.model, info.problems.front());
    }
    FW_ASSIGN(job::GenerationRequest resolved, job::resolve(request, info.defaults));
    FW_TRY(checkMethod(info, resolved));
    resolved = withOwnAdapter(std::move(resolved), info.folder);
    DType dtype = dtypeFromName(resolved.dtype).value_or(DType::F32);
    // What another machine would make of the request is worth knowing too: then only a budget limits it.
    const auto device = backend::createDevice(resolved.device);
    if (!device && resolved.dtype == "auto") {
        return tl::unexpected(device.error());
    }
    MemoryLimit limit;
    DeviceKind kind = DeviceKind::Cpu;
    const std::int64_t budget = resolved.memoryBudget.value_or(0);
    if (device) {
        const backend::DeviceInfo about = (*device)->info();
        kind = about.kind;
        dtype = resolved.dtype == "auto" ? about.preferredDType : dtype;
        if (dtype == DType::F8E4M3) {
            FW_ASSIGN(dtype, chooseDType(resolved.dtype, about));
        }
        limit = memoryLimit(about, budget, 0);
        limit.canStream = dynamic_cast<backend::StreamsWeights*>(device->get()) != nullptr;
    } else {
        kind = DeviceKind::Cuda;  // the processor is always there
    }
    if (!device && budget > 0) {
        backend::DeviceInfo absent;
        absent.kind = kind;
        absent.id = resolved.device;
        absent.freeBytes = budget;
        limit = memoryLimit(absent, budget, 0);
        limit.canStream = true;
    }
    FW_ASSIGN(ModelParts meta, loadParts(request.model, backend::createMetaDevice(dtype, kind), dtype, 1, {}));
    FW_TRY(useAdapters(meta, info.folder, resolved));
    FW_TRY(bringParts(meta, {true, true, true}, {}));
    FW_ASSIGN(const PromptIds ids, tokenize(*meta.tokenizer, resolved));
    return dryRun(meta, resolved, ids, PreviewKind::Off, limit);
}

}  // namespace fw::pipeline
