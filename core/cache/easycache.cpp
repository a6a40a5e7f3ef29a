#include "core/cache/easycache.h"

#include <array>
#include <cmath>

#include "core/cache/mean_change.h"
#include "core/cache/parameters.h"

namespace fw::cache {

namespace {

class EasyCache final : public StepCache {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> create(const Json& parameters,
                                                                   const CacheSetup& setup) {
        auto cache = std::make_unique<EasyCache>();
        const RunShape& shape = setup.shape;
        cache->m_threshold = parameters.at("threshold").get<double>();
        cache->m_first = std::max(2, stepWindow(parameters.at("warm_up").get<double>(), 1.0, shape.steps()).first);
        cache->m_steps = shape.steps();
        const auto keep = [&](const Shape& wanted) { return cache->keep(setup.device, DType::F32, wanted); };
        FW_ASSIGN(cache->m_lastInput, keep(shape.latents));
        FW_ASSIGN(cache->m_input, keep(shape.latents));
        FW_ASSIGN(cache->m_output, keep(shape.latents));
        for (int branch = 0; branch < shape.branches; ++branch) {
            FW_ASSIGN(const TensorView offset, keep(shape.latents));
            cache->m_offsets.push_back(offset);
        }
        FW_ASSIGN(const TensorView means, keep({4}));
        cache->m_change = MeanChange(means);
        return cache;
    }

    [[nodiscard]] Result<bool> replacePass(method::RunContext& context, const ConstTensorView& latents,
                                           const TensorView& velocity) override {
        if (context.branch == 0) {  // the answer holds for both branches
            FW_ASSIGN(m_reuse, decide(context, latents));
            context.ops.copy(latents, m_lastInput);
        }
        if (!m_reuse) {
            return false;
        }
        const method::ModuleScope timed(context, trace::Module::Blocks, trace::Source::Reused);
        const std::array<backend::Ops::Term, 2> sum{
            {{1.0, latents}, {1.0, m_offsets[static_cast<std::size_t>(context.branch)]}}};
        context.ops.linearCombination(sum, velocity);
        return true;
    }

    [[nodiscard]] Status passDone(method::RunContext& context, const ConstTensorView& latents,
                                  const TensorView& velocity) override {
        const std::array<backend::Ops::Term, 2> difference{{{1.0, velocity}, {-1.0, latents}}};
        context.ops.linearCombination(difference, m_offsets[static_cast<std::size_t>(context.branch)]);
        if (context.branch != 0) {
            return {};
        }
        if (m_computed > 0 && context.ops.deviceKind() != DeviceKind::Meta) {
            FW_ASSIGN(const MeanChange::Values output, m_change.measure(context, velocity, m_output));
            FW_ASSIGN(const MeanChange::Values input, m_change.measure(context, latents, m_input));
            m_gain = input.difference > 0.0 ? output.difference / input.difference : 0.0;
        }
        context.ops.copy(latents, m_input);
        context.ops.copy(velocity, m_output);
        ++m_computed;
        m_sum = 0.0;
        return {};
    }

    // Two forced steps in a row measure everything anew.
    [[nodiscard]] bool cleanBefore(int step) const override {
        return step >= m_steps - 1 || (forced(step) && forced(step + 1));
    }
    [[nodiscard]] SavedState state() override {
        SavedState state;
        state.tensors = {{"last_input", m_lastInput}, {"input", m_input}, {"output", m_output}};
        for (std::size_t branch = 0; branch < m_offsets.size(); ++branch) {
            state.tensors.emplace_back(fmt::format("offset.{}", branch), m_offsets[branch]);
        }
        state.numbers = {{"gain", m_gain}, {"sum", m_sum}};
        return state;
    }
    [[nodiscard]] Status restore(const Json& numbers) override {
        const Json gain = numbers.is_object() ? numbers.value("gain", Json()) : Json();
        const Json sum = numbers.is_object() ? numbers.value("sum", Json()) : Json();
        if (!gain.is_number() || !sum.is_number()) {
            return StepCache::restore(Json());
        }
        m_gain = gain.get<double>();
        m_sum = sum.get<double>();
        m_computed = m_first;
        return {};
    }

 private:
    [[nodiscard]] bool forced(int step) const { return step < m_first || step >= m_steps - 1; }

    [[nodiscard]] Result<bool> decide(method::RunContext& context, const ConstTensorView& latents) {
        if (forced(context.step) || m_computed < 2 || context.ops.deviceKind() == DeviceKind::Meta) {
            return false;
        }
        FW_ASSIGN(const MeanChange::Values moved, m_change.measure(context, latents, m_lastInput));
        FW_ASSIGN(const MeanChange::Values size, m_change.measure(context, m_output, m_output));
        m_sum += size.reference > 0.0 ? m_gain * moved.difference / size.reference : m_threshold;
        return logged(context, m_sum, m_threshold, m_sum < m_threshold);
    }

    double m_threshold = 0.0;
    int m_first = 0, m_steps = 0;
    int m_computed = 0;      // passes of the first branch
    double m_gain = 0.0;     // mean |Δ output| for a mean |Δ input| of 1, of the last two computed steps
    double m_sum = 0.0;      // of predicted relative changes since then
    bool m_reuse = false;    // at this step
    TensorView m_lastInput;  // of the step before, computed or not
    TensorView m_input;      // of the last computed step, first branch
    TensorView m_output;     // likewise
    std::vector<TensorView> m_offsets;  // output - input of the last computed step, by branch
    MeanChange m_change;
};

}  // namespace

CacheEntry easyCache() {
    CacheEntry entry;
    entry.description = {
        .id = "easycache",
        .name = "EasyCache",
        .summary =
            "Leaves out whole passes while the latents have moved little since the model last ran; needs no "
            "constants and next to no memory.",
        .paper = "arXiv:2507.02860",
        .parameters = {
            number("threshold", 0.0, 10.0, 0.05,
                   "Predicted change at which the model runs again; larger is faster and less exact."),
            fraction("warm_up", 0.2, "Part of the run at its beginning that is always computed."),
        }};
    entry.create = EasyCache::create;
    return entry;
}

}  // namespace fw::cache
