// From a request to frames: text encoding, denoising, decoding.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/backend/device.h"
#include "core/base/cancel.h"
#include "core/job/generation_request.h"
#include "core/job/plan.h"
#include "core/model/video_model.h"
#include "core/trace/trace.h"

namespace fw::cache {
class StepCache;
}

namespace fw::pipeline {

enum class Phase : std::uint8_t { Load, Text, Denoise, Decode, Encode };
[[nodiscard]] std::string_view phaseName(Phase phase);

struct Progress {
    Phase phase = Phase::Load;
    int step = 0;               // done so far in this phase
    int steps = 0;              // in this phase
    double fraction = 0.0;      // of the whole job, by estimated time
    double secondsLeft = -1.0;  // of the whole job; negative: not known yet
};

enum class PreviewKind : std::uint8_t {
    Off,
    Projection,  // linear map of the latents: nearly free, at latent resolution
    Vae,         // the decoder on the current estimate: exact, costs a decode
};

// A look at the clip while it forms. rgb u8 [frames, H, W, 3], host memory, borrowed for the call.
struct Preview {
    int step = 0, steps = 0;
    ConstTensorView rgb;
    bool exact = false;  // decoded by the VAE because GeneratorOptions::exactPreviewWanted said so
};

// Called on the thread that runs generate(). Any may be empty.
struct GeneratorEvents {
    std::function<void(const Progress&)> progress;
    std::function<void(const Preview&)> preview;
};

struct GeneratorOptions {
    PreviewKind preview = PreviewKind::Off;
    int previewEvery = 1;       // steps
    double previewShare = 0.0;  // of the denoising time so far that previews may take; 0: no limit
    // Asked after every step when given: true makes this step's preview an exact one, whatever the other options
    // say.
    std::function<bool()> exactPreviewWanted;
    trace::Trace* trace = nullptr;  // filled when given
    ConstTensorView initialNoise;   // optional f32 [C, T, H/8, W/8] on the host instead of the seed's noise
    std::function<Status(const ConstTensorView& latents)>
        latentsReady;  // f32 [C, T, h, w] on the host, before decode

    // Written after every step when given, except where a step cache has too much to save (checkpoint.h);
    // checkpointSaved is told the steps done so far. What the disk refuses ends no run: see
    // GenerationReport::notes.
    std::filesystem::path checkpointFile;
    std::function<void(int step)> checkpointSaved;
    std::filesystem::path resumeFrom;  // a checkpoint of this very request; empty: from the start
    // A checkpoint of a request that may differ in how attention and the step cache work: the run goes on from
    // there.
    std::filesystem::path branchFrom;
    // Written after every step when given, to branch from: stepFileName() in this folder. Refusals as above.
    std::filesystem::path stepFolder;
    // What these files may take together, evenly spread over the steps; 0: no limit. With one they are a cache:
    // what cannot be written is not worth a note.
    std::int64_t stepBytes = 0;
    // Of a request with changes made by hand: what stepFolder held after the run without them, latest first. The
    // run begins with the first that serves, and where none does at the start.
    std::vector<std::filesystem::path> unchangedSteps;
    // Sees every module's output of a run without a step cache (fw calibrate). Borrowed.
    cache::StepCache* observer = nullptr;
    // Encoded prompts are kept here from run to run (prompt_cache.h); empty: only while the generator lives.
    std::filesystem::path promptFolder;
    // Shown `trace` with all that was seen so far, after every step; borrowed for the call, and left as it was but
    // for its metadata.
    std::function<void(trace::Trace& trace, int step)> traceSoFar;
    // Asked after every step of a run without probes when given: what to look at from the next one on
    // (job::ProbeSelection). What cannot be had is said in the trace's metadata, "probes_refused".
    std::function<std::optional<Json>()> probesWanted;
    // Once cancelled: stop denoising after the current step and decode the estimate there is.
    CancelToken finishEarly;
};

struct GenerationReport {
    job::GenerationRequest request;  // resolved: every field has its value
    job::Plan plan;
    std::string modelHash;
    std::string device;  // DeviceInfo::name
    std::string dtype;
    double loadSeconds = 0, textSeconds = 0, denoiseSeconds = 0, decodeSeconds = 0;
    std::vector<double> stepSeconds;  // of the steps taken in this call
    int resumedSteps = 0;             // taken in earlier calls
    int promptsEncoded = 0;           // the others were known from before
    bool decodedAgain = false;        // memory ran out while decoding; plan.memory says how it went then
    bool finishedEarly = false;       // fewer steps than asked, by GeneratorOptions::finishEarly
    // Sentences on files beside the clip that could not be written, and why. The clip is whole.
    std::vector<std::string> notes;
};

// A model on one device. Keep it for many clips. Not thread-safe; cancel through the token.
//
// Which of its parts are on the device follows from the memory there is (memory_choice.h). Running out of it is an
// OutOfMemory that names the phase, bytes asked and bytes free; decoding is tried once more in smaller pieces
// first. The generator stays usable.
class Generator {
 public:
    // `folder` in the diffusers layout; `threads` and `dtype` as in GenerationRequest. On the CPU every part is
    // loaded when all fit, `cancel` being asked between them; otherwise parts are loaded when they are needed.
    // OutOfMemory before anything is read when one part alone cannot fit.
    [[nodiscard]] static Result<std::unique_ptr<Generator>> create(const std::filesystem::path& folder,
                                                                   const std::string& device,
                                                                   const std::string& dtype, int threads,
                                                                   const CancelToken& cancel = {});
    // The same on a device at hand.
    [[nodiscard]] static Result<std::unique_ptr<Generator>> create(const std::filesystem::path& folder,
                                                                   std::unique_ptr<backend::Device> device,
                                                                   const std::string& dtype, int threads,
                                                                   const CancelToken& cancel = {});
    virtual ~Generator() = default;
    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;

    [[nodiscard]] virtual const model::ModelInfo& model() const = 0;
    // Held on the device now: weights and the memory to work in.
    [[nodiscard]] virtual std::int64_t heldBytes() const = 0;
    // Frames reach `sink` in order while they are decoded.
    [[nodiscard]] virtual Result<GenerationReport> generate(const job::GenerationRequest& request,
                                                            const GeneratorOptions& options,
                                                            const GeneratorEvents& events,
                                                            const model::FrameSink& sink,
                                                            const CancelToken& cancel) = 0;

 protected:
    Generator() = default;
};

// "step-0007.safetensors": the checkpoint after so many steps in GeneratorOptions::stepFolder.
[[nodiscard]] std::string stepFileName(int steps);

// Costs of `request` on a model folder by a dry run on the Meta device: no weights are read, no device is needed
// unless the number type is left to it. Within the request's memory budget, and what the device has free if it is
// here; memory.shortage says so when that is not enough.
[[nodiscard]] Result<job::Plan> makePlan(const job::GenerationRequest& request);

}  // namespace fw::pipeline
