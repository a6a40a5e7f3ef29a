#include "core/pipeline/generator.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/backend/device_choice.h"
#include "core/backend/weight_stream.h"
#include "core/job/memory_size.h"
#include "core/method/attention_method.h"
#include "core/method/changed_method.h"
#include "core/pipeline/check_method.h"
#include "core/pipeline/checkpoint.h"
#include "core/pipeline/memory_choice.h"
#include "core/pipeline/model_parts.h"
#include "core/pipeline/not_finite.h"
#include "core/pipeline/philox.h"
#include "core/pipeline/planner.h"
#include "core/pipeline/preview.h"
#include "core/pipeline/probe_recorder.h"
#include "core/pipeline/progress_meter.h"
#include "core/pipeline/prompt_cache.h"
#include "core/pipeline/run_stages.h"

namespace fw::pipeline {

namespace {

// The device's name; the CPU's with the threads that compute.
std::string deviceText(const backend::DeviceInfo& info, int threads) {
    if (info.kind != DeviceKind::Cpu) {
        return info.name;
    }
    const int used = threads > 0 ? threads : backend::defaultThreads();
    return fmt::format("{}, {} {}", info.name, used, used == 1 ? "thread" : "threads");
}

// What a step cache may add to every checkpoint, to one in a while, and at all.
constexpr std::int64_t kLightCacheState = 8LL << 20;
constexpr std::int64_t kMostCacheState = 1LL << 30;
constexpr double kHeavyCheckpointSeconds = 10.0;
constexpr std::int64_t kCheckpointParts = 5;  // as large as the latents, at most (checkpoint.h)

double now() {
    return ProgressMeter::steadyClock()();
}

// Files of one kind that the disk refused.
struct Refusals {
    int count = 0;
    int firstStep = 0;
    std::string reason;  // of the first

    // An error of anything but the disk is passed on.
    [[nodiscard]] Status take(Status written, int step) {
        if (written || written.error().code != ErrorCode::Io) {
            return written;
        }
        if (count++ == 0) {
            firstStep = step;
            reason = std::move(written).error().message;
        }
        return {};
    }
    void note(std::string_view kind, std::vector<std::string>& notes) const {
        if (count > 0) {
            notes.push_back(fmt::format("{} that could not be written: {}, the first after step {} ({})", kind,
                                        count, firstStep, reason));
        }
    }
};

// One call of generate(): borrowed for its duration.
struct Job {
    const job::GenerationRequest& request;  // resolved
    const GeneratorOptions& options;
    const GeneratorEvents& events;
    const model::FrameSink& sink;
    const CancelToken& cancel;
    ProgressMeter& meter;
    method::RunContext& context;
    RunState& state;
    GenerationReport& report;
    const job::WhatIf& whatIf;
    const PromptIds& ids;
    std::unique_ptr<ProbeRecorder>& probes;  // null: nobody looks
    double previewSeconds = 0.0;             // spent on previews nobody asked for
    double previewCost = 0.0;                // of the last one
    Refusals checkpoints{}, keptSteps{};
};

class ModelGenerator final : public Generator {
 public:
    ModelGenerator(model::ModelInfo info, std::string hash, ModelParts meta, ModelParts parts,
                   std::unique_ptr<backend::Arena> arena)
        : m_info(std::move(info)),
          m_hash(std::move(hash)),
          m_meta(std::move(meta)),
          m_parts(std::move(parts)),
          m_arena(std::move(arena)),
          m_previewer(m_info.preview) {}

    // Every part if the host has room for all of them at once.
    [[nodiscard]] Status loadAtOnce(const CancelToken& cancel);

    [[nodiscard]] std::int64_t heldBytes() const override { return m_parts.weightBytes() + m_arena->capacity(); }
    [[nodiscard]] const model::ModelInfo& model() const override { return m_info; }

    [[nodiscard]] Result<GenerationReport> generate(const job::GenerationRequest& request,
                                                    const GeneratorOptions& options, const GeneratorEvents& events,
                                                    const model::FrameSink& sink,
                                                    const CancelToken& cancel) override;

 private:
    [[nodiscard]] Status forecast(GenerationReport& report, const PromptIds& ids, PreviewKind preview);
    [[nodiscard]] bool canStream() const {
        return dynamic_cast<const backend::StreamsWeights*>(m_parts.device.get()) != nullptr;
    }
    [[nodiscard]] Status makeRoom(const job::Plan& plan, Phase phase);
    [[nodiscard]] Status bring(Job& job, const job::ModelPartSet& parts);
    [[nodiscard]] Status inPhase(Phase phase, const job::Plan& plan, Status status) const;
    template <class T>
    [[nodiscard]] Result<T> inPhase(Phase phase, const job::Plan& plan, Result<T> made) const {
        if (made) {
            return made;
        }
        return tl::unexpected(inPhase(phase, plan, Status(tl::unexpected(std::move(made).error()))).error());
    }
    [[nodiscard]] Status text(Job& job, const PromptIds& ids);
    [[nodiscard]] Status conditioning(Job& job, const std::vector<std::int32_t>& ids, const TensorView& out);
    [[nodiscard]] Status noise(Job& job);
    [[nodiscard]] Status begin(Job& job);
    [[nodiscard]] static bool leavesSchedule(const Job& job);
    [[nodiscard]] Status beginChanged(Job& job);
    [[nodiscard]] static bool keepsStep(const Job& job);
    [[nodiscard]] Status denoise(Job& job);
    [[nodiscard]] Status saveCheckpoint(Job& job);
    [[nodiscard]] Status settleForEstimate(Job& job);
    [[nodiscard]] CheckpointKey checkpointKey(const Job& job) const;
    [[nodiscard]] Status checkLatents(const TensorView& latents, int step, int steps);
    [[nodiscard]] Status preview(Job& job, int step, int steps);
    void lookInside(Job& job, int step);
    [[nodiscard]] Status addProbes(Job& job, const Json& wanted);
    [[nodiscard]] Status decode(Job& job);
    [[nodiscard]] Status decodeOnce(Job& job, int& done);
    void describe(trace::Trace& trace, const GenerationReport& report);

    model::ModelInfo m_info;
    std::string m_hash;
    ModelParts m_meta;
    ModelParts m_parts;
    std::unique_ptr<backend::Arena> m_arena;
    PromptCache m_prompts;
    Previewer m_previewer;
    PhaseRates m_rates;
    std::vector<float> m_host;      // latents on the host
    double m_checkpointTime = 0.0;  // when the last one was written
    double m_loadSeconds = 0.0;     // reported with the next clip
};

Status ModelGenerator::loadAtOnce(const CancelToken& cancel) {
    const double start = now();
    const backend::DeviceInfo info = m_parts.device->info();
    const PartBytes weights = m_meta.partBytes();
    const std::int64_t largest =
        std::max({weights.textEncoder, canStream() ? 0 : weights.transformer, weights.autoEncoder});
    if (largest > info.freeBytes) {
        return fail(ErrorCode::OutOfMemory, "the largest part of the model {} needs {}, but {} has {} free",
                    m_info.name, job::memorySizeText(largest), info.id, job::memorySizeText(info.freeBytes));
    }
    if (info.kind == DeviceKind::Cpu && m_meta.weightBytes() <= info.freeBytes) {
        FW_TRY(bringParts(m_parts, {true, true, true}, cancel));
    }
    m_loadSeconds = now() - start;
    return {};
}

// The plan within the budget and what the device has. OutOfMemory when there is none.
Status ModelGenerator::forecast(GenerationReport& report, const PromptIds& ids, PreviewKind preview) {
    MemoryLimit limit = memoryLimit(m_parts.device->info(), report.request.memoryBudget.value_or(0), heldBytes());
    limit.canStream = canStream();
    FW_ASSIGN(report.plan, dryRun(m_meta, report.request, ids, preview, limit));
    if (!report.plan.memory.shortage.empty()) {
        return fail(ErrorCode::OutOfMemory, "{}", report.plan.memory.shortage);
    }
    if (m_parts.streamBlocks != report.plan.memory.streamBlocks) {
        m_parts.streamBlocks = report.plan.memory.streamBlocks;
        m_parts.transformer.reset();  // it is loaded the other way when the steps begin
    }
    return {};
}

std::size_t phaseIndex(Phase phase) {
    return static_cast<std::size_t>(phase) - static_cast<std::size_t>(Phase::Text);
}

// Frees what may not stay, and makes the memory to work in as large as the forecast has it.
Status ModelGenerator::makeRoom(const job::Plan& plan, Phase phase) {
    const job::PhaseCost& cost = plan.phases[phaseIndex(phase)];
    FW_TRY(m_parts.ops->synchronize());  // queued work may use what goes
    dropParts(m_parts, cost.parts);
    const std::int64_t bytes = plan.memory.oneArena ? arenaBytes(plan) : cost.scratchBytes;
    // A larger one of an earlier clip would take what the forecast gives to others.
    if (m_arena->capacity() != bytes) {
        FW_TRY(m_arena->resize(*m_parts.device, bytes));
    }
    return {};
}

Status ModelGenerator::bring(Job& job, const job::ModelPartSet& parts) {
    const double start = now();
    FW_TRY(bringParts(m_parts, parts, job.cancel));
    job.report.loadSeconds += now() - start;
    return {};
}

// Running out of memory says where, and what was asked and free.
Status ModelGenerator::inPhase(Phase phase, const job::Plan& plan, Status status) const {
    if (status || status.error().code != ErrorCode::OutOfMemory) {
        return status;
    }
    const backend::DeviceInfo info = m_parts.device->info();
    return fail(
        ErrorCode::OutOfMemory,
        "memory ran out in the phase {}, which needs {} on {} by the forecast, with {} free now ({}); choose "
        "a smaller size or fewer frames, or close what else uses the device",
        phaseName(phase), job::memorySizeText(plan.phases[phaseIndex(phase)].memoryBytes), info.id,
        job::memorySizeText(info.freeBytes), status.error().message);
}

// out [L, width] f32.
Status ModelGenerator::conditioning(Job& job, const std::vector<std::int32_t>& ids, const TensorView& out) {
    const std::string_view device = m_parts.ops->deviceKind() == DeviceKind::Cpu ? "cpu" : "gpu";
    const std::string key = promptKey(m_hash, dtypeName(activationType(m_parts.dtype)), device, ids);
    std::vector<float> host(static_cast<std::size_t>(out.count()), 0.0F);
    const TensorView view(host.data(), DType::F32, out.shape());
    const std::vector<float>* known = m_prompts.find(key, out.dim(1));
    if (known != nullptr && known->size() == ids.size() * static_cast<std::size_t>(out.dim(1))) {
        std::copy(known->begin(), known->end(), host.begin());
        job.context.ops.upload(view, out);
        return job.context.ops.synchronize();
    }
    FW_TRY(bring(job, {true, false, false}));
    FW_TRY(encodeText(job.context, m_parts, ids, out));
    job.context.ops.download(out, view);
    FW_TRY(job.context.ops.synchronize());
    host.resize(ids.size() * static_cast<std::size_t>(out.dim(1)));
    m_prompts.add(key, out.dim(1), std::move(host));
    ++job.report.promptsEncoded;
    return {};
}

Status ModelGenerator::text(Job& job, const PromptIds& ids) {
    if (m_prompts.folder() != job.options.promptFolder) {
        m_prompts = PromptCache(job.options.promptFolder);
    }
    const bool guided = *job.request.guidance > 1.0;
    job.meter.begin(Phase::Text, guided ? 2 : 1);
    FW_TRY(conditioning(job, ids.prompt, job.state.text));
    FW_TRY(job.cancel.check());
    if (guided) {
        FW_TRY(conditioning(job, ids.negative, job.state.negative));
    }
    job.report.textSeconds = job.meter.phaseSeconds();
    return job.cancel.check();
}

Status ModelGenerator::noise(Job& job) {
    const TensorView& sample = job.state.sampler.sample;
    m_host.resize(static_cast<std::size_t>(sample.count()));
    const ConstTensorView& given = job.options.initialNoise;
    if (given.isNone()) {
        fillNormal(*job.request.seed, NoiseStream::InitialLatents, 0, m_host);
    } else {
        if (given.dtype() != DType::F32 || !(given.shape() == sample.shape()) || !given.isContiguous()) {
            return fail(ErrorCode::InvalidArgument, "the noise is {}, but this clip needs f32{}", given.text(),
                        sample.shape().text());
        }
        std::copy_n(given.as<float>(), m_host.size(), m_host.begin());
        if (!std::all_of(m_host.begin(), m_host.end(), [](float value) { return std::isfinite(value); })) {
            return fail(ErrorCode::InvalidArgument, "the noise holds a number that is not finite");
        }
    }
    job.context.ops.upload(ConstTensorView(m_host.data(), DType::F32, sample.shape()), sample);
    return job.context.ops.synchronize();
}

Status ModelGenerator::checkLatents(const TensorView& latents, int step, int steps) {
    m_parts.ops->download(latents, TensorView(m_host.data(), DType::F32, latents.shape()));
    FW_TRY(m_parts.ops->synchronize());
    if (!std::all_of(m_host.begin(), m_host.end(), [](float value) { return std::isfinite(value); })) {
        return tl::unexpected(notFiniteError(
            fmt::format("the latents hold a number that is not finite at step {} of {}", step, steps),
            m_parts.dtype, "; a run with the probe finite says which layer it began in"));
    }
    return {};
}

Status ModelGenerator::preview(Job& job, int step, int steps) {
    const GeneratorOptions& options = job.options;
    if (!job.events.preview) {
        return {};
    }
    const job::Plan& plan = job.report.plan;
    // The decoder at its usual pieces beside the transformer: where there is no room for that, a wish for an exact
    // picture is answered by a plain one.
    const bool canDecode = plan.phases[1].parts.autoEncoder && !plan.memory.smallerPieces &&
                           m_arena->capacity() >= plan.phases[2].scratchBytes;
    const bool wanted = options.exactPreviewWanted && options.exactPreviewWanted();
    const bool exact = wanted && canDecode;
    const bool due = step % std::max(options.previewEvery, 1) == 0 || step == steps;
    const bool affordable = options.previewShare <= 0.0 ||
                            job.previewSeconds + job.previewCost <= options.previewShare * job.meter.phaseSeconds();
    if (!exact &&
        (options.preview == PreviewKind::Off || !plan.memory.previews || !(due || wanted) || !affordable)) {
        return {};
    }
    const double start = now();
    FW_TRY(bring(job, {false, false, true}));
    FW_ASSIGN(const PreviewImage image, m_previewer.make(job.context, m_parts, job.state.sampler.estimate,
                                                         exact ? PreviewKind::Vae : options.preview, step, steps));
    job.events.preview({step, steps, image.view(), exact});
    if (!exact) {
        job.previewCost = now() - start;
        job.previewSeconds += job.previewCost;
    }
    return {};
}

CheckpointKey ModelGenerator::checkpointKey(const Job& job) const {
    CheckpointKey key{job.request, m_hash + m_parts.adapterHash, std::string(dtypeName(m_parts.dtype))};
    key.request.probes.reset();  // neither changes anything that a checkpoint holds
    key.request.memoryBudget.reset();
    return key;
}

// Whether a step cache is told to stand aside at some steps. Which earlier steps a later one then builds on is not
// what the cache's own schedule says (StepCache::cleanBefore), so such a run is whole or not at all.
bool ModelGenerator::leavesSchedule(const Job& job) {
    return job.state.cache != nullptr && !job.whatIf.compute.empty();
}

// What the run without the changes made by hand has left, or noise at step 0.
Status ModelGenerator::beginChanged(Job& job) {
    if (leavesSchedule(job)) {
        return noise(job);
    }
    SamplerState& state = job.state.sampler;
    CheckpointKey key = checkpointKey(job);
    key.request.whatIf.reset();
    for (const std::filesystem::path& file : job.options.unchangedSteps) {
        if (readUnchanged(file, key, state, job.state.cache.get(), job.context.ops)) {
            m_host.resize(static_cast<std::size_t>(state.sample.count()));
            return checkLatents(state.sample, state.step, *job.request.steps);
        }
    }
    return noise(job);
}

// Whether this step's latents belong to those that are kept.
bool ModelGenerator::keepsStep(const Job& job) {
    if (job.options.stepFolder.empty()) {
        return false;
    }
    const SamplerState& state = job.state.sampler;
    if (job.options.stepBytes > 0 && state.step >= *job.request.steps) {
        return false;  // nothing begins behind the last step
    }
    const std::int64_t most = job.options.stepBytes;
    const std::int64_t all = *job.request.steps * kCheckpointParts * state.sample.bytes();
    const std::int64_t every = most > 0 ? std::max<std::int64_t>((all + most - 1) / most, 1) : 1;
    return state.step % every == 0;
}

// Noise at step 0, or the state of an earlier run. Either way m_host holds the latents.
Status ModelGenerator::begin(Job& job) {
    const std::filesystem::path& checkpoint = job.options.resumeFrom;
    const std::filesystem::path& branch = job.options.branchFrom;
    if (checkpoint.empty() && branch.empty()) {
        return beginChanged(job);
    }
    m_host.resize(static_cast<std::size_t>(job.state.sampler.sample.count()));
    CheckpointKey key = checkpointKey(job);
    if (branch.empty()) {
        FW_TRY(readCheckpoint(checkpoint, key, job.state.sampler, job.state.cache.get(), job.context.ops));
    } else {
        key.modelHash = m_hash;
        FW_TRY(readBranch(branch, key, job.state.sampler, job.state.cache.get(), job.context.ops));
    }
    return checkLatents(job.state.sampler.sample, job.state.sampler.step, *job.request.steps);
}

// A large cache is not written at every step: the last checkpoint stays good, it only costs more steps to go on
// from.
Status ModelGenerator::saveCheckpoint(Job& job) {
    if (keepsStep(job)) {
        // Without the step cache's part: no branch reads it.
        const SamplerState& state = job.state.sampler;
        FW_TRY(job.keptSteps.take(writeCheckpoint(job.options.stepFolder / stepFileName(state.step),
                                                  checkpointKey(job), state, nullptr, job.context.ops),
                                  state.step));
    }
    if (job.options.checkpointFile.empty() || leavesSchedule(job)) {
        return {};
    }
    const int step = job.state.sampler.step;
    cache::StepCache* cache = job.state.cache.get();
    const std::int64_t bytes = cacheStateBytes(cache, step);
    if (bytes > kMostCacheState ||
        (bytes > kLightCacheState && now() - m_checkpointTime < kHeavyCheckpointSeconds)) {
        return {};
    }
    const int refused = job.checkpoints.count;
    FW_TRY(job.checkpoints.take(
        writeCheckpoint(job.options.checkpointFile, checkpointKey(job), job.state.sampler, cache, job.context.ops),
        step));
    m_checkpointTime = now();
    if (job.checkpoints.count == refused && job.options.checkpointSaved) {
        job.options.checkpointSaved(step);
    }
    return {};
}

// For who watches the run: probes begun now, and what was seen so far.
void ModelGenerator::lookInside(Job& job, int step) {
    trace::Trace* const trace = job.options.trace;
    if (trace == nullptr) {
        return;
    }
    const bool canAdd = job.probes == nullptr && job.options.probesWanted;
    if (const auto wanted = canAdd ? job.options.probesWanted() : std::nullopt) {
        if (const Status added = addProbes(job, *wanted); !added) {
            trace->metadata["probes_refused"] = added.error().message;
        }
    }
    job.context.untimed.settle(*m_parts.ops, *trace);
    if (!job.options.traceSoFar) {
        return;
    }
    if (job.probes != nullptr) {
        trace->probes = job.probes->take();
    }
    job.options.traceSoFar(*trace, step);
    if (job.probes != nullptr) {
        job.probes->giveBack(std::exchange(trace->probes, {}));
    }
}

// As if the request had asked for them, in the steps that are left.
Status ModelGenerator::addProbes(Job& job, const Json& wanted) {
    job::GenerationRequest asked = job.request;
    asked.probes = wanted;
    FW_ASSIGN(ProbeSetup setup, fitProbes(m_parts, asked));
    FW_ASSIGN(const job::Plan plan, dryRun(m_meta, asked, job.ids, PreviewKind::Off, MemoryLimit{}));
    if (m_arena->capacity() < plan.phases[1].scratchBytes) {
        return fail(ErrorCode::OutOfMemory, "these probes need more memory to work in than the run has taken");
    }
    FW_ASSIGN(job.probes, ProbeRecorder::create(*m_parts.device, *m_parts.ops, std::move(setup)));
    job.context.probes = job.probes.get();
    job.report.request.probes = wanted;
    job.report.plan.probes = plan.probes;
    describe(*job.options.trace, job.report);
    return {};
}

// The latents become what the last step believed the clip to be.
Status ModelGenerator::settleForEstimate(Job& job) {
    const SamplerState& state = job.state.sampler;
    job.context.ops.copy(state.estimate, state.sample);
    return checkLatents(state.sample, state.step, *job.request.steps);
}

Status ModelGenerator::denoise(Job& job) {
    FW_TRY(makeRoom(job.report.plan, Phase::Denoise));
    FW_TRY(bring(job, {false, true, false}));
    FW_TRY(begin(job));
    const SigmaSchedule schedule = scheduleOf(m_parts, job.request);
    const int steps = *job.request.steps;
    const int first = job.state.sampler.step;
    job.report.resumedSteps = first;
    job.meter.begin(Phase::Denoise, steps, first);
    for (int step = first; step < steps; ++step) {
        FW_TRY(job.cancel.check());
        if (step > 0 && job.options.finishEarly.isCancelled()) {
            job.report.finishedEarly = true;
            FW_TRY(settleForEstimate(job));
            break;
        }
        const double start = now();
        job.context.step = step;
        if (job.state.cache != nullptr) {
            job.context.cache = cacheStandsAside(job.whatIf, step) ? nullptr : job.state.cache.get();
        }
        const double timestep = schedule.timesteps[static_cast<std::size_t>(step)];
        FW_TRY(predictVelocity(job.context, m_parts, job.state, timestep, *job.request.guidance));
        advance(job.context, schedule, job.state);
        FW_TRY(checkLatents(job.state.sampler.sample, step + 1, steps));
        job.report.stepSeconds.push_back(now() - start);
        FW_TRY(saveCheckpoint(job));
        FW_TRY(preview(job, step + 1, steps));
        lookInside(job, step + 1);
        job.meter.report(step + 1);
    }
    job.context.step = -1;
    job.checkpoints.note("Checkpoints", job.report.notes);
    if (job.options.stepBytes == 0) {
        job.keptSteps.note("Kept steps", job.report.notes);
    }
    job.report.denoiseSeconds = job.meter.phaseSeconds();
    return job.cancel.check();
}

// Frames [done, …) reach the sink; `done` counts those that did.
Status ModelGenerator::decodeOnce(Job& job, int& done) {
    FW_TRY(makeRoom(job.report.plan, Phase::Decode));
    FW_TRY(bring(job, {false, false, true}));
    int seen = 0;
    const auto deliver = [&](const ConstTensorView& chunk) -> Status {
        FW_TRY(job.cancel.check());
        const auto frames = static_cast<int>(chunk.dim(0));
        const int known = std::clamp(done - seen, 0, frames);  // delivered by a try before this one
        seen += frames;
        if (known < frames) {
            FW_TRY(job.sink(chunk.slice(0, known, frames)));
            done += frames - known;
            job.meter.report(done);
        }
        return {};
    };
    FW_TRY(decodeFrames(job.context, m_parts, job.state.sampler.sample, tilingOf(job.report.plan), deliver));
    return job.context.ops.synchronize();
}

Status ModelGenerator::decode(Job& job) {
    const TensorView& latents = job.state.sampler.sample;
    if (job.options.latentsReady) {
        FW_TRY(job.options.latentsReady(ConstTensorView(m_host.data(), DType::F32, latents.shape())));
    }
    const auto frames = static_cast<int>(*job.request.frames);
    int done = 0;
    job.meter.begin(Phase::Decode, frames);
    Status status = decodeOnce(job, done);
    const auto smaller = smallerTiling(latents.shape(), tilingOf(job.report.plan));
    if (!status && status.error().code == ErrorCode::OutOfMemory && smaller) {
        // Once more, in smaller pieces and with the device to itself.
        static_cast<void>(m_parts.ops->synchronize());
        job::Plan& plan = job.report.plan;
        FW_TRY(useTiling(m_meta, *smaller, plan));
        plan.memory.oneArena = false;
        plan.phases.back().parts = {false, false, true};
        plan.phases.back().memoryBytes =
            m_meta.partBytes().autoEncoder + plan.stateBytes + plan.phases.back().scratchBytes;
        job.report.decodedAgain = true;
        status = decodeOnce(job, done);
    }
    FW_TRY(std::move(status));
    FW_CHECK(done == frames, "{} frames of {}", done, frames);
    job.report.decodeSeconds = job.meter.phaseSeconds();
    return job.cancel.check();
}

// What a rule that depends on data saw and answered: [step, branch, predictor, threshold, reused].
void describeDecisions(trace::Trace& trace, const cache::StepCache& cache) {
    Json log = Json::array();
    for (const cache::LoggedDecision& entry : cache.log()) {
        log.push_back({entry.step, entry.branch, entry.predictor, entry.threshold, entry.reused});
    }
    trace.metadata["cache_log"] = std::move(log);
}

void ModelGenerator::describe(trace::Trace& trace, const GenerationReport& report) {
    trace.metadata["request"] = Json::parse(job::toJson(report.request).dump());
    trace.metadata["plan"] = Json::parse(job::toJson(report.plan).dump());
    trace.metadata["model"] = {
        {"name", m_info.name}, {"hash", report.modelHash}, {"adapters", m_parts.adapterHash}};
    trace.metadata["device"] = {{"name", report.device}, {"dtype", report.dtype}};
}

Result<GenerationReport> ModelGenerator::generate(const job::GenerationRequest& request,
                                                  const GeneratorOptions& options, const GeneratorEvents& events,
                                                  const model::FrameSink& sink, const CancelToken& cancel) {
    FW_TRY(cancel.check());
    // What an abandoned clip left behind is not this one's failure, unless it was the device's last.
    if (Status left = m_parts.ops->synchronize(); !left && left.error().code == ErrorCode::DeviceLost) {
        return tl::unexpected(std::move(left).error());
    }
    GenerationReport report;
    FW_ASSIGN(report.request, job::resolve(request, m_info.defaults));
    FW_TRY(checkMethod(m_info, report.request));
    report.request = withOwnAdapter(std::move(report.request), m_info.folder);
    FW_ASSIGN(const method::MethodEntry* entry, method::findAttentionMethod(report.request.method));
    if (entry->needsSparseOperations && !m_parts.ops->supportsSparseAttention()) {
        return fail(ErrorCode::Unsupported,
                    "{} cannot compute the attention method {} yet; choose dense attention or another device",
                    m_parts.device->info().id, report.request.method);
    }
    FW_TRY(useAdapters(m_meta, m_info.folder, report.request));
    FW_TRY(bringParts(m_meta, {true, true, true}, {}));
    FW_ASSIGN(const PromptIds ids, tokenize(*m_parts.tokenizer, report.request));
    FW_TRY(forecast(report, ids, options.preview));
    const job::Plan& plan = report.plan;
    FW_TRY(inPhase(Phase::Text, plan, makeRoom(plan, Phase::Text)));
    FW_TRY(inPhase(Phase::Text, plan, useAdapters(m_parts, m_info.folder, report.request)));
    FW_ASSIGN(const auto method, method::createMethodOf(report.request, m_parts.methodWeights.get()));
    FW_ASSIGN(RunState state, inPhase(Phase::Text, plan, createRunState(m_parts, report.request, ids)));
    FW_CHECK(options.observer == nullptr || state.cache == nullptr, "an observer beside a step cache");
    report.modelHash = m_hash;
    report.device = deviceText(m_parts.device->info(), report.request.threads);
    report.dtype = std::string(dtypeName(m_parts.dtype));
    report.loadSeconds = std::exchange(m_loadSeconds, 0.0);
    if (options.trace != nullptr) {
        options.trace->originUs = m_parts.ops->timestampUs();
        describe(*options.trace, report);
    }
    method::RunContext context{
        .ops = *m_parts.ops, .arena = *m_arena, .selfAttention = *method, .cancel = cancel, .trace = options.trace};
    const method::SettledTrace settled(context);
    context.cache = options.observer != nullptr ? options.observer : state.cache.get();
    std::unique_ptr<ProbeRecorder> probes;
    if (report.request.probes) {
        FW_ASSIGN(ProbeSetup setup, fitProbes(m_parts, report.request));
        FW_ASSIGN(probes, inPhase(Phase::Text, plan,
                                  ProbeRecorder::create(*m_parts.device, *m_parts.ops, std::move(setup))));
        context.probes = probes.get();
    }
    ProgressMeter meter(report.plan, m_rates, events.progress);
    FW_ASSIGN(const auto painted, inPhase(Phase::Text, plan, createPaintedMasks(m_parts, report.request)));
    context.painted = painted.get();
    FW_ASSIGN(const job::WhatIf whatIf, job::whatIfOf(report.request));
    Job job{report.request, options, events, sink, cancel, meter, context, state, report, whatIf, ids, probes};
    FW_TRY(inPhase(Phase::Text, plan, text(job, ids)));
    Status denoised = inPhase(Phase::Denoise, plan, denoise(job));
    if (options.trace != nullptr && probes != nullptr) {
        options.trace->probes = probes->take();
    }
    if (options.trace != nullptr && state.cache != nullptr) {
        describeDecisions(*options.trace, *state.cache);
    }
    FW_TRY(std::move(denoised));
    FW_TRY(inPhase(Phase::Decode, plan, decode(job)));
    return report;
}

}  // namespace

std::string stepFileName(int steps) {
    return fmt::format("step-{:04}.safetensors", steps);
}

Result<std::unique_ptr<Generator>> Generator::create(const std::filesystem::path& folder, const std::string& device,
                                                     const std::string& dtype, int threads,
                                                     const CancelToken& cancel) {
    FW_ASSIGN(backend::DeviceChoice target, backend::chooseDevice(device));
    return create(folder, std::move(target.device), dtype, threads, cancel);
}

Result<std::unique_ptr<Generator>> Generator::create(const std::filesystem::path& folder,
                                                     std::unique_ptr<backend::Device> device,
                                                     const std::string& dtype, int threads,
                                                     const CancelToken& cancel) {
    FW_ASSIGN(model::ModelInfo info, model::inspectModel(folder));
    if (!info.problems.empty()) {
        return fail(ErrorCode::BadModel, "{}: {}", folder.string(), info.problems.front());
    }
    FW_ASSIGN(std::string hash, model::modelHash(folder));
    const backend::DeviceInfo about = device->info();
    FW_ASSIGN(const DType chosen, chooseDType(dtype, about));
    // The model without its bytes first: its weights' size is known before any of them is read.
    FW_ASSIGN(ModelParts meta,
              loadParts(folder, backend::createMetaDevice(chosen, about.kind), chosen, threads, cancel));
    FW_ASSIGN(ModelParts parts, openParts(meta, std::move(device), threads));
    auto arena = backend::Arena::create(*parts.device, 0);
    if (!arena) {
        return tl::unexpected(std::move(arena).error().within(fmt::format("{} has no memory left", about.id)));
    }
    auto generator = std::make_unique<ModelGenerator>(std::move(info), std::move(hash), std::move(meta),
                                                      std::move(parts), std::move(*arena));
    FW_TRY(generator->loadAtOnce(cancel));
    return generator;
}

}  // namespace fw::pipeline
