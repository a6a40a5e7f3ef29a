#include "core/pipeline/planner.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/method/attention_method.h"
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
    return job::PhaseCost{phase, meta.ops->cost().flops - before.flops, arena->highWater()};
}

// Every step, because methods and step caches make them differ.
Status dryDenoise(method::RunContext& context, ModelParts& meta, const SigmaSchedule& schedule, RunState& state,
                  job::Plan& plan, double guidance, method::ProbeSink* probes) {
    context.cache = state.cache.get();
    context.probes = probes;
    for (int step = 0; step < plan.steps; ++step) {
        const std::int64_t before = context.ops.cost().flops;
        context.step = step;
        FW_TRY(predictVelocity(context, meta, state, schedule.timesteps[static_cast<std::size_t>(step)], guidance));
        if (step == 0) {
            plan.flopsPerForward = (context.ops.cost().flops - before) / plan.forwardsPerStep;
        }
        advance(context, schedule, state);
    }
    const method::AttentionWork& work = context.attentionWork;
    plan.attention = {work.pairs, work.densePairs, work.tiles, work.denseTiles};
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

}  // namespace

Result<job::Plan> dryRun(ModelParts& meta, const job::GenerationRequest& request, const PromptIds& ids,
                         PreviewKind preview) {
    FW_ASSIGN(const auto method,
              method::createAttentionMethod(request.method, request.methodParameters, meta.methodWeights.get()));
    FW_ASSIGN(RunState state, createRunState(meta, request));
    const bool guided = *request.guidance > 1.0;
    const Shape latents = latentShape(meta, request);

    job::Plan plan;
    plan.latentFrames = latents[1];
    plan.latentHeight = latents[2];
    plan.latentWidth = latents[3];
    plan.tokens = tokenCount(meta, latents);
    plan.textTokens = meta.tokenizer->maxTokens();
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
    FW_ASSIGN(job::PhaseCost denoise, measure("denoise", meta, *method, [&](method::RunContext& context) {
                  return dryDenoise(context, meta, schedule, state, plan, *request.guidance, probes.get());
              }));
    if (probes != nullptr) {
        FW_ASSIGN(plan.probes, probes->forecast());
    }
    FW_ASSIGN(job::PhaseCost decode, measure("decode", meta, *method, [&](method::RunContext& context) {
                  return decodeFrames(context, meta, state.sampler.sample, ignoreFrames);
              }));
    if (preview != PreviewKind::Off) {
        FW_ASSIGN(const job::PhaseCost look, measure("preview", meta, *method, [&](method::RunContext& context) {
                      return dryRunPreview(context, meta, state.sampler.estimate, preview);
                  }));
        denoise.scratchBytes = std::max(denoise.scratchBytes, look.scratchBytes);
    }
    plan.phases = {std::move(text), std::move(denoise), std::move(decode)};
    plan.weightBytes = meta.weightBytes();
    plan.stateBytes = state.bytes;
    describeCache(request, state, plan);
    plan.hostBytes = meta.vae->hostBytes(latents, chooseTiling(latents));
    plan.peakBytes =
        plan.weightBytes + plan.stateBytes + arenaBytes(plan) + plan.hostBytes + plan.probes.memoryBytes;
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
    if (resolved.dtype == "auto") {
        FW_ASSIGN(const auto device, backend::createDevice(resolved.device));
        dtype = device->info().preferredDType;
    }
    FW_ASSIGN(ModelParts meta, loadParts(request.model, backend::createMetaDevice(dtype), dtype, 1, {}));
    FW_TRY(useAdapters(meta, info.folder, resolved));
    FW_ASSIGN(const PromptIds ids, tokenize(*meta.tokenizer, resolved));
    return dryRun(meta, resolved, ids, PreviewKind::Off);
}

}  // namespace fw::pipeline
