#include "core/method/plain_linear.h"

#include <utility>

#include "core/method/quality_knobs.h"

namespace fw::method {

namespace {

constexpr float kEps = 1e-6F;

class PlainLinear final : public AttentionMethod {
 public:
    explicit PlainLinear(bool formA) : m_formA(formA) {}

    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        context.ops.linearAttention(call.q, call.k, call.v, call.out, linearOptions(call, m_formA, kEps));
        countWork(context, call, {}, call.q.dim(2));
        return {};
    }

 private:
    bool m_formA;
};

}  // namespace

job::ParameterSchema ropeFormParameter(std::vector<std::string> choices) {
    Json first = choices.front();
    return {"rope_form",
            job::ParameterType::Choice,
            "",
            0,
            0,
            std::move(choices),
            std::move(first),
            "Where positions enter the linear branch: a turns its features above the fraction line only, b also "
            "below."};
}

backend::LinearAttentionOptions linearOptions(const SelfAttentionCall& call, bool formA, float eps) {
    backend::LinearAttentionOptions options;
    options.eps = eps;
    if (formA) {
        options.rope = call.rope;
    }
    return options;
}

MethodEntry plainLinear() {
    MethodEntry entry;
    entry.description = {
        .id = "linear",
        .name = "Linear attention",
        .summary = "A summary of all tokens instead of their pairs: cheap, and a baseline that needs training.",
        .paper = "arXiv:2509.24695",
        .parameters = withQualityKnobs({ropeFormParameter({"a", "b"})}, false)};
    entry.needsSparseOperations = true;
    entry.create = [](const Json& parameters, const MethodWeights*) -> Result<std::unique_ptr<AttentionMethod>> {
        return denseAtFirst(parameters,
                            std::make_unique<PlainLinear>(parameters.at("rope_form").get<std::string>() == "a"));
    };
    return entry;
}

}  // namespace fw::method
