// TaylorSeer: every module is computed at every n-th step; between, its output is continued as a polynomial through
// the last computed ones. Liu et al. 2025, https://arxiv.org/abs/2503.06923; rule as in diffusers.
#pragma once

#include "core/cache/step_cache.h"

namespace fw::cache {

// The interval unless one is asked for. Published: 5 with 50 steps, as here. With the embedded model's 20 a
// polynomial over 5 steps costs 16 points of the scorer's marks and one over 2 costs half a point (docs/caches.md).
[[nodiscard]] int taylorInterval(int steps);

// Computed: the first `first` steps and from then on every `interval`-th.
[[nodiscard]] DecisionRow taylorDecisions(int first, int interval, int steps);

[[nodiscard]] CacheEntry taylorSeer();

}  // namespace fw::cache
