// Whole clips on a device by the engine's own pipeline, timed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/job/generation_request.h"
#include "core/job/plan.h"
#include "metered_device.h"

namespace fw::gpu {

// On a clock that never goes back.
[[nodiscard]] double clockSeconds();

// What is measured of one way to make a clip.
struct ClipTimes {
    std::string name;
    double total = 0.0, denoise = 0.0, decode = 0.0, medianStep = 0.0;  // seconds; without loading
    double load = 0.0;                                                  // of it before the first step
    double idleShare = 0.0;     // of the steps' time: 1 - device time / time on the clock
    std::vector<double> steps;  // seconds of each; empty in a run by signatures
    std::int64_t peakBytes = 0, forecastBytes = 0, cacheBytes = 0;
    std::string signatures;  // of a run by signatures: "cc 24 x 0.981 s, …"
};

// A variant: a name and what it changes of a request.
struct ClipVariant {
    std::string name, method = "dense", cache = "none";
    Json methodParameters = Json::object(), cacheParameters = Json::object();
    bool probes = false;  // the default ones, into a trace
};
// "dense", "never", "pab", "pab3", "salad", "salad+pab", "salad+pab3", "dense+probes", "salad+probes";
// InvalidArgument naming them for another.
[[nodiscard]] Result<ClipVariant> clipVariant(const std::string& name);

// What all variants share.
struct ClipSetup {
    std::filesystem::path model;
    std::filesystem::path saladAdapter;  // of variants with that method
    job::GenerationRequest base;         // size, frames, steps, device, type
    int repeats = 2;                     // of every step signature
    [[nodiscard]] job::GenerationRequest request(const ClipVariant& variant) const;
};

class ClipRunner {
 public:
    virtual ~ClipRunner() = default;
    [[nodiscard]] virtual Result<ClipTimes> run(const ClipVariant& variant) = 0;
};
// Every step of every clip through pipeline::Generator, prompt to frames in host memory; a short clip before each
// variant loads what it needs.
[[nodiscard]] Result<std::unique_ptr<ClipRunner>> createWholeClipRunner(const ClipSetup& setup, Meter& meter);
// Each kind of step a run consists of, by what it computes and reuses, a few times, weighted by how often the run
// takes it; then the decoder. For runs too long to time whole.
[[nodiscard]] Result<std::unique_ptr<ClipRunner>> createSignatureRunner(const ClipSetup& setup, Meter& meter);

}  // namespace fw::gpu
