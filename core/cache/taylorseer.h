// TaylorSeer: every module is computed at every n-th step; between, its output is continued as a polynomial through
// the last computed ones. Liu et al. 2025, https://arxiv.org/abs/2503.06923; rule as in diffusers.
#pragma once

#include "core/cache/step_cache.h"

namespace fw::cache {

// Computed: the first `first` steps and from then on every `interval`-th.
[[nodiscard]] DecisionRow taylorDecisions(int first, int interval, int steps);

[[nodiscard]] CacheEntry taylorSeer();

}  // namespace fw::cache
