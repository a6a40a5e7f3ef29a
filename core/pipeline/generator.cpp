#include "core/pipeline/generator.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <utility>

#include "core/method/attention_method.h"
#include "core/pipeline/check_method.h"
#include "core/pipeline/checkpoint.h"
#include "core/pipeline/memory_text.h"
#include "core/pipeline/model_parts.h"
#include "core/pipeline/philox.h"
#include "core/pipeline/planner.h"
#include "core/pipeline/preview.h"
#include "core/pipeline/probe_recorder.h"
#include "core/pipeline/progress_meter.h"
#include "core/pipeline/run_stages.h"

namespace fw::pipeline {

namespace {

constexpr std::size_t kPromptCacheEntries = 8;

// What a step cache may add to every checkpoint, to one in a while, and at all.
constexpr std::int64_t kLightCacheState = 8LL << 20;
constexpr std::int64_t kMostCacheState = 1LL << 30;
constexpr double kHeavyCheckpointSeconds = 10.0;

double now() {
    return ProgressMeter::steadyClock()();
}

// "1.5 GiB"
Status checkMemory(const backend::Device& device, std::string_view what, std::int64_t bytes) {
    const backend::DeviceInfo info = device.info();
    if (bytes > info.freeBytes) {
        return fail(ErrorCode::OutOfMemory, "{} needs {} but {} has {} free; choose a smaller size or fewer frames",
                    what, gibibytes(bytes), info.id, gibibytes(info.freeBytes));
    }
    return {};
}

// Text embeddings of the last few prompts, by token ids; least recently used first.
class PromptCache {
 public:
    [[nodiscard]] const backend::OwnedTensor* find(const std::vector<std::int32_t>& ids) {
        const auto found =
            std::find_if(m_entries.begin(), m_entries.end(), [&](const auto& e) { return e.ids == ids; });
        if (found == m_entries.end()) {
            return nullptr;
        }
        std::rotate(found, found + 1, m_entries.end());
        return &m_entries.back().embedding;
    }
    void add(std::vector<std::int32_t> ids, backend::OwnedTensor embedding) {
        if (m_entries.size() == kPromptCacheEntries) {
            m_entries.pop_front();
        }
        m_entries.push_back({std::move(ids), std::move(embedding)});
    }

 private:
    struct Entry {
        std::vector<std::int32_t> ids;
        backend::OwnedTensor embedding;
    };
    std::deque<Entry> m_entries;
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
    double previewSeconds = 0.0;  // spent on previews nobody asked for
    double previewCost = 0.0;     // of the last one
};

class ModelGenerator final : public Generator {
 public:
    ModelGenerator(model::ModelInfo info, std::string hash, ModelParts meta, ModelParts parts, double loadSeconds)
        : m_info(std::move(info)),
          m_hash(std::move(hash)),
          m_meta(std::move(meta)),
          m_parts(std::move(parts)),
          m_previewer(m_info.preview),
          m_loadSeconds(loadSeconds) {}

    [[nodiscard]] const model::ModelInfo& model() const override { return m_info; }

    [[nodiscard]] Result<GenerationReport> generate(const job::GenerationRequest& request,
                                                    const GeneratorOptions& options, const GeneratorEvents& events,
                                                    const model::FrameSink& sink,
                                                    const CancelToken& cancel) override;

 private:
    [[nodiscard]] Status prepareArena(const job::Plan& plan);
    [[nodiscard]] Status text(Job& job, const PromptIds& ids);
    [[nodiscard]] Status conditioning(Job& job, const std::vector<std::int32_t>& ids, const TensorView& out);
    [[nodiscard]] Status noise(Job& job);
    [[nodiscard]] Status begin(Job& job);
    [[nodiscard]] Status denoise(Job& job);
    [[nodiscard]] Status saveCheckpoint(Job& job);
    [[nodiscard]] Status settleForEstimate(Job& job);
    [[nodiscard]] CheckpointKey checkpointKey(const Job& job) const;
    [[nodiscard]] Status checkLatents(const TensorView& latents, int step, int steps);
    [[nodiscard]] Status preview(Job& job, int step, int steps);
    [[nodiscard]] Status decode(Job& job);
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
    double m_loadSeconds;           // reported with the first clip, 0 afterwards
};

Status ModelGenerator::prepareArena(const job::Plan& plan) {
    const std::int64_t bytes = arenaBytes(plan);
    // On the CPU the host's memory is the device's.
    const bool onHost = m_parts.ops->deviceKind() == DeviceKind::Cpu;
    const std::int64_t kept = plan.stateBytes + (onHost ? plan.hostBytes + plan.probes.memoryBytes : 0);
    const std::string what = plan.cache.bytes == 0 ? "this clip"
                                                   : fmt::format("this clip with the {} of its step cache '{}'",
                                                                 gibibytes(plan.cache.bytes), plan.cache.id);
    if (m_arena && m_arena->capacity() >= bytes) {
        return checkMemory(*m_parts.device, what, kept);
    }
    m_arena.reset();  // give the old one back before asking for the new one
    FW_TRY(checkMemory(*m_parts.device, what, kept + bytes));
    FW_ASSIGN(m_arena, backend::Arena::create(*m_parts.device, bytes));
    return {};
}

Status ModelGenerator::conditioning(Job& job, const std::vector<std::int32_t>& ids, const TensorView& out) {
    if (const backend::OwnedTensor* known = m_prompts.find(ids)) {
        job.context.ops.copy(known->view, out);
        return {};
    }
    FW_TRY(encodeText(job.context, m_parts, ids, out));
    FW_ASSIGN(auto kept, backend::createTensor(*m_parts.device, DType::F32, out.shape()));
    job.context.ops.copy(out, kept.view);
    FW_TRY(job.context.ops.synchronize());
    m_prompts.add(ids, std::move(kept));
    return {};
}

Status ModelGenerator::text(Job& job, const PromptIds& ids) {
    const bool guided = *job.request.guidance > 1.0;
    job.meter.begin(Phase::Text, guided ? 2 : 1);
    FW_TRY(conditioning(job, ids.prompt, job.state.text));
    FW_TRY(job.cancel.check());
    if (guided) {
        FW_TRY(conditioning(job, ids.negative, job.state.negative));
    }
    FW_TRY(job.context.ops.synchronize());
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
        return fail(ErrorCode::Internal,
                    "the latents stopped being finite numbers at step {} of {} in {}; try --dtype f32, a smaller "
                    "guidance or more steps",
                    step, steps, dtypeName(m_parts.dtype));
    }
    return {};
}

Status ModelGenerator::preview(Job& job, int step, int steps) {
    const GeneratorOptions& options = job.options;
    if (!job.events.preview) {
        return {};
    }
    const bool exact = options.exactPreviewWanted && options.exactPreviewWanted();
    const bool due = step % std::max(options.previewEvery, 1) == 0 || step == steps;
    const bool affordable = options.previewShare <= 0.0 ||
                            job.previewSeconds + job.previewCost <= options.previewShare * job.meter.phaseSeconds();
    if (!exact && (options.preview == PreviewKind::Off || !due || !affordable)) {
        return {};
    }
    const double start = now();
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
    key.request.probes.reset();  // they change nothing that a checkpoint holds
    return key;
}

// Noise at step 0, or the state of an earlier run. Either way m_host holds the latents.
Status ModelGenerator::begin(Job& job) {
    const std::filesystem::path& checkpoint = job.options.resumeFrom;
    const std::filesystem::path& branch = job.options.branchFrom;
    if (checkpoint.empty() && branch.empty()) {
        return noise(job);
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
    if (!job.options.stepFolder.empty()) {
        // Without the step cache's part: no branch reads it.
        FW_TRY(writeCheckpoint(job.options.stepFolder / stepFileName(job.state.sampler.step), checkpointKey(job),
                               job.state.sampler, nullptr, job.context.ops));
    }
    if (job.options.checkpointFile.empty()) {
        return {};
    }
    const int step = job.state.sampler.step;
    cache::StepCache* cache = job.state.cache.get();
    const std::int64_t bytes = cacheStateBytes(cache, step);
    if (bytes > kMostCacheState ||
        (bytes > kLightCacheState && now() - m_checkpointTime < kHeavyCheckpointSeconds)) {
        return {};
    }
    FW_TRY(
        writeCheckpoint(job.options.checkpointFile, checkpointKey(job), job.state.sampler, cache, job.context.ops));
    m_checkpointTime = now();
    if (job.options.checkpointSaved) {
        job.options.checkpointSaved(step);
    }
    return {};
}

// The latents become what the last step believed the clip to be.
Status ModelGenerator::settleForEstimate(Job& job) {
    const SamplerState& state = job.state.sampler;
    job.context.ops.copy(state.estimate, state.sample);
    return checkLatents(state.sample, state.step, *job.request.steps);
}

Status ModelGenerator::denoise(Job& job) {
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
        const double timestep = schedule.timesteps[static_cast<std::size_t>(step)];
        FW_TRY(predictVelocity(job.context, m_parts, job.state, timestep, *job.request.guidance));
        advance(job.context, schedule, job.state);
        FW_TRY(checkLatents(job.state.sampler.sample, step + 1, steps));
        job.report.stepSeconds.push_back(now() - start);
        FW_TRY(saveCheckpoint(job));
        FW_TRY(preview(job, step + 1, steps));
        job.meter.report(step + 1);
    }
    job.context.step = -1;
    job.report.denoiseSeconds = job.meter.phaseSeconds();
    return job.cancel.check();
}

Status ModelGenerator::decode(Job& job) {
    const TensorView& latents = job.state.sampler.sample;
    if (job.options.latentsReady) {
        FW_TRY(job.options.latentsReady(ConstTensorView(m_host.data(), DType::F32, latents.shape())));
    }
    const auto frames = static_cast<int>(*job.request.frames);
    int done = 0;
    job.meter.begin(Phase::Decode, frames);
    const auto deliver = [&](const ConstTensorView& chunk) -> Status {
        FW_TRY(job.cancel.check());
        FW_TRY(job.sink(chunk));
        done += static_cast<int>(chunk.dim(0));
        job.meter.report(done);
        return {};
    };
    FW_TRY(decodeFrames(job.context, m_parts, latents, deliver));
    FW_TRY(job.context.ops.synchronize());
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
    (void)m_parts.ops->synchronize();  // what an abandoned clip left behind is not this one's failure
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
    FW_TRY(useAdapters(m_parts, m_info.folder, report.request));
    FW_ASSIGN(const auto method,
              method::createAttentionMethod(report.request.method, report.request.methodParameters,
                                            m_parts.methodWeights.get()));
    FW_ASSIGN(const PromptIds ids, tokenize(*m_parts.tokenizer, report.request));
    FW_ASSIGN(report.plan, dryRun(m_meta, report.request, ids, options.preview));
    FW_TRY(prepareArena(report.plan));
    FW_ASSIGN(RunState state, createRunState(m_parts, report.request));
    FW_CHECK(options.observer == nullptr || state.cache == nullptr, "an observer beside a step cache");
    report.modelHash = m_hash;
    report.device = m_parts.device->info().name;
    report.dtype = std::string(dtypeName(m_parts.dtype));
    report.loadSeconds = std::exchange(m_loadSeconds, 0.0);
    if (options.trace != nullptr) {
        options.trace->originUs = m_parts.ops->timestampUs();
        describe(*options.trace, report);
    }
    const backend::ArenaScope arena(*m_arena);
    method::RunContext context{
        .ops = *m_parts.ops, .arena = *m_arena, .selfAttention = *method, .cancel = cancel, .trace = options.trace};
    context.cache = options.observer != nullptr ? options.observer : state.cache.get();
    std::unique_ptr<ProbeRecorder> probes;
    if (report.request.probes) {
        FW_ASSIGN(ProbeSetup setup, fitProbes(m_parts, report.request));
        FW_ASSIGN(probes, ProbeRecorder::create(*m_parts.device, *m_parts.ops, std::move(setup)));
        context.probes = probes.get();
    }
    ProgressMeter meter(report.plan, m_rates, events.progress);
    Job job{report.request, options, events, sink, cancel, meter, context, state, report};
    FW_TRY(text(job, ids));
    FW_TRY(begin(job));
    const Status denoised = denoise(job);
    if (options.trace != nullptr && probes != nullptr) {
        options.trace->probes = probes->take();
    }
    if (options.trace != nullptr && state.cache != nullptr) {
        describeDecisions(*options.trace, *state.cache);
    }
    FW_TRY(denoised);
    FW_TRY(decode(job));
    return report;
}

}  // namespace

std::string stepFileName(int steps) {
    return fmt::format("step-{:04}.safetensors", steps);
}

Result<std::unique_ptr<Generator>> Generator::create(const std::filesystem::path& folder, const std::string& device,
                                                     const std::string& dtype, int threads,
                                                     const CancelToken& cancel) {
    const double start = now();
    FW_ASSIGN(model::ModelInfo info, model::inspectModel(folder));
    if (!info.problems.empty()) {
        return fail(ErrorCode::BadModel, "{}: {}", folder.string(), info.problems.front());
    }
    FW_ASSIGN(std::string hash, model::modelHash(folder));
    FW_ASSIGN(auto target, backend::createDevice(device));
    FW_ASSIGN(const DType chosen, chooseDType(dtype, target->info()));
    // The model without its bytes first: its weights' size is known before any of them is read.
    FW_ASSIGN(ModelParts meta, loadParts(folder, backend::createMetaDevice(chosen), chosen, threads, cancel));
    FW_TRY(checkMemory(*target, fmt::format("the model {}", info.name), meta.weightBytes()));
    FW_ASSIGN(ModelParts parts, loadParts(folder, std::move(target), chosen, threads, cancel));
    const double seconds = now() - start;
    return std::make_unique<ModelGenerator>(std::move(info), std::move(hash), std::move(meta), std::move(parts),
                                            seconds);
}

}  // namespace fw::pipeline
