// One request to one finished file: the pipeline joined to the clip writer. Used by `fw` and by the first window.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/pipeline/generator.h"

namespace fw::app {

struct ClipJobOptions {
    // Empty: "<date>-<prompt words>-<seed>.mp4" in the current folder, numbered when the name is taken. A name
    // given here is replaced when it exists. Formats: media::ClipWriter.
    std::filesystem::path output;
    std::filesystem::path
        noiseFile;  // safetensors with f32 [C, T, h, w] (or a leading 1): tensor "noise" or the only one
    std::filesystem::path latentsFile;    // written: tensor "latents" f32 [C, T, h, w], the finished latents
    std::filesystem::path traceFile;      // written: trace_file.h
    std::filesystem::path previewFolder;  // written: step-001.gif, step-002.gif … in a folder made if missing
    pipeline::PreviewKind preview = pipeline::PreviewKind::Off;  // a previewFolder turns Off into Projection
    int previewEvery = 1;
    double previewShare = 0.0;                 // as in pipeline::GeneratorOptions
    std::function<bool()> exactPreviewWanted;  // likewise

    std::filesystem::path thumbnailFile;   // written: the first frame as PNG
    std::filesystem::path checkpointFile;  // written after every step: core/pipeline/checkpoint.h
    std::function<void(int step)> checkpointSaved;
    // A checkpoint to go on from. A request without a seed takes the checkpoint's.
    std::filesystem::path resumeFrom;
    std::filesystem::path branchFrom;    // as in pipeline::GeneratorOptions
    std::filesystem::path stepFolder;    // likewise; made if missing
    std::filesystem::path promptFolder;  // likewise
    // Where latents are kept for runs that are changed by hand later (step_store.h), and found by these; empty:
    // nowhere. Not with a stepFolder, a noiseFile or a branchFrom.
    std::filesystem::path stepStore;
    // Asked after every step when given: true writes the trace as far as it is to traceFile, with "unfinished" in
    // its description, and tells traceSaved. Writing takes at most a part of the time the steps take.
    std::function<bool()> traceWanted;
    std::function<void(int step)> traceSaved;
    std::function<std::optional<Json>()> probesWanted;  // as in pipeline::GeneratorOptions
    // Before a run begins: "cuda:0 (NVIDIA H100 80GB HBM3)", and why it is no better device, mostly nothing.
    std::function<void(const std::string& device, const std::string& note)> computingOn;
    CancelToken finishEarly;  // once cancelled: decode the estimate there is instead of further steps
};

struct ClipJobResult {
    std::filesystem::path file;
    pipeline::GenerationReport report;  // its notes name every file beside the clip that is missing
    bool traceWritten = false;
    double encodeSeconds = 0;  // spent in the encoder, most of it beside the decoder
    double totalSeconds = 0;
    std::int64_t peakResidentBytes = 0;  // of the process so far
};

// Keeps the last model loaded, so that the next clip of the same model starts at once. A model whose folder has
// changed since is loaded anew. Used by one thread.
class ClipJobRunner {
 public:
    // Everything that can be refused is refused before the model is loaded. On any error, cancellation included, no
    // output file is left behind; a finished file that was there before is untouched. Files beside the clip that
    // cannot be written during the run are no error.
    [[nodiscard]] Result<ClipJobResult> run(const job::GenerationRequest& request, const ClipJobOptions& options,
                                            const pipeline::GeneratorEvents& events, const CancelToken& cancel);

 private:
    [[nodiscard]] Result<pipeline::Generator*> generatorFor(
        const std::filesystem::path& folder, const std::string& modelHash, const job::GenerationRequest& request,
        const ClipJobOptions& options, const pipeline::GeneratorEvents& events, const CancelToken& cancel);

    std::unique_ptr<pipeline::Generator> m_generator;
    std::string m_key;                   // what m_generator was made from: the folder, what is in it, device …
    std::string m_device, m_deviceNote;  // as ClipJobOptions::computingOn is told
    std::string m_build;                 // of the program, when the device was opened
    DType m_dtype = DType::F32;          // what is multiplied in
};

// The embedded model's folder: $FRAMEWRIGHT_RESOURCES, beside the program, or the source tree. BadModel when
// missing.
[[nodiscard]] Result<std::filesystem::path> embeddedModelFolder();
// The folder of a request's model: its own, or the embedded one when it names none.
[[nodiscard]] Result<std::filesystem::path> modelFolder(const job::GenerationRequest& request);

// Where encoded prompts are kept for later runs: $FRAMEWRIGHT_PROMPT_CACHE, otherwise framewright/prompts in
// $XDG_CACHE_HOME or ~/.cache. Empty when the variable says "off".
[[nodiscard]] std::filesystem::path promptFolder();

// "0.1.0"
[[nodiscard]] std::string programVersion();
// Tells builds of one version apart, too: size and time of the program's file and of its own libraries that are
// loaded. What two builds compute need not be the same.
[[nodiscard]] std::string programBuild();

}  // namespace fw::app
