// Pyramid Attention Broadcast: in the middle of a run, modules are computed at every n-th step only and their last
// output is added again at the steps between. Zhao et al. 2024, https://arxiv.org/abs/2408.12588.
#pragma once

#include <array>
#include <vector>

#include "core/cache/step_cache.h"

namespace fw::cache {

// The rule. A module of a kind with range n is reused at a step inside the window whose number, counted from the
// first step of the run, is no multiple of n.
struct PabRule {
    std::array<int, kSiteKinds> ranges{1, 1, 1, 1};  // by SiteKind; 1: computed at every step
    // The window as the run's fractions (step_window), or as bounds that the whole part of the scheduler's timestep
    // must lie strictly between, as in the published implementation.
    bool byTimestep = false;
    double from = 0.15, to = 0.85;
    double timestepLow = 0.0, timestepHigh = 1000.0;
    // Of feed-forward layers the published rule lists the steps after which the output is reused,
    // `feedForwardReuse` times; a list takes the place of range and window.
    std::vector<int> feedForwardSteps;
    int feedForwardReuse = 2;
};

[[nodiscard]] DecisionRow pabDecisions(const PabRule& rule, SiteKind kind, const std::vector<double>& timesteps);
// The published implementation names the listed steps by their timesteps; keys no step has are left out.
[[nodiscard]] std::vector<int> stepsOfTimesteps(const std::vector<int>& keys, const std::vector<double>& timesteps);

[[nodiscard]] CacheEntry pyramidAttentionBroadcast();

}  // namespace fw::cache
