// What a model folder prefers: framewright.json over the architecture's own defaults. Part of the catalog.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/model/video_model.h"
#include "core/weights/model_config.h"

namespace fw::model {

// Wan2.1's settings (832x480, 81 frames at 16 per second, 50 steps, guidance 5), fitted to the multiples the
// configurations allow, and the scheduler's shift.
[[nodiscard]] job::ModelDefaults architectureDefaults(const weights::WanTransformerConfig& transformer,
                                                      const weights::WanVaeConfig& vae,
                                                      const weights::SchedulerConfig& scheduler);

// Reads <folder>/framewright.json into `info` (name, description, defaults, preview), whose defaults hold the
// architecture's. No file: nothing changes. BadModel names the key that cannot be; `info` is then unchanged.
[[nodiscard]] Status applyModelPreferences(const std::filesystem::path& folder, std::int64_t latentChannels,
                                           ModelInfo& info);

}  // namespace fw::model
