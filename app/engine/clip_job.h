// One request to one finished file: the pipeline joined to the clip writer. Used by `fw` and by the first window.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/pipeline/generator.h"

namespace fw::app {

struct ClipJobOptions {
    std::filesystem::path output;  // empty: "<date>-<prompt words>-<seed>.mp4" in the current folder
    std::filesystem::path noiseFile, latentsFile, traceFile, previewFolder;  // each optional
    pipeline::PreviewKind preview = pipeline::PreviewKind::Off;
    int previewEvery = 1;
};

struct ClipJobResult {
    std::filesystem::path file;
    pipeline::GenerationReport report;
    double encodeSeconds = 0, totalSeconds = 0;
    std::int64_t peakResidentBytes = 0;
};

// Keeps the last model loaded, so that the next clip of the same model starts at once. Used by one thread.
class ClipJobRunner {
 public:
    [[nodiscard]] Result<ClipJobResult> run(const job::GenerationRequest& request, const ClipJobOptions& options,
                                            const pipeline::GeneratorEvents& events, const CancelToken& cancel);

 private:
    std::unique_ptr<pipeline::Generator> m_generator;
    std::string m_key;  // model, device, dtype and threads of m_generator
};

// The embedded model's folder: $FRAMEWRIGHT_RESOURCES, beside the program, or the source tree. BadModel when missing.
[[nodiscard]] Result<std::filesystem::path> embeddedModelFolder();

}  // namespace fw::app
