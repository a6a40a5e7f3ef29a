// A finished job as JSON.
#pragma once

#include "app/engine/clip_job.h"
#include "core/base/json.h"

namespace fw::cli {

// {"file", "request", "plan", "model_hash", "device", "dtype", "seconds": {…}, "step_seconds",
// "peak_resident_bytes"}
[[nodiscard]] OrderedJson toJson(const app::ClipJobResult& result);

}  // namespace fw::cli
