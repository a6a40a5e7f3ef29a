// MagCache: all blocks are left out as long as the known decay of what they add says that the error stays small.
// Ma et al. 2025, https://arxiv.org/abs/2506.09045; rule of https://github.com/Zehong-Ma/MagCache.
#pragma once

#include "core/cache/step_cache.h"

namespace fw::cache {

struct MagRule {
    double threshold = 0.12;  // of the summed error
    int longestRun = 2;       // steps left out in a row
    double retention = 0.2;   // part of the run at its beginning that is always computed
};
// `magnitudes` has one value for each step.
[[nodiscard]] DecisionRow magDecisions(const MagRule& rule, const std::vector<double>& magnitudes);

// Needs Constants::magnitudes of the model.
[[nodiscard]] CacheEntry magCache();

}  // namespace fw::cache
