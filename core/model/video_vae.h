// Wan2.1's video auto-encoder (https://arxiv.org/abs/2503.20314, section 4.1), as diffusers' AutoencoderKLWan.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/model/video_model.h"
#include "core/model/video_vae_network.h"
#include "core/model/video_vae_tiling.h"
#include "core/weights/model_config.h"

namespace fw::model {

// See VideoVae.
class WanVae final : public VideoVae {
 public:
    // `folder` is the model's root.
    [[nodiscard]] static Result<std::unique_ptr<WanVae>> load(const std::filesystem::path& folder,
                                                              backend::Device& device, backend::Ops& ops,
                                                              DType compute);

    [[nodiscard]] const Geometry& geometry() const override { return m_geometry; }
    [[nodiscard]] std::int64_t weightBytes() const override { return m_bytes; }
    [[nodiscard]] Status decode(method::RunContext& context, const ConstTensorView& latents,
                                const VaeTiling& tiling, const FrameSink& sink) override;
    [[nodiscard]] std::int64_t hostBytes(const Shape& latents, const VaeTiling& tiling) const override;
    [[nodiscard]] Status decodeToFloat(method::RunContext& context, const ConstTensorView& latents,
                                       const VaeTiling& tiling, const TensorView& out) override;
    [[nodiscard]] Status encode(method::RunContext& context, const ConstTensorView& frames,
                                const TensorView& latents) override;

 private:
    // Receives a chunk of patched pixels [F, h, w, 3·patch²] act in the arena.
    using ChunkSink = std::function<Status(const TensorView& patches)>;

    WanVae(weights::WanVaeConfig config, vae::Decoder decoder, vae::Encoder encoder)
        : m_config(std::move(config)), m_decoder(std::move(decoder)), m_encoder(std::move(encoder)) {}
    [[nodiscard]] Status decodeChunks(method::RunContext& context, const ConstTensorView& latents,
                                      std::int64_t pieceFrames, const ChunkSink& sink) const;
    [[nodiscard]] Status decodeTiles(method::RunContext& context, const ConstTensorView& latents,
                                     const VaeTiling& tiling, const vae::PixelCanvas& canvas) const;
    [[nodiscard]] Result<vae::Tile> decodeTile(method::RunContext& context, const ConstTensorView& latents,
                                               std::int64_t pieceFrames) const;
    [[nodiscard]] bool isTiled(const Shape& latents, const VaeTiling& tiling) const;
    // [F, h, w, 3·patch²] to [F, H, W, 3], same type, in the arena.
    [[nodiscard]] TensorView unpatch(method::RunContext& context, const TensorView& patches) const;
    [[nodiscard]] vae::PixelCanvas canvasFor(const ConstTensorView& latents) const;
    [[nodiscard]] std::int64_t framesOf(std::int64_t latentFrames) const {
        return 1 + (latentFrames - 1) * m_geometry.temporalFactor;
    }

    weights::WanVaeConfig m_config;
    Geometry m_geometry;
    vae::Decoder m_decoder;
    vae::Encoder m_encoder;
    std::int64_t m_bytes = 0;
};

}  // namespace fw::model
