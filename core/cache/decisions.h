// What a cache will do at every step, known before the first one: the table of rules that depend on nothing but the
// step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/job/plan.h"

namespace fw::cache {

// Modules of a block whose output may be kept. SelfAttention is attention over the whole clip, or within a frame in
// models that attend to space and time apart; TemporalAttention is the other half of those.
enum class SiteKind : std::uint8_t { SelfAttention, TemporalAttention, CrossAttention, FeedForward };
inline constexpr int kSiteKinds = 4;

// "self", "temporal", "cross", "mlp": in tables, files and parameters.
[[nodiscard]] std::string_view siteKindName(SiteKind kind);

enum class Decision : std::uint8_t {
    Compute,
    Reuse,    // an earlier output, as it was
    Predict,  // extrapolated from earlier outputs
};

// One decision for each step.
using DecisionRow = std::vector<Decision>;

[[nodiscard]] int countOf(const DecisionRow& row, Decision decision);
// Steps of the row that are not computed.
[[nodiscard]] std::vector<int> skippedSteps(const DecisionRow& row);
// The last step before `step` that is computed by the row: nothing older may be reused at `step`. -1 without one.
[[nodiscard]] int lastComputed(const DecisionRow& row, int step);
// Whether what was kept at step `kept` (-1: nothing) may serve at `step`. It is older than the row allows where the
// run began behind it or a step was computed without the cache.
[[nodiscard]] bool mayServe(const DecisionRow& row, int step, int kept);
// For the plan: 'c', 'r' or 'p' for each step.
[[nodiscard]] job::CacheRow describeRow(std::string what, const DecisionRow& row);

// Work of one kind of module: `sites` of them in the model, `flops` each in one step, all guidance branches
// together.
struct SiteCost {
    std::int64_t sites = 0;
    double flops = 0.0;
};
// FLOPs not spent: every step of the row that is not computed saves the kind's work.
[[nodiscard]] double savedFlops(const DecisionRow& row, const SiteCost& cost);

// Steps [first, last) of `steps`: the part of a run from the fraction `from` to the fraction `to`,
// ceil(from · steps) and floor(to · steps).
struct StepWindow {
    int first = 0, last = 0;
    [[nodiscard]] bool holds(int step) const { return step >= first && step < last; }
};
[[nodiscard]] StepWindow stepWindow(double from, double to, int steps);

}  // namespace fw::cache
