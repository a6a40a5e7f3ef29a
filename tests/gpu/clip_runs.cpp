#include "clip_runs.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "core/pipeline/generator.h"

namespace fw::gpu {

namespace {

double middleOf(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0.0 : values[values.size() / 2];
}

Status ignoreFrames(const ConstTensorView&) {
    return {};
}

class WholeClipRunner final : public ClipRunner {
 public:
    WholeClipRunner(ClipSetup setup, Meter& meter, std::unique_ptr<pipeline::Generator> generator)
        : m_setup(std::move(setup)), m_meter(meter), m_generator(std::move(generator)) {}

    Result<ClipTimes> run(const ClipVariant& variant) override {
        job::GenerationRequest request = m_setup.request(variant);
        job::GenerationRequest warmUp = request;
        warmUp.steps = std::min(2, *request.steps);
        warmUp.cache = "none";  // two steps are too few for any
        warmUp.cacheParameters = Json::object();
        warmUp.probes.reset();
        FW_TRY(m_generator->generate(warmUp, {}, {}, ignoreFrames, {}));
        if (m_meter.memory != nullptr) {
            m_meter.memory->restart();
        }
        ClipTimes times;
        times.name = variant.name;
        // From the first step to the last, with all there is between steps.
        double begin = 0.0, busyBegin = 0.0, end = 0.0, busyEnd = 0.0;
        pipeline::GeneratorEvents events;
        events.progress = [&](const pipeline::Progress& progress) {
            if (progress.phase != pipeline::Phase::Denoise) {
                return;
            }
            (progress.step == 0 ? begin : end) = clockSeconds();
            (progress.step == 0 ? busyBegin : busyEnd) = m_meter.busySeconds();
        };
        trace::Trace trace;
        pipeline::GeneratorOptions options;
        options.trace = variant.probes ? &trace : nullptr;
        const double start = clockSeconds();
        FW_ASSIGN(const pipeline::GenerationReport report,
                  m_generator->generate(request, options, events, ignoreFrames, {}));
        times.load = report.loadSeconds;
        times.total = clockSeconds() - start - report.loadSeconds;
        times.denoise = report.denoiseSeconds;
        times.decode = report.decodeSeconds;
        times.steps = report.stepSeconds;
        times.medianStep = middleOf(report.stepSeconds);
        times.idleShare = m_meter.queue == nullptr ? 0.0 : 1.0 - (busyEnd - busyBegin) / (end - begin);
        times.peakBytes = m_meter.peakBytes();
        times.forecastBytes = report.plan.peakBytes;
        times.cacheBytes = report.plan.cache.bytes;
        return times;
    }

 private:
    ClipSetup m_setup;
    Meter& m_meter;
    std::unique_ptr<pipeline::Generator> m_generator;
};

const std::vector<ClipVariant>& clipVariants() {
    static const std::vector<ClipVariant> kVariants{
        {"dense"},
        // Asked at every module of every step, and always answers that it is to be computed.
        {"never", "dense", "pab", Json::object(), {{"self_range", 1}, {"cross_range", 1}}},
        {"pab", "dense", "pab"},
        {"pab3", "dense", "pab", Json::object(), {{"self_range", 3}}},
        {"salad", "salad", "none", {{"sparsity", 0.9}}},
        {"salad+pab", "salad", "pab", {{"sparsity", 0.9}}},
        {"salad+pab3", "salad", "pab", {{"sparsity", 0.9}}, {{"self_range", 3}}},
        {.name = "dense+probes", .probes = true},
        {.name = "salad+probes", .method = "salad", .methodParameters = {{"sparsity", 0.9}}, .probes = true},
    };
    return kVariants;
}

}  // namespace

double clockSeconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Result<ClipVariant> clipVariant(const std::string& name) {
    std::vector<std::string> names;
    for (const ClipVariant& variant : clipVariants()) {
        if (variant.name == name) {
            return variant;
        }
        names.push_back(variant.name);
    }
    return fail(ErrorCode::InvalidArgument, "no variant is called \"{}\"; known are {}", name,
                fmt::join(names, ", "));
}

job::GenerationRequest ClipSetup::request(const ClipVariant& variant) const {
    job::GenerationRequest request = base;
    request.model = model.string();
    request.method = variant.method;
    request.methodParameters = variant.methodParameters;
    request.cache = variant.cache;
    request.cacheParameters = variant.cacheParameters;
    if (variant.method == "salad") {
        request.adapters = {{saladAdapter.string(), 1.0}};
    }
    if (variant.probes) {
        request.probes = Json{{"kinds", "default"}};
    }
    return request;
}

Result<std::unique_ptr<ClipRunner>> createWholeClipRunner(const ClipSetup& setup, Meter& meter) {
    FW_ASSIGN(auto device, createMeteredDevice(setup.base.device, meter));
    FW_ASSIGN(auto generator,
              pipeline::Generator::create(setup.model, std::move(device), setup.base.dtype, setup.base.threads));
    return std::make_unique<WholeClipRunner>(setup, meter, std::move(generator));
}

}  // namespace fw::gpu
