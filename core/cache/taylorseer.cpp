#include "core/cache/taylorseer.h"

#include <algorithm>

#include "core/cache/parameters.h"
#include "core/cache/site_store.h"

namespace fw::cache {

namespace {

// A slot holds finite differences instead of outputs: outputs[i] is the i-th, outputs[0] the last computed output;
// steps[0] is when that was, steps[i] >= 0 says that outputs[i] means something.
class TaylorSeer final : public StepCache {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> create(const Json& parameters,
                                                                   const CacheSetup& setup) {
        auto cache = std::make_unique<TaylorSeer>();
        const RunShape& shape = setup.shape;
        cache->m_order = parameters.at("order").get<int>();
        const int interval = parameters.at("interval").get<int>();
        cache->m_row = taylorDecisions(parameters.at("first_steps").get<int>(),
                                       interval > 0 ? interval : taylorInterval(shape.steps()), shape.steps());
        SiteBudget budget{storeType(parameters), cache->m_order + 1, storeLimit(parameters), shape.kinds, {}};
        budget.layers.fill(shape.layers);
        FW_ASSIGN(cache->m_store,
                  SiteStore::create(budget, shape, setup.ops, [&](DType dtype, const Shape& wanted) {
                      return cache->keep(setup.device, dtype, wanted);
                  }));
        return cache;
    }

    [[nodiscard]] Replacement replaceSite(method::RunContext& context, const Site& site) override {
        const SiteSlot* slot = predicts(context.step) ? m_store.find(site, context.branch) : nullptr;
        if (slot == nullptr || !mayServe(m_row, context.step, slot->steps[0])) {
            return {};
        }
        const auto elapsed = static_cast<double>(context.step - slot->steps[0]);
        std::vector<backend::Ops::Term> terms;
        double factor = 1.0;
        for (std::size_t i = 0; i < slot->outputs.size() && slot->steps[i] >= 0; ++i) {
            terms.push_back({factor, wide(context, slot->outputs[i].load(context))});
            factor *= elapsed / static_cast<double>(i + 1);
        }
        const TensorView sum = context.arena.take(DType::F32, slot->outputs[0].shape());
        context.ops.linearCombination(terms, sum);
        return {sum, trace::Source::Predicted};
    }

    [[nodiscard]] Status siteDone(method::RunContext& context, const Site& site,
                                  const ConstTensorView& output) override {
        SiteSlot* slot = m_store.find(site, context.branch);
        if (slot == nullptr) {
            return {};
        }
        const int before = slot->steps[0];
        ConstTensorView difference = output;  // of order i; differences are taken in f32
        for (std::size_t i = 0; i < slot->outputs.size(); ++i) {
            const bool known = slot->steps[i] >= 0;
            const bool more = known && i + 1 < slot->outputs.size();
            const TensorView old = more ? TensorView(context.arena.take(DType::F32, output.shape())) : TensorView();
            if (more) {
                context.ops.copy(slot->outputs[i].load(context), old);
                difference = wide(context, difference);
            }
            slot->outputs[i].store(context, difference);
            slot->steps[i] = context.step;
            if (!more) {
                break;
            }
            const double rate = 1.0 / static_cast<double>(context.step - before);
            const backend::Ops::Term terms[] = {{rate, difference}, {-rate, old}};
            context.ops.linearCombination(terms, old);
            difference = old;
        }
        return {};
    }

    [[nodiscard]] std::vector<job::CacheRow> table() const override { return {describeRow("modules", m_row)}; }
    [[nodiscard]] std::string note() const override { return m_store.note(); }

    // As many computed steps follow one another as the polynomial needs, before the first prediction.
    [[nodiscard]] bool cleanBefore(int step) const override {
        const auto end = static_cast<int>(m_row.size());
        int next = step;
        while (next < end && !predicts(next)) {
            ++next;
        }
        return next == end || next - step > m_order;
    }
    [[nodiscard]] SavedState state() override {
        SavedState state;
        m_store.save(state);
        return state;
    }
    [[nodiscard]] Status restore(const Json& numbers) override { return m_store.restore(numbers); }

 private:
    [[nodiscard]] bool predicts(int step) const {
        const auto at = static_cast<std::size_t>(step);
        return step >= 0 && at < m_row.size() && m_row[at] == Decision::Predict;
    }
    [[nodiscard]] static ConstTensorView wide(method::RunContext& context, const ConstTensorView& narrow) {
        if (narrow.dtype() == DType::F32) {
            return narrow;
        }
        const TensorView copy = context.arena.take(DType::F32, narrow.shape());
        context.ops.copy(narrow, copy);
        return copy;
    }

    int m_order = 1;
    DecisionRow m_row;
    SiteStore m_store;
};

}  // namespace

int taylorInterval(int steps) {
    return std::max(2, steps / 10);
}

DecisionRow taylorDecisions(int first, int interval, int steps) {
    DecisionRow row(static_cast<std::size_t>(steps), Decision::Compute);
    for (int step = first; step < steps; ++step) {
        if ((step - first + 1) % interval != 0) {
            row[static_cast<std::size_t>(step)] = Decision::Predict;
        }
    }
    return row;
}

CacheEntry taylorSeer() {
    CacheEntry entry;
    entry.description = {
        .id = "taylorseer",
        .name = "TaylorSeer",
        .summary =
            "Computes every n-th step and continues each module's output between as a polynomial; fast, and "
            "needs much memory.",
        .paper = "arXiv:2503.06923",
        .parameters = {
            wholeNumber("interval", "steps", 0, 50, 0,
                        "Every so many-th step is computed; 0: a tenth of the steps, at least every second."),
            wholeNumber("first_steps", "steps", 1, 1000, 3, "Steps at the beginning that are always computed."),
            wholeNumber("order", "", 0, 2, 1, "Degree of the polynomial; 0 repeats the last output."),
        }};
    append(entry.description.parameters, storeParameters());
    entry.create = TaylorSeer::create;
    return entry;
}

}  // namespace fw::cache
