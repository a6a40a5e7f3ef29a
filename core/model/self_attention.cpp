#include "core/model/self_attention.h"

#include <cmath>
#include <string>

#include "core/method/probe_sink.h"

namespace fw::model {

using backend::ArenaScope;
using method::ModuleScope;

Result<QueryKeyValue> QueryKeyValue::load(WeightLoader& loader, const std::string& prefix, std::int64_t width,
                                          DType compute) {
    QueryKeyValue result;
    FW_ASSIGN(result.qkv, loader.layer({prefix + "to_q", prefix + "to_k", prefix + "to_v"}, compute));
    FW_ASSIGN(result.normQ, loader.floats(prefix + "norm_q.weight", {width}));
    FW_ASSIGN(result.normK, loader.floats(prefix + "norm_k.weight", {width}));
    return result;
}

QueryKeyValue::Heads QueryKeyValue::project(method::RunContext& context, const ConstTensorView& x,
                                            const backend::RopeTables& rope,
                                            const weights::WanTransformerConfig& config,
                                            const TensorView& projected) const {
    const std::int64_t d = config.width();
    const auto eps = static_cast<float>(config.eps);
    const auto third = [&](std::int64_t i) { return projected.slice(2, i * d, (i + 1) * d); };
    const auto heads = [&](const TensorView& view) { return view.split(2, config.heads, config.headDim); };
    backend::Ops& ops = context.ops;
    qkv->apply(context, x, projected);
    ops.rmsNormRope(third(0), normQ.view, eps, rope, config.headDim, third(0));
    ops.rmsNormRope(third(1), normK.view, eps, rope, config.headDim, third(1));
    return {heads(third(0)), heads(third(1)), heads(third(2))};
}

std::unique_ptr<TokenMixer> SelfAttentionMixer::create(const WeightLoader& loader,
                                                       const weights::WanTransformerConfig& config, DType stored) {
    return std::unique_ptr<TokenMixer>(new SelfAttentionMixer(loader.device(), config, stored));
}

Status SelfAttentionMixer::loadLayer(WeightLoader& loader, std::int64_t layer) {
    const std::string prefix = fmt::format("blocks.{}.attn1.", layer);
    Layer loaded;
    FW_ASSIGN(loaded.in, QueryKeyValue::load(loader, prefix, m_config.width(), m_stored));
    FW_ASSIGN(loaded.out, loader.layer({prefix + "to_out.0"}, m_stored));
    m_layers.push_back(std::move(loaded));
    return {};
}

Status SelfAttentionMixer::prepare(backend::Ops& ops, const method::TokenGrid& grid) {
    return m_rotary.prepare(ops, grid);
}

Status SelfAttentionMixer::mix(const MixerCall& call, const TensorView& delta) {
    const Layer& layer = m_layers[static_cast<std::size_t>(call.layer)];
    backend::Ops& ops = call.context.ops;
    const ArenaScope scope(call.context.arena);
    const TensorView projected = call.context.arena.take(m_compute, {1, call.grid.tokens(), 3 * m_config.width()});
    backend::RowProduct gate{call.context.selfAttention.gate(call.context, static_cast<int>(call.layer)), {}};
    if (gate.weights != nullptr) {
        gate.y = call.context.arena.take(DType::F32, {1, call.grid.tokens(), gate.weights->outFeatures});
    }

    ops.layerNormModulate(call.x, call.scale, call.shift, static_cast<float>(m_config.eps), call.normed, gate);
    const auto heads = layer.in.project(call.context, call.normed, m_rotary.tables(), m_config, projected);
    {
        const ModuleScope core(call.context, trace::Module::AttentionCore, static_cast<int>(call.layer));
        method::SelfAttentionCall request;
        request.q = heads.q;
        request.k = heads.k;
        request.v = heads.v;
        request.out = call.buffer.split(2, m_config.heads, m_config.headDim);
        request.logits = gate.y;
        request.rope = m_rotary.tables();
        request.grid = call.grid;
        request.scale = 1.0F / std::sqrt(static_cast<float>(m_config.headDim));
        request.layer = static_cast<int>(call.layer);
        request.fp8 = m_stored == DType::F8E4M3;
        FW_TRY(call.context.selfAttention.attend(call.context, request));
        if (call.context.probes != nullptr) {
            FW_TRY(call.context.probes->attentionDone(call.context, request));
        }
    }
    layer.out->apply(call.context, call.buffer, delta);
    return {};
}

}  // namespace fw::model
