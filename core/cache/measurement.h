// Watches a run without a cache and measures what caches are made of: how much every module's output changes from
// step to step (the curve Pyramid Attention Broadcast is founded on), how the blocks' result grows or shrinks
// (MagCache), and how it follows the timestep's signals (TeaCache).
#pragma once

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "core/cache/step_cache.h"

namespace fw::cache {

// Change of one module's output against the step before: mean (y - y before)², and the same over mean (y before)².
// The latter is the error of reusing the output for one step.
struct SiteChange {
    double absolute = 0.0, relative = 0.0;
};

class Measurement final : public StepCache {
 public:
    // For runs of this many steps; `device` outlives the object. Keeps one f32 output for each module and branch.
    Measurement(backend::Device& device, int steps) : m_device(device), m_steps(steps) {}

    // Forget the last run's outputs, keep its numbers: before every run but the first.
    void nextRun();

    [[nodiscard]] Result<bool> replaceBlocks(method::RunContext& context, const BlockInput& input) override;
    [[nodiscard]] Status blocksDone(method::RunContext& context, const TensorView& x) override;
    [[nodiscard]] Status siteDone(method::RunContext& context, const Site& site,
                                  const ConstTensorView& output) override;
    [[nodiscard]] bool cleanBefore(int) const override { return true; }

    // Over all runs. At least one of two steps or more must have been made.
    [[nodiscard]] Constants constants() const;
    // [step][layer] of a kind and branch, means over all runs; step 0 has nothing to compare with and is 0. Empty
    // when the model has no such modules or the branch was not run.
    [[nodiscard]] std::vector<std::vector<SiteChange>> changes(SiteKind kind, int branch) const;

 private:
    // Of one branch, at the step before.
    struct Branch {
        std::vector<float> embedding, modulation;  // signals
        std::vector<float> residual;               // what the blocks added
        std::vector<double> ratios;                // sums over runs, by step
        std::vector<int> runs;
    };
    struct SiteData {
        TensorView last;  // f32; none before the first step
        bool filled = false;
        std::vector<SiteChange> sums;  // over runs, by step
        std::vector<int> runs;
    };

    backend::Device& m_device;
    int m_steps;
    std::array<Branch, 2> m_branches;
    std::map<std::array<int, 3>, SiteData> m_sites;  // by kind, layer, branch
    TensorView m_means;
    std::vector<float> m_input, m_embedding, m_modulation;  // of the pass under way
    std::vector<std::pair<double, double>> m_embeddingPoints, m_modulationPoints;
};

}  // namespace fw::cache
