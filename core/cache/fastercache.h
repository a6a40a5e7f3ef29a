// FasterCache: in the later part of a run every second self-attention is extrapolated from its last two outputs,
// and most passes of the negative prompt are predicted (guidance.h). Lv et al. 2024,
// https://arxiv.org/abs/2410.19355.
#pragma once

#include "core/cache/step_cache.h"

namespace fw::cache {

// Odd steps from `first` on.
[[nodiscard]] DecisionRow alternatingDecisions(int first, int steps);

[[nodiscard]] CacheEntry fasterCache();

}  // namespace fw::cache
