#include "core/cache/magcache.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/cache/parameters.h"
#include "core/cache/residual_store.h"
#include "core/cache/site_store.h"

namespace fw::cache {

namespace {

class MagCache final : public StepCache {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> create(const Json& parameters,
                                                                   const CacheSetup& setup) {
        const auto& magnitudes = setup.constants.magnitudes;
        if (magnitudes.empty()) {
            return missingConstants("MagCache", setup.constants);
        }
        auto cache = std::make_unique<MagCache>();
        const MagRule rule{parameters.at("threshold").get<double>(), parameters.at("longest_run").get<int>(),
                           parameters.at("retention").get<double>()};
        for (int branch = 0; branch < setup.shape.branches; ++branch) {
            const auto which = std::min(static_cast<std::size_t>(branch), magnitudes.size() - 1);
            cache->m_rows.push_back(magDecisions(rule, resampled(magnitudes[which], setup.shape.steps())));
        }
        FW_ASSIGN(cache->m_residuals, ResidualStore::create(storeType(parameters), setup.shape, setup.ops,
                                                            [&](DType dtype, const Shape& shape) {
                                                                return cache->keep(setup.device, dtype, shape);
                                                            }));
        return cache;
    }

    [[nodiscard]] Result<bool> replaceBlocks(method::RunContext& context, const BlockInput& input) override {
        const auto branch = static_cast<std::size_t>(context.branch);
        if (reuses(context.branch, context.step) && m_residuals.has(context.branch) &&
            mayServe(m_rows[branch], context.step, m_computed[branch])) {
            const method::ModuleScope timed(context, trace::Module::Blocks, trace::Source::Reused);
            m_residuals.add(context, input.x);
            return true;
        }
        m_residuals.open(context, input.x);
        return false;
    }
    [[nodiscard]] Status blocksDone(method::RunContext& context, const TensorView& x) override {
        m_residuals.close(context, x);
        m_computed[static_cast<std::size_t>(context.branch)] = context.step;
        return {};
    }

    [[nodiscard]] std::vector<job::CacheRow> table() const override {
        std::vector<job::CacheRow> rows{describeRow("blocks", m_rows.front())};
        if (m_rows.size() > 1) {
            rows.push_back(describeRow("negative", m_rows[1]));
        }
        return rows;
    }
    [[nodiscard]] bool cleanBefore(int step) const override { return !reuses(0, step) && !reuses(1, step); }
    [[nodiscard]] SavedState state() override {
        SavedState state;
        m_residuals.save(state);
        state.numbers["steps"] = m_computed;
        return state;
    }
    [[nodiscard]] Status restore(const Json& numbers) override {
        const Json steps = numbers.is_object() ? numbers.value("steps", Json()) : Json();
        const bool fit =
            steps.is_array() && steps.size() == m_computed.size() &&
            std::all_of(steps.begin(), steps.end(), [](const Json& v) { return v.is_number_integer(); });
        if (!fit) {
            return StepCache::restore(numbers.is_object() ? numbers : Json());
        }
        m_computed = steps.get<std::array<int, 2>>();
        m_residuals.restore();
        return {};
    }

 private:
    [[nodiscard]] bool reuses(int branch, int step) const {
        const auto which = static_cast<std::size_t>(branch);
        const auto at = static_cast<std::size_t>(step);
        return which < m_rows.size() && at < m_rows[which].size() && m_rows[which][at] == Decision::Reuse;
    }

    std::vector<DecisionRow> m_rows;        // by branch
    std::array<int, 2> m_computed{-1, -1};  // by branch: the step of its residual
    ResidualStore m_residuals;
};

}  // namespace

DecisionRow magDecisions(const MagRule& rule, const std::vector<double>& magnitudes) {
    DecisionRow row(magnitudes.size(), Decision::Compute);
    const auto first =
        std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(magnitudes.size()) * rule.retention));
    double ratio = 1.0;
    double error = 0.0;
    int run = 0;
    for (std::size_t step = first; step < row.size(); ++step) {
        ratio *= magnitudes[step];
        error += std::fabs(1.0 - ratio);
        ++run;
        if (error < rule.threshold && run <= rule.longestRun) {
            row[step] = Decision::Reuse;
            continue;
        }
        ratio = 1.0;
        error = 0.0;
        run = 0;
    }
    return row;
}

CacheEntry magCache() {
    CacheEntry entry;
    entry.description = {
        .id = "magcache",
        .name = "MagCache",
        .summary =
            "Leaves out all blocks as long as the model's measured decay says that the error stays small: known "
            "beforehand.",
        .paper = "arXiv:2506.09045",
        .parameters = {
            number("threshold", 0.0, 10.0, 0.12, "Summed error at which the blocks run again."),
            wholeNumber("longest_run", "steps", 1, 100, 2, "Most steps left out in a row; 4 is fast."),
            fraction("retention", 0.2, "Part of the run at its beginning that is always computed."),
        }};
    append(entry.description.parameters, residualParameters());
    entry.create = MagCache::create;
    return entry;
}

}  // namespace fw::cache
