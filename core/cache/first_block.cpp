#include "core/cache/first_block.h"

#include <array>

#include "core/cache/mean_change.h"
#include "core/cache/parameters.h"
#include "core/cache/residual_store.h"
#include "core/cache/site_store.h"

namespace fw::cache {

namespace {

class FirstBlockCache final : public StepCache {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> create(const Json& parameters,
                                                                   const CacheSetup& setup) {
        auto cache = std::make_unique<FirstBlockCache>();
        const RunShape& shape = setup.shape;
        const auto keep = [&](DType dtype, const Shape& wanted) {
            return cache->keep(setup.device, dtype, wanted);
        };
        cache->m_threshold = parameters.at("threshold").get<double>();
        cache->m_first = std::max(1, stepWindow(parameters.at("warm_up").get<double>(), 1.0, shape.steps()).first);
        cache->m_steps = shape.steps();
        const DType dtype = storeType(parameters);
        FW_ASSIGN(cache->m_residuals, ResidualStore::create(dtype, shape, setup.ops, keep));
        for (int branch = 0; branch < shape.branches; ++branch) {
            FW_ASSIGN(KeptTensor added, KeptTensor::create(dtype, {1, shape.tokens, shape.width}, setup.ops, keep));
            cache->m_added.push_back(std::move(added));
        }
        FW_ASSIGN(const TensorView means, keep(DType::F32, {4}));
        cache->m_change = MeanChange(means);
        return cache;
    }

    [[nodiscard]] Result<bool> replaceBlocks(method::RunContext& context, const BlockInput& input) override {
        m_residuals.open(context, input.x);
        return false;
    }

    [[nodiscard]] Result<bool> replaceRest(method::RunContext& context, int layer, const TensorView& x) override {
        if (layer != 0) {
            return false;
        }
        const TensorView& added = m_residuals.scratch();  // x before the block: becomes what the block added
        const std::array<backend::Ops::Term, 2> difference{{{1.0, x}, {-1.0, added}}};
        context.ops.linearCombination(difference, added);
        FW_ASSIGN(const bool reuse, decide(context, added));
        if (reuse) {
            const method::ModuleScope timed(context, trace::Module::Blocks, trace::Source::Reused);
            m_residuals.add(context, x);
            return true;
        }
        m_added[static_cast<std::size_t>(context.branch)].store(context, added);
        m_residuals.open(context, x);  // from here on: what the other blocks add
        return false;
    }
    [[nodiscard]] Status blocksDone(method::RunContext& context, const TensorView& x) override {
        m_residuals.close(context, x);
        return {};
    }

    [[nodiscard]] bool cleanBefore(int step) const override { return step >= m_steps || forced(step); }
    [[nodiscard]] SavedState state() override {
        SavedState state;
        m_residuals.save(state);
        for (std::size_t branch = 0; branch < m_added.size(); ++branch) {
            m_added[branch].save(fmt::format("added.{}", branch), state);
        }
        return state;
    }
    [[nodiscard]] Status restore(const Json& numbers) override {
        FW_TRY(StepCache::restore(numbers));
        m_residuals.restore();
        return {};
    }

 private:
    [[nodiscard]] bool forced(int step) const { return step < m_first || step >= m_steps - 1; }

    [[nodiscard]] Result<bool> decide(method::RunContext& context, const TensorView& added) {
        const bool meta = context.ops.deviceKind() == DeviceKind::Meta;
        if (meta || forced(context.step) || !m_residuals.has(context.branch)) {
            return false;
        }
        const backend::ArenaScope scope(context.arena);
        FW_ASSIGN(
            const MeanChange::Values change,
            m_change.measure(context, added, m_added[static_cast<std::size_t>(context.branch)].load(context)));
        const double relative = change.reference > 0.0 ? change.difference / change.reference : m_threshold;
        return logged(context, relative, m_threshold, relative < m_threshold);
    }

    double m_threshold = 0.0;
    int m_first = 0, m_steps = 0;
    ResidualStore m_residuals;        // of the blocks after the first
    std::vector<KeptTensor> m_added;  // by the first block at the last computed step, by branch
    MeanChange m_change;
};

}  // namespace

CacheEntry firstBlockCache() {
    CacheEntry entry;
    entry.description = {
        .id = "first_block",
        .name = "First-Block-Cache",
        .summary =
            "Runs the first block at every step and the others only when its result has changed; needs no "
            "constants.",
        .paper = "",
        .parameters = {
            number("threshold", 0.0, 10.0, 0.05,
                   "Relative change of the first block's result at which the others run again."),
            fraction("warm_up", 0.15, "Part of the run at its beginning that is always computed."),
        }};
    append(entry.description.parameters, residualParameters());
    entry.create = FirstBlockCache::create;
    return entry;
}

}  // namespace fw::cache
