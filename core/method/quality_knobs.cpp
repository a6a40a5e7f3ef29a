#include "core/method/quality_knobs.h"

#include <utility>

#include "core/job/generation_request.h"

#include "core/method/painted_masks.h"

namespace fw::method {

namespace {

constexpr int kMostLayers = 1000;

class DenseAtFirst final : public AttentionMethod {
 public:
    DenseAtFirst(int steps, int layers, std::unique_ptr<AttentionMethod> inner)
        : m_steps(steps), m_layers(layers), m_inner(std::move(inner)) {}

    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        return isDense(context, call.layer) ? attendDensely(context, call) : m_inner->attend(context, call);
    }
    [[nodiscard]] const backend::PackedLinear* gate(const RunContext& context, int layer) const override {
        return isDense(context, layer) ? nullptr : m_inner->gate(context, layer);
    }

 private:
    [[nodiscard]] bool isDense(const RunContext& context, int layer) const {
        return layer < m_layers || (context.step >= 0 && context.step < m_steps);
    }

    int m_steps, m_layers;
    std::unique_ptr<AttentionMethod> m_inner;
};

}  // namespace

std::vector<job::ParameterSchema> withQualityKnobs(std::vector<job::ParameterSchema> own, bool sinkFrame) {
    using job::ParameterType;
    own.push_back({"dense_steps",
                   ParameterType::Integer,
                   "steps",
                   0,
                   job::kMaxSteps,
                   {},
                   0,
                   "The first steps stay dense: they settle what the clip shows."});
    own.push_back(
        {"dense_layers", ParameterType::Integer, "layers", 0, kMostLayers, {}, 0, "The first layers stay dense."});
    if (sinkFrame) {
        own.push_back(
            {"sink_frame", ParameterType::Boolean, "", 0, 0, {}, false, "Every token also sees the first frame."});
    }
    return own;
}

job::ParameterSchema sparsityParameter() {
    return {"sparsity", job::ParameterType::Real,
            "",         0.0,
            0.999,      {},
            0.9,        "Share of the token pairs that is left out; 0 is dense attention."};
}

std::unique_ptr<AttentionMethod> denseAtFirst(const Json& parameters, std::unique_ptr<AttentionMethod> inner) {
    return std::make_unique<DenseAtFirst>(parameters.at("dense_steps").get<int>(),
                                          parameters.at("dense_layers").get<int>(), std::move(inner));
}

Status attendDensely(RunContext& context, const SelfAttentionCall& call) {
    context.ops.attention(call.q, call.k, call.v, call.out,
                          {.scale = call.scale, .bias = {}, .keyCount = -1, .fp8 = call.fp8});
    countWork(context, call, backend::denseWork(call.grid), call.q.dim(2));
    return paintOver(context, call);
}

void countWork(RunContext& context, const SelfAttentionCall& call, const backend::KeptWork& work,
               std::int64_t heads) {
    const backend::KeptWork dense = backend::denseWork(call.grid);
    const std::int64_t times = heads * call.q.dim(0);
    context.attentionWork.pairs += work.pairs * times;
    context.attentionWork.tiles += work.tiles * times;
    context.attentionWork.densePairs += dense.pairs * times;
    context.attentionWork.denseTiles += dense.tiles * times;
}

}  // namespace fw::method
