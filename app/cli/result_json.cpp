#include "app/cli/result_json.h"

#include "core/job/clip_metadata.h"

namespace fw::cli {

OrderedJson toJson(const app::ClipJobResult& result) {
    const pipeline::GenerationReport& report = result.report;
    return {
        {"file", result.file.string()},
        {"request", job::toJson(report.request)},
        {"plan", job::toJson(report.plan)},
        {"model_hash", report.modelHash},
        {"device", report.device},
        {"dtype", report.dtype},
        {"seconds",
         {{"load", report.loadSeconds},
          {"text", report.textSeconds},
          {"denoise", report.denoiseSeconds},
          {"decode", report.decodeSeconds},
          {"encode", result.encodeSeconds},
          {"total", result.totalSeconds}}},
        {"step_seconds", report.stepSeconds},
        {"peak_resident_bytes", result.peakResidentBytes},
        {"notes", report.notes},
        {"version", app::programVersion()},
    };
}

OrderedJson metadataJson(const std::string& metadata) {
    return job::parseUntrustedJson(metadata) ? OrderedJson::parse(metadata) : OrderedJson(metadata);
}

}  // namespace fw::cli
