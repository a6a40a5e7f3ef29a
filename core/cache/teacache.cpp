#include "core/cache/teacache.h"

#include <algorithm>
#include <cmath>

#include "core/cache/mean_change.h"
#include "core/cache/parameters.h"
#include "core/cache/residual_store.h"
#include "core/cache/site_store.h"

namespace fw::cache {

namespace {

class TeaCache final : public StepCache {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> create(const Json& parameters,
                                                                   const CacheSetup& setup) {
        auto cache = std::make_unique<TeaCache>();
        cache->m_watchModulation = parameters.at("signal") == "modulation";
        const auto& polynomial = cache->m_watchModulation ? setup.constants.modulation : setup.constants.embedding;
        if (!polynomial) {
            return missingConstants("TeaCache", setup.constants);
        }
        cache->m_polynomial = *polynomial;
        cache->m_threshold = parameters.at("threshold").get<double>();
        cache->m_first = parameters.at("first_steps").get<int>();
        cache->m_last = setup.shape.steps() - parameters.at("last_steps").get<int>();
        cache->m_steps = setup.shape.steps();
        cache->m_branches.resize(static_cast<std::size_t>(setup.shape.branches));
        FW_ASSIGN(cache->m_residuals, ResidualStore::create(storeType(parameters), setup.shape, setup.ops,
                                                            [&](DType dtype, const Shape& shape) {
                                                                return cache->keep(setup.device, dtype, shape);
                                                            }));
        return cache;
    }

    [[nodiscard]] Result<bool> replaceBlocks(method::RunContext& context, const BlockInput& input) override {
        FW_ASSIGN(const bool reuse, decide(context, input));
        if (reuse) {
            const method::ModuleScope timed(context, trace::Module::Blocks, trace::Source::Reused);
            m_residuals.add(context, input.x);
        } else {
            m_residuals.open(context, input.x);
        }
        return reuse;
    }
    [[nodiscard]] Status blocksDone(method::RunContext& context, const TensorView& x) override {
        m_residuals.close(context, x);
        return {};
    }

    // A forced step starts the sum anew and refreshes what is kept.
    [[nodiscard]] bool cleanBefore(int step) const override { return step >= m_steps || forced(step); }
    [[nodiscard]] SavedState state() override {
        SavedState state;
        m_residuals.save(state);
        Json branches = Json::array();
        for (const Branch& branch : m_branches) {
            branches.push_back({{"sum", branch.sum}, {"signal", branch.signal}});
        }
        state.numbers["branches"] = std::move(branches);
        return state;
    }
    [[nodiscard]] Status restore(const Json& numbers) override {
        const Json branches = numbers.is_object() ? numbers.value("branches", Json()) : Json();
        if (!branches.is_array() || branches.size() != m_branches.size()) {
            return StepCache::restore(numbers.is_object() ? numbers : Json());
        }
        for (std::size_t i = 0; i < m_branches.size(); ++i) {
            const Json sum = branches[i].is_object() ? branches[i].value("sum", Json()) : Json();
            const Json signal = branches[i].is_object() ? branches[i].value("signal", Json()) : Json();
            const bool numeric = signal.is_array() && std::all_of(signal.begin(), signal.end(),
                                                                  [](const Json& v) { return v.is_number(); });
            if (!sum.is_number() || !numeric) {
                return StepCache::restore(numbers);
            }
            m_branches[i] = {sum.get<double>(), signal.get<std::vector<float>>()};
        }
        m_residuals.restore();
        return {};
    }

 private:
    struct Branch {
        double sum = 0.0;           // of predicted changes since the blocks last ran
        std::vector<float> signal;  // of the last step
    };

    [[nodiscard]] bool forced(int step) const { return step < m_first || step >= m_last; }

    [[nodiscard]] Result<bool> decide(method::RunContext& context, const BlockInput& input) {
        if (context.ops.deviceKind() == DeviceKind::Meta) {
            return false;  // a forecast has no values to decide by
        }
        const ConstTensorView& watched = m_watchModulation ? input.modulation : input.timeEmbedding;
        std::vector<float> signal(static_cast<std::size_t>(watched.count()));
        context.ops.download(watched, TensorView(signal.data(), DType::F32, watched.shape()));
        FW_TRY(context.ops.synchronize());
        Branch& branch = m_branches[static_cast<std::size_t>(context.branch)];
        bool reuse = false;
        if (forced(context.step) || branch.signal.size() != signal.size() || !m_residuals.has(context.branch)) {
            branch.sum = 0.0;
        } else {
            branch.sum += evaluate(m_polynomial, relativeChange(signal, branch.signal));
            reuse = logged(context, branch.sum, m_threshold, branch.sum < m_threshold);
            branch.sum = reuse ? branch.sum : 0.0;
        }
        branch.signal = std::move(signal);
        return reuse;
    }

    Polynomial m_polynomial{};
    bool m_watchModulation = false;
    double m_threshold = 0.0;
    int m_first = 0, m_last = 0, m_steps = 0;
    std::vector<Branch> m_branches;
    ResidualStore m_residuals;
};

}  // namespace

CacheEntry teaCache() {
    CacheEntry entry;
    entry.description = {
        .id = "teacache",
        .name = "TeaCache",
        .summary = "Leaves out all blocks while the timestep's embedding has changed little since they last ran.",
        .paper = "arXiv:2411.19108",
        .parameters = {
            number("threshold", 0.0, 10.0, 0.05,
                   "Predicted change at which the blocks run again; larger is faster and less exact."),
            choice(
                "signal", {"embedding", "modulation"}, "embedding",
                "What is watched; modulation is published with first_steps=5, last_steps=0 and larger thresholds."),
            wholeNumber("first_steps", "steps", 1, 1000, 1, "Steps at the beginning that are always computed."),
            wholeNumber("last_steps", "steps", 0, 1000, 1, "Steps at the end that are always computed."),
        }};
    append(entry.description.parameters, residualParameters());
    entry.create = TeaCache::create;
    return entry;
}

}  // namespace fw::cache
