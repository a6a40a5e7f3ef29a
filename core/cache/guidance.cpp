#include "core/cache/guidance.h"

#include <array>

#include "core/cache/parameters.h"

namespace fw::cache {

namespace {

constexpr const char* kDifferenceStep = "guidance_step";
constexpr const char* kWithoutGuidance = "without guidance there is no second pass to predict";

class GuidanceReuse final : public StepCache {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> create(const Json& parameters,
                                                                   const CacheSetup& setup) {
        auto cache = std::make_unique<GuidanceReuse>();
        if (setup.shape.branches > 1) {
            FW_ASSIGN(
                cache->m_predictor,
                GuidancePredictor::create(guidanceRule(parameters), setup, [&](DType dtype, const Shape& shape) {
                    return cache->keep(setup.device, dtype, shape);
                }));
        }
        return cache;
    }

    [[nodiscard]] Result<bool> replacePass(method::RunContext& context, const ConstTensorView&,
                                           const TensorView& velocity) override {
        return m_predictor && m_predictor->replacePass(context, velocity);
    }
    [[nodiscard]] Status passDone(method::RunContext& context, const ConstTensorView&,
                                  const TensorView& velocity) override {
        if (m_predictor) {
            m_predictor->passDone(context, velocity);
        }
        return {};
    }
    [[nodiscard]] std::vector<job::CacheRow> table() const override {
        return m_predictor ? std::vector{describeRow("negative", m_predictor->row())}
                           : std::vector<job::CacheRow>();
    }
    [[nodiscard]] std::string note() const override { return m_predictor ? "" : kWithoutGuidance; }
    [[nodiscard]] bool cleanBefore(int step) const override { return !m_predictor || !m_predictor->predicts(step); }
    [[nodiscard]] SavedState state() override {
        SavedState state;
        if (m_predictor) {
            m_predictor->save(state);
        }
        return state;
    }
    [[nodiscard]] Status restore(const Json& numbers) override {
        return m_predictor ? m_predictor->restore(numbers) : StepCache::restore(numbers);
    }

 private:
    std::optional<GuidancePredictor> m_predictor;  // none without guidance
};

}  // namespace

DecisionRow guidanceDecisions(const GuidanceRule& rule, int steps) {
    DecisionRow row(static_cast<std::size_t>(steps), Decision::Compute);
    const int first = stepWindow(rule.from, 1.0, steps).first;
    for (int step = first; step < steps; ++step) {
        if ((step - first) % rule.interval != 0) {
            row[static_cast<std::size_t>(step)] = Decision::Predict;
        }
    }
    return row;
}

Result<GuidancePredictor> GuidancePredictor::create(const GuidanceRule& rule, const CacheSetup& setup,
                                                    const Allocate& allocate) {
    const Shape& latents = setup.shape.latents;
    GuidancePredictor predictor;
    predictor.m_rule = rule;
    predictor.m_row = guidanceDecisions(rule, setup.shape.steps());
    FW_ASSIGN(predictor.m_lowPass, LowPass::create(setup.ops, latents[2], latents[3], allocate));
    FW_ASSIGN(predictor.m_guided, allocate(DType::F32, latents));
    FW_ASSIGN(predictor.m_slow, allocate(DType::F32, latents));
    FW_ASSIGN(predictor.m_fast, allocate(DType::F32, latents));
    return predictor;
}

bool GuidancePredictor::predicts(int step) const {
    const auto at = static_cast<std::size_t>(step);
    return step >= 0 && at < m_row.size() && m_row[at] == Decision::Predict;
}

bool GuidancePredictor::replacePass(method::RunContext& context, const TensorView& velocity) {
    if (context.branch == 0 || !predicts(context.step) || !mayServe(m_row, context.step, m_computed)) {
        return false;
    }
    const method::ModuleScope timed(context, trace::Module::Blocks, trace::Source::Predicted);
    const auto steps = static_cast<int>(m_row.size());
    const int first = stepWindow(m_rule.from, 1.0, steps).first;
    const bool early = context.step < (first + steps) / 2;
    const double strong = 1.0 + m_rule.strength;
    const std::array<backend::Ops::Term, 3> sum{
        {{1.0, m_guided}, {early ? strong : 1.0, m_slow}, {early ? 1.0 : strong, m_fast}}};
    context.ops.linearCombination(sum, velocity);
    return true;
}

void GuidancePredictor::passDone(method::RunContext& context, const TensorView& velocity) {
    if (context.branch == 0) {
        context.ops.copy(velocity, m_guided);
        return;
    }
    if (!predicts(context.step + 1)) {
        return;
    }
    const method::ModuleScope timed(context, trace::Module::Guidance);
    const std::array<backend::Ops::Term, 2> difference{{{1.0, velocity}, {-1.0, m_guided}}};
    context.ops.linearCombination(difference, m_fast);
    m_lowPass->apply(context, m_fast, m_slow);
    const std::array<backend::Ops::Term, 2> rest{{{1.0, m_fast}, {-1.0, m_slow}}};
    context.ops.linearCombination(rest, m_fast);
    m_computed = context.step;
}

void GuidancePredictor::save(SavedState& state) const {
    state.numbers[kDifferenceStep] = m_computed;
    if (m_computed >= 0) {
        state.tensors.emplace_back("slow", m_slow);
        state.tensors.emplace_back("fast", m_fast);
    }
}

Status GuidancePredictor::restore(const Json& numbers) {
    const auto step = numbers.is_object() ? numbers.find(kDifferenceStep) : numbers.end();
    const bool isStep = numbers.is_object() && step != numbers.end() && step->is_number_integer() && *step >= -1 &&
                        *step < static_cast<int>(m_row.size());
    if (!isStep) {
        return fail(ErrorCode::InvalidArgument,
                    "the checkpoint does not say of which step its guidance difference is; begin the clip anew");
    }
    m_computed = step->get<int>();
    return {};
}

std::vector<job::ParameterSchema> guidanceParameters() {
    return {
        fraction("guidance_from", 0.35, "Part of the run after which passes of the negative prompt are predicted."),
        wholeNumber("guidance_interval", "steps", 1, 100, 5, "Every so many-th of them is computed."),
        number("guidance_strength", 0.0, 1.0, 0.2,
               "How much the slow part of the difference is strengthened early, and the fast part late."),
    };
}

GuidanceRule guidanceRule(const Json& parameters) {
    return {parameters.at("guidance_from").get<double>(), parameters.at("guidance_interval").get<int>(),
            parameters.at("guidance_strength").get<double>()};
}

CacheEntry guidanceReuse() {
    CacheEntry entry;
    entry.description = {
        .id = "guidance",
        .name = "Guidance reuse",
        .summary =
            "Predicts most passes of the negative prompt in the later part of the run: up to half of the work.",
        .paper = "arXiv:2410.19355",
        .parameters = guidanceParameters()};
    entry.create = GuidanceReuse::create;
    return entry;
}

}  // namespace fw::cache
