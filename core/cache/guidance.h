// Guidance reuse: in the later part of a run the pass of the negative prompt is computed at every n-th step only;
// between, it is predicted from the prompt's own pass and the last difference of the two, whose slow and fast parts
// (in space) are strengthened in turn. The guidance part of FasterCache: Lv et al. 2024,
// https://arxiv.org/abs/2410.19355, https://github.com/Vchitect/FasterCache.
#pragma once

#include <optional>

#include "core/cache/low_pass.h"
#include "core/cache/step_cache.h"

namespace fw::cache {

struct GuidanceRule {
    double from = 0.35;     // part of the run after which passes are predicted
    int interval = 5;       // every so many-th is computed
    double strength = 0.2;  // of the slow part before the middle of the predicted steps, of the fast part after it
};
[[nodiscard]] DecisionRow guidanceDecisions(const GuidanceRule& rule, int steps);

// The predictor, for this cache and for FasterCache.
class GuidancePredictor {
 public:
    using Allocate = LowPass::Allocate;
    [[nodiscard]] static Result<GuidancePredictor> create(const GuidanceRule& rule, const CacheSetup& setup,
                                                          const Allocate& allocate);
    [[nodiscard]] bool predicts(int step) const;
    [[nodiscard]] const DecisionRow& row() const { return m_row; }
    // For the passes of both branches, in their order: as StepCache's functions of these names.
    [[nodiscard]] bool replacePass(method::RunContext& context, const TensorView& velocity);
    void passDone(method::RunContext& context, const TensorView& velocity);
    // The last difference, once there is one, and its step.
    void save(SavedState& state) const;
    // As StepCache::restore().
    [[nodiscard]] Status restore(const Json& numbers);

 private:
    GuidanceRule m_rule;
    DecisionRow m_row;
    std::optional<LowPass> m_lowPass;
    TensorView m_guided;        // velocity of the prompt at this step
    TensorView m_slow, m_fast;  // parts of the last difference
    int m_computed = -1;        // its step; none yet
};

[[nodiscard]] CacheEntry guidanceReuse();

// The parameters of the predictor, and the rule they say.
[[nodiscard]] std::vector<job::ParameterSchema> guidanceParameters();
[[nodiscard]] GuidanceRule guidanceRule(const Json& parameters);

}  // namespace fw::cache
