// Wan2.1's 3-D diffusion transformer (https://arxiv.org/abs/2503.20314), as diffusers' WanTransformer3DModel, and
// its relatives that only differ in what mixes the tokens (token_mixer.h).
#pragma once

#include <memory>
#include <vector>

#include "core/model/video_model.h"
#include "core/weights/model_config.h"
#include "core/weights/transformer_config.h"

namespace fw::model {

// Sinusoid of a timestep: [cos | sin], `width` values, frequencies 10000^(-i / (width / 2)). float32 as the
// reference.
[[nodiscard]] std::vector<float> timestepSinusoid(double timestep, std::int64_t width);

// See VideoTransformer. The blocks' products in the compute type, what they add to the residual stream in f32;
// residual stream, normalisation, modulation, the embeddings of patches, text and timestep and the output layer in
// f32. Stored as F8E4M3, the large products of the blocks and their dense self-attention are computed in fp8 and
// activations are bf16. Keys and values of the text are computed once per run with context.textKeys, in each call
// without.
class WanTransformer final : public VideoTransformer {
 public:
    // `folder` is the model's root. The device must outlive the object.
    [[nodiscard]] static Result<std::unique_ptr<WanTransformer>> load(const std::filesystem::path& folder,
                                                                      backend::Device& device, backend::Ops& ops,
                                                                      DType stored,
                                                                      const TransformerOptions& options = {});
    ~WanTransformer() override;

    [[nodiscard]] const Geometry& geometry() const override;
    [[nodiscard]] std::int64_t weightBytes() const override;
    [[nodiscard]] std::int64_t hostBytes() const override;
    [[nodiscard]] Status setBeside(const AdapterSet& adapters, backend::Ops& ops) override;
    // InvalidArgument when the grid is longer than the model's position range on an axis. Waits for the device.
    [[nodiscard]] TextKeysLayout textKeys(std::int64_t keys) const override;
    [[nodiscard]] std::vector<cache::SiteKind> siteKinds() const override;
    [[nodiscard]] Status forward(method::RunContext& context, const ConstTensorView& latents, double timestep,
                                 const TextEmbedding& text, const TensorView& velocity) override;

 private:
    struct Parts;
    struct Call;
    explicit WanTransformer(std::unique_ptr<Parts> parts);
    void embedLatents(Call& call, const ConstTensorView& latents) const;
    void embedTime(Call& call, double timestep);
    void embedText(Call& call, const TextEmbedding& text) const;
    [[nodiscard]] Status prepareTextKeys(Call& call, const TextEmbedding& text) const;
    void computeTextKeys(Call& call, std::int64_t layer, const TensorView& keys) const;
    [[nodiscard]] Status runBlocks(Call& call) const;
    [[nodiscard]] Status runBlock(Call& call, std::int64_t layer) const;
    // Of the stream, or of it and what is added, which only cross-attention takes.
    [[nodiscard]] Status computeModule(Call& call, cache::SiteKind kind, std::int64_t layer,
                                       const TensorView& delta, const backend::GatedDelta& added = {}) const;
    [[nodiscard]] Status compareStandIn(Call& call, cache::SiteKind kind, std::int64_t layer,
                                        const ConstTensorView& standIn) const;
    [[nodiscard]] Status compareBlocks(Call& call, std::int64_t first, const TensorView& before) const;
    [[nodiscard]] Status comparePass(method::RunContext& context, const ConstTensorView& latents, double timestep,
                                     const TextEmbedding& text, const TensorView& velocity);
    [[nodiscard]] TensorView copyForComparison(const Call& call) const;
    [[nodiscard]] Status selfAttention(Call& call, std::int64_t layer, const TensorView& delta) const;
    [[nodiscard]] Status crossAttention(Call& call, std::int64_t layer, const TensorView& delta,
                                        const backend::GatedDelta& added) const;
    void feedForward(Call& call, std::int64_t layer, const TensorView& delta) const;
    void project(Call& call, const TensorView& velocity) const;

    std::unique_ptr<Parts> m_parts;
};

}  // namespace fw::model
