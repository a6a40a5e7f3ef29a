// Decoder and encoder of Wan2.1's video auto-encoder as lists of layers.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/model/video_vae_layers.h"
#include "core/weights/model_config.h"

namespace fw::model::vae {

// Latents in the transformer's space to patched pixels.
class Decoder {
 public:
    [[nodiscard]] static Result<Decoder> load(WeightLoader& loader, const weights::WanVaeConfig& config,
                                              DType compute);
    // Takes a state for latents of height × width from the arena, all history zero.
    [[nodiscard]] VaeState plan(method::RunContext& context, std::int64_t height, std::int64_t width) const;
    // latents [z, T, h, w] f32, normalised, any strides: the next T latent frames of the clip; the first chunk
    // holds exactly one. Returns [1, T', h·s, w·s, 3·patch²] act in the arena, T' = 1 or T·temporal factor, not
    // clamped.
    [[nodiscard]] Result<TensorView> forward(method::RunContext& context, VaeState& state,
                                             const ConstTensorView& latents) const;
    // Bytes of the widest activation for one latent frame of height × width.
    [[nodiscard]] std::int64_t widestBytes(std::int64_t height, std::int64_t width) const;

 private:
    struct Level {
        std::vector<ResidualBlock> blocks;
        std::optional<Upsampler> upsampler;
    };

    DType m_compute = DType::F32;
    std::int64_t m_widestChannels = 0, m_spatial = 1, m_temporal = 1;
    backend::OwnedTensor m_zero;
    // post_quant_conv with the latents' de-normalisation folded in.
    std::unique_ptr<backend::PackedLinear> m_quant;
    EdgeConv m_in, m_out;
    MiddleBlock m_middle;
    std::vector<Level> m_levels;
};

// Patched pixels to latents in the transformer's space (mean of the posterior).
class Encoder {
 public:
    [[nodiscard]] static Result<Encoder> load(WeightLoader& loader, const weights::WanVaeConfig& config,
                                              DType compute);
    // Takes a state for frames of height × width pixels from the arena, all history zero.
    [[nodiscard]] VaeState plan(method::RunContext& context, std::int64_t height, std::int64_t width) const;
    // frames [F, H, W, 3] f32: the next frames of the clip; the first chunk holds exactly one, later ones a
    // multiple of the temporal factor. Returns [1, T, h, w, z] f32 in the arena.
    [[nodiscard]] Result<TensorView> forward(method::RunContext& context, VaeState& state,
                                             const ConstTensorView& frames) const;

 private:
    struct Level {
        std::vector<ResidualBlock> blocks;
        std::optional<Downsampler> downsampler;
    };

    DType m_compute = DType::F32;
    std::int64_t m_patch = 1, m_zDim = 0;
    backend::OwnedTensor m_zero;
    // The means' half of quant_conv with the latents' normalisation folded in.
    std::unique_ptr<backend::PackedLinear> m_quant;
    EdgeConv m_in, m_out;
    MiddleBlock m_middle;
    std::vector<Level> m_levels;
};

// [F, h, w, 3·p²] viewed as [F, h, p, w, p, 3]: the pixels of each patch, in the order of [F, h·p, w·p, 3].
[[nodiscard]] TensorView patchesAsPixels(const TensorView& patches, std::int64_t patch);
// [F, H, W, 3] viewed as [F, H/p, p, W/p, p, 3].
[[nodiscard]] ConstTensorView pixelsByPatch(const ConstTensorView& pixels, std::int64_t patch);
[[nodiscard]] TensorView pixelsByPatch(const TensorView& pixels, std::int64_t patch);

}  // namespace fw::model::vae
