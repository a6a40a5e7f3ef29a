// Self-attention of Wan's blocks: projections, norms and positions around a method that can be chosen.
#pragma once

#include <memory>
#include <vector>

#include "core/model/rotary.h"
#include "core/model/token_mixer.h"
#include "core/model/weight_loader.h"
#include "core/weights/model_config.h"

namespace fw::model {

// What of an attention does not depend on who sees whom: diffusers' to_q, to_k, to_v, norm_q, norm_k.
struct QueryKeyValue {
    std::unique_ptr<Linear> qkv;        // d → [q; k; v]
    backend::OwnedTensor normQ, normK;  // [d]

    [[nodiscard]] static Result<QueryKeyValue> load(WeightLoader& loader, const std::string& prefix,
                                                    std::int64_t width, DType compute);
    // Tensors of one call, in the memory of `projected` [1, N, 3d] act; heads [1, N, H, D].
    struct Heads {
        TensorView q, k, v;
    };
    // Projects x [1, N, d] act into `projected`, and norms and turns queries and keys.
    [[nodiscard]] Heads project(method::RunContext& context, const ConstTensorView& x,
                                const backend::RopeTables& rope, const weights::WanTransformerConfig& config,
                                const TensorView& projected) const;
};

// Every block's attention of the clip with itself, by the run's attention method.
class SelfAttentionMixer final : public TokenMixer {
 public:
    [[nodiscard]] static std::unique_ptr<TokenMixer> create(const WeightLoader& loader,
                                                            const weights::WanTransformerConfig& config,
                                                            DType stored);
    [[nodiscard]] Status loadLayer(WeightLoader& loader, std::int64_t layer) override;
    [[nodiscard]] Status prepare(backend::Ops& ops, const method::TokenGrid& grid) override;
    [[nodiscard]] Status mix(const MixerCall& call, const TensorView& delta) override;

 private:
    struct Layer {
        QueryKeyValue in;
        std::unique_ptr<Linear> out;
    };
    SelfAttentionMixer(backend::Device& device, const weights::WanTransformerConfig& config, DType stored)
        : m_config(config),
          m_stored(stored),
          m_compute(activationType(stored)),
          m_rotary(device, config.headDim, config.ropeMaxSeqLen) {}

    weights::WanTransformerConfig m_config;
    DType m_stored, m_compute;  // of the matrices, of activations
    std::vector<Layer> m_layers;
    RotaryTables m_rotary;
};

}  // namespace fw::model
