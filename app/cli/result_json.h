// Jobs and clips as JSON.
#pragma once

#include <string>

#include "app/engine/clip_job.h"
#include "core/base/json.h"

namespace fw::cli {

// {"file", "request", "plan", "model_hash", "device", "dtype", "seconds": {…}, "step_seconds",
// "peak_resident_bytes", "notes", "version"}
[[nodiscard]] OrderedJson toJson(const app::ClipJobResult& result);

// The text a clip carries, which may come from anywhere: JSON as JSON, the rest as text, and so is what no reader
// of ours would take apart (too large, nested without end).
[[nodiscard]] OrderedJson metadataJson(const std::string& metadata);

}  // namespace fw::cli
