#include "core/cache/fastercache.h"

#include <algorithm>
#include <array>

#include "core/cache/guidance.h"
#include "core/cache/parameters.h"
#include "core/cache/site_store.h"

namespace fw::cache {

namespace {

class FasterCache final : public StepCache {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> create(const Json& parameters,
                                                                   const CacheSetup& setup) {
        auto cache = std::make_unique<FasterCache>();
        const RunShape& shape = setup.shape;
        const auto keep = [&](DType dtype, const Shape& wanted) {
            return cache->keep(setup.device, dtype, wanted);
        };
        cache->m_first = stepWindow(parameters.at("from").get<double>(), 1.0, shape.steps()).first;
        cache->m_row = alternatingDecisions(cache->m_first, shape.steps());
        SiteBudget budget{storeType(parameters), 2, storeLimit(parameters), {SiteKind::SelfAttention}, {}};
        budget.layers[static_cast<std::size_t>(SiteKind::SelfAttention)] = shape.layers;
        FW_ASSIGN(cache->m_store, SiteStore::create(budget, shape, setup.ops, keep));
        if (shape.branches > 1) {
            FW_ASSIGN(cache->m_guidance, GuidancePredictor::create(guidanceRule(parameters), setup, keep));
        }
        return cache;
    }

    [[nodiscard]] Result<bool> replacePass(method::RunContext& context, const ConstTensorView&,
                                           const TensorView& velocity) override {
        return m_guidance && m_guidance->replacePass(context, velocity);
    }
    [[nodiscard]] Status passDone(method::RunContext& context, const ConstTensorView&,
                                  const TensorView& velocity) override {
        if (m_guidance) {
            m_guidance->passDone(context, velocity);
        }
        return {};
    }

    // F + (F - F before) · w, w from 0 to 1 over the window. An output that is not of the step before is too old:
    // so are those of a branch whose passes were predicted.
    [[nodiscard]] Replacement replaceSite(method::RunContext& context, const Site& site) override {
        const SiteSlot* slot = predicts(context.step) ? m_store.find(site, context.branch) : nullptr;
        if (slot == nullptr || slot->steps[0] != context.step - 1) {
            return {};
        }
        if (slot->steps[1] != context.step - 3) {
            return {slot->outputs[0].load(context)};
        }
        const int end = static_cast<int>(m_row.size()) - 1;
        const double weight = static_cast<double>(context.step - m_first) / std::max(1, end - m_first);
        const Shape& shape = slot->outputs[0].shape();
        const TensorView last = context.arena.take(DType::F32, shape);
        const TensorView earlier = context.arena.take(DType::F32, shape);
        context.ops.copy(slot->outputs[0].load(context), last);
        context.ops.copy(slot->outputs[1].load(context), earlier);
        const std::array<backend::Ops::Term, 2> sum{{{1.0 + weight, last}, {-weight, earlier}}};
        context.ops.linearCombination(sum, last);
        return {last, trace::Source::Predicted};
    }
    [[nodiscard]] Status siteDone(method::RunContext& context, const Site& site,
                                  const ConstTensorView& output) override {
        const bool needed = predicts(context.step + 1) || predicts(context.step + 3);
        if (needed && m_store.find(site, context.branch) != nullptr) {
            m_store.push(context, site, output);
        }
        return {};
    }

    [[nodiscard]] std::vector<job::CacheRow> table() const override {
        std::vector<job::CacheRow> rows{describeRow("self", m_row)};
        if (m_guidance) {
            rows.push_back(describeRow("negative", m_guidance->row()));
        }
        return rows;
    }
    [[nodiscard]] std::string note() const override { return m_store.note(); }

    [[nodiscard]] bool cleanBefore(int step) const override {
        const bool attention = predicts(step) || predicts(step + 1) || predicts(step + 2);
        return !attention && !(m_guidance && m_guidance->predicts(step));
    }
    [[nodiscard]] SavedState state() override {
        SavedState state;
        m_store.save(state);
        if (m_guidance) {
            m_guidance->save(state);
        }
        return state;
    }
    [[nodiscard]] Status restore(const Json& numbers) override {
        FW_TRY(m_store.restore(numbers));
        return m_guidance ? m_guidance->restore(numbers) : Status();
    }

 private:
    [[nodiscard]] bool predicts(int step) const {
        const auto at = static_cast<std::size_t>(step);
        return step >= 0 && at < m_row.size() && m_row[at] == Decision::Predict;
    }

    int m_first = 0;
    DecisionRow m_row;  // of self-attention, where its branch's passes are computed
    SiteStore m_store;
    std::optional<GuidancePredictor> m_guidance;  // none without guidance
};

}  // namespace

DecisionRow alternatingDecisions(int first, int steps) {
    DecisionRow row(static_cast<std::size_t>(steps), Decision::Compute);
    for (int step = first; step < steps; ++step) {
        if (step % 2 == 1) {
            row[static_cast<std::size_t>(step)] = Decision::Predict;
        }
    }
    return row;
}

CacheEntry fasterCache() {
    CacheEntry entry;
    entry.description = {
        .id = "fastercache",
        .name = "FasterCache",
        .summary =
            "Extrapolates every second self-attention and predicts most passes of the negative prompt in the "
            "later part of the run.",
        .paper = "arXiv:2410.19355",
        .parameters = {fraction("from", 0.3, "Part of the run after which self-attention is extrapolated.")}};
    append(entry.description.parameters, guidanceParameters());
    append(entry.description.parameters, storeParameters());
    entry.create = FasterCache::create;
    return entry;
}

}  // namespace fw::cache
