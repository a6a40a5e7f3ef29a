// A clip's time from each kind of step it consists of.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "clip_runs.h"
#include "core/method/attention_method.h"
#include "core/pipeline/philox.h"
#include "core/pipeline/planner.h"
#include "core/pipeline/run_stages.h"

namespace fw::gpu {

namespace {

// Steps that compute and reuse the same, by the run's decision table.
struct Signature {
    std::string text;        // 'c', 'r' or 'p' for each row of the table; "c" without one
    int representative = 0;  // the step that stands for all
    int count = 0;
};

bool reuses(char decision) {
    return decision == 'r' || decision == 'p';
}

// In the order of their representatives. One that computes what the next step reuses is preferred: it fills the
// cache for those behind it.
std::vector<Signature> signaturesOf(const job::Plan& plan) {
    std::map<std::string, Signature> found;
    std::map<std::string, bool> keeps;
    for (int step = 0; step < plan.steps; ++step) {
        const auto at = static_cast<std::size_t>(step);
        std::string text = plan.cache.rows.empty() ? "c" : "";
        bool kept = false;
        for (const job::CacheRow& row : plan.cache.rows) {
            text += row.steps[at];
            kept = kept || (at + 1 < row.steps.size() && !reuses(row.steps[at]) && reuses(row.steps[at + 1]));
        }
        const auto [entry, isNew] = found.try_emplace(text, Signature{text, step, 0});
        if (!isNew && kept && !keeps[text]) {
            entry->second.representative = step;
        }
        keeps[text] = keeps[text] || kept;
        ++entry->second.count;
    }
    std::vector<Signature> ordered;
    for (const auto& [text, signature] : found) {
        ordered.push_back(signature);
    }
    std::sort(ordered.begin(), ordered.end(),
              [](const Signature& a, const Signature& b) { return a.representative < b.representative; });
    return ordered;
}

class SignatureRunner final : public ClipRunner {
 public:
    SignatureRunner(ClipSetup setup, Meter& meter) : m_setup(std::move(setup)), m_meter(meter) {}

    [[nodiscard]] Status open() {
        FW_ASSIGN(auto device, createMeteredDevice(m_setup.base.device, m_meter));
        FW_ASSIGN(const DType dtype, pipeline::chooseDType(m_setup.base.dtype, device->info()));
        FW_ASSIGN(m_meta, pipeline::loadParts(m_setup.model, backend::createMetaDevice(dtype, device->info().kind),
                                              dtype, 1, {}));
        FW_ASSIGN(m_parts, pipeline::openParts(m_meta, std::move(device), m_setup.base.threads));
        FW_ASSIGN(m_arena, backend::Arena::create(*m_parts.device, 0));
        return {};
    }

    Result<ClipTimes> run(const ClipVariant& variant) override;

 private:
    [[nodiscard]] Status prepare(const job::GenerationRequest& request);
    [[nodiscard]] Result<double> timedStep(int step);
    [[nodiscard]] Status steps(ClipTimes& times);
    [[nodiscard]] Result<double> timedDecode();
    [[nodiscard]] method::RunContext context() {
        return {.ops = *m_parts.ops, .arena = *m_arena, .selfAttention = *m_method, .cancel = {}};
    }

    ClipSetup m_setup;
    Meter& m_meter;
    pipeline::ModelParts m_meta, m_parts;
    std::unique_ptr<backend::Arena> m_arena;
    job::GenerationRequest m_request;
    job::Plan m_plan;
    std::unique_ptr<method::AttentionMethod> m_method;
    std::vector<float> m_noise;
    pipeline::RunState m_state;
    double m_decodeSeconds = -1.0;  // the same for every variant; negative: not timed yet
};

Status SignatureRunner::prepare(const job::GenerationRequest& request) {
    m_state = {};
    m_method.reset();
    FW_ASSIGN(const model::ModelInfo info, model::inspectModel(m_setup.model));
    FW_ASSIGN(m_request, job::resolve(request, info.defaults));
    FW_TRY(pipeline::useAdapters(m_parts, m_setup.model, m_request));
    FW_TRY(pipeline::useAdapters(m_meta, m_setup.model, m_request));
    FW_TRY(pipeline::bringParts(m_meta, {true, true, true}, {}));
    FW_ASSIGN(m_method, method::createAttentionMethod(m_request.method, m_request.methodParameters,
                                                      m_parts.methodWeights.get()));
    FW_ASSIGN(const pipeline::PromptIds ids, pipeline::tokenize(*m_parts.tokenizer, m_request));
    auto limit = pipeline::memoryLimit(m_parts.device->info(), 0, m_parts.weightBytes() + m_arena->capacity());
    FW_ASSIGN(m_plan, pipeline::dryRun(m_meta, m_request, ids, pipeline::PreviewKind::Off, limit));
    if (!m_plan.memory.shortage.empty()) {
        return fail(ErrorCode::OutOfMemory, "{}", m_plan.memory.shortage);
    }
    if (m_arena->capacity() < pipeline::arenaBytes(m_plan)) {
        FW_TRY(m_arena->resize(*m_parts.device, pipeline::arenaBytes(m_plan)));
    }
    FW_ASSIGN(m_state, pipeline::createRunState(m_parts, m_request, ids));
    FW_TRY(pipeline::bringParts(m_parts, {true, true, true}, {}));
    method::RunContext run = context();
    FW_TRY(pipeline::encodeText(run, m_parts, ids.prompt, m_state.text));
    if (*m_request.guidance > 1.0) {
        FW_TRY(pipeline::encodeText(run, m_parts, ids.negative, m_state.negative));
    }
    FW_TRY(run.ops.synchronize());
    pipeline::dropParts(m_parts, {false, true, true});
    m_noise.resize(static_cast<std::size_t>(m_state.sampler.sample.count()));
    pipeline::fillNormal(1, pipeline::NoiseStream::InitialLatents, 0, m_noise);
    return {};
}

// The step on the same noise every time: nothing it does depends on how far the clip has come.
Result<double> SignatureRunner::timedStep(int step) {
    method::RunContext run = context();
    run.step = step;
    run.cache = m_state.cache.get();
    const TensorView& sample = m_state.sampler.sample;
    run.ops.upload(ConstTensorView(m_noise.data(), DType::F32, sample.shape()), sample);
    m_state.sampler.step = 0;
    m_state.sampler.lastOrder = 0;
    FW_TRY(run.ops.synchronize());
    const pipeline::SigmaSchedule schedule = pipeline::scheduleOf(m_parts, m_request);
    const double begin = clockSeconds();
    FW_TRY(pipeline::predictVelocity(run, m_parts, m_state, schedule.timesteps[static_cast<std::size_t>(step)],
                                     *m_request.guidance));
    pipeline::advance(run, schedule, m_state);
    FW_TRY(run.ops.synchronize());
    return clockSeconds() - begin;
}

Status SignatureRunner::steps(ClipTimes& times) {
    const std::vector<Signature> signatures = signaturesOf(m_plan);
    // The first step of all also loads kernels, and makes the text's keys and values once.
    std::int64_t counted = m_parts.ops->cost().flops;
    const auto flopsSince = [&] {
        const std::int64_t before = std::exchange(counted, m_parts.ops->cost().flops);
        return static_cast<double>(counted - before);
    };
    FW_TRY(timedStep(signatures.front().representative));
    const double first = flopsSince();
    double flops = 0.0, clock = 0.0, wall = 0.0, median = 0.0;
    int most = 0;
    const double busyBefore = m_meter.busySeconds();
    for (const Signature& signature : signatures) {
        std::vector<double> seconds;
        for (int i = 0; i < m_setup.repeats; ++i) {
            FW_ASSIGN(const double step, timedStep(signature.representative));
            seconds.push_back(step);
            wall += step;
        }
        std::sort(seconds.begin(), seconds.end());
        const double middle = 0.5 * (seconds[(seconds.size() - 1) / 2] + seconds[seconds.size() / 2]);
        const double once = flopsSince() / m_setup.repeats;
        flops += once * signature.count + (&signature == &signatures.front() ? first - once : 0.0);
        clock += middle * signature.count;
        if (signature.count > most) {
            most = signature.count;
            median = middle;
        }
        times.signatures += fmt::format("{}{} {} x {:.4f} s", times.signatures.empty() ? "" : ", ", signature.text,
                                        signature.count, middle);
    }
    times.denoise = clock;
    times.medianStep = median;
    times.idleShare = m_meter.queue == nullptr ? 0.0 : 1.0 - (m_meter.busySeconds() - busyBefore) / wall;
    // The steps timed are those of the plan, or the sum says nothing.
    constexpr double kTolerance = 1e-4;
    const auto planned = static_cast<double>(m_plan.phases[1].flops);
    if (std::abs(flops - planned) > kTolerance * planned) {
        return fail(ErrorCode::Internal, "{}: the steps timed add up to {:.6g} FLOPs, the plan to {:.6g}",
                    times.name, flops, planned);
    }
    return {};
}

Result<double> SignatureRunner::timedDecode() {
    method::RunContext run = context();
    const double begin = clockSeconds();
    FW_TRY(pipeline::decodeFrames(run, m_parts, m_state.sampler.sample, pipeline::tilingOf(m_plan),
                                  [](const ConstTensorView&) -> Status { return {}; }));
    FW_TRY(run.ops.synchronize());
    return clockSeconds() - begin;
}

Result<ClipTimes> SignatureRunner::run(const ClipVariant& variant) {
    if (variant.probes) {
        return fail(ErrorCode::InvalidArgument, "probes are timed in whole clips only: leave --by-signature away");
    }
    if (m_meter.memory != nullptr) {
        m_meter.memory->restart();
    }
    FW_TRY(prepare(m_setup.request(variant)));
    ClipTimes times;
    times.name = variant.name;
    FW_TRY(steps(times));
    if (m_decodeSeconds < 0.0) {
        FW_TRY(timedDecode());
        FW_ASSIGN(m_decodeSeconds, timedDecode());
    }
    times.decode = m_decodeSeconds;
    times.total = times.denoise + times.decode;
    times.peakBytes = m_meter.peakBytes();
    times.forecastBytes = m_plan.peakBytes;
    times.cacheBytes = m_plan.cache.bytes;
    return times;
}

}  // namespace

Result<std::unique_ptr<ClipRunner>> createSignatureRunner(const ClipSetup& setup, Meter& meter) {
    auto runner = std::make_unique<SignatureRunner>(setup, meter);
    FW_TRY(runner->open());
    return runner;
}

}  // namespace fw::gpu
