// Building blocks of Wan2.1's video auto-encoder, streaming in time.
//
// Activations are channels last, [1, T, H, W, C] of the compute type, one chunk of frames at a time. A causal
// convolution of three frames sees the last frames of earlier chunks through VaeState; before the first frame there
// is zero. Decoding or encoding chunk by chunk therefore equals the whole clip at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/base/result.h"
#include "core/method/run_context.h"
#include "core/model/weight_loader.h"

namespace fw::model::vae {

// One past-frames tensor per causal convolution of a network, in the order of its layers. Taken from the arena
// before the first chunk; belongs to one pass over one clip (or one tile of it).
struct VaeState {
    std::vector<TensorView> past;  // [1, frames of history, H, W, C]
    bool first = true;             // no chunk has been through yet
};

// Counts and sizes the states of a network while it is walked once for an input of H × W.
struct StatePlanner {
    method::RunContext& context;
    VaeState& state;
    DType act;
    std::int64_t height, width;

    void add(std::int64_t frames, std::int64_t channels);
};

// One chunk on its way through a network. The cursor runs over state.past in the order of the layers.
struct Chunk {
    method::RunContext& context;
    VaeState& state;
    DType act;
    std::size_t cursor = 0;

    [[nodiscard]] TensorView take(const Shape& shape) const { return context.arena.take(act, shape); }
    [[nodiscard]] const TensorView& nextPast() { return state.past[cursor++]; }
};

// `frames` frames of history and room for the chunk behind them: the input of a causal convolution.
class CausalInput {
 public:
    // Taken from the arena; the history is copied in front.
    CausalInput(Chunk& chunk, const TensorView& past, const Shape& chunkShape);
    // Where the chunk's own frames [1, T, H, W, C] are to be written.
    [[nodiscard]] const TensorView& frames() const { return m_frames; }
    // History and chunk, after remembering the last frames for the next chunk.
    [[nodiscard]] const TensorView& withHistory(Chunk& chunk);

 private:
    TensorView m_past, m_whole, m_frames;
};

// norm, SiLU, convolution, norm, SiLU, convolution, added to the input or to its 1×1×1 projection.
class ResidualBlock {
 public:
    [[nodiscard]] static Result<ResidualBlock> load(WeightLoader& loader, const std::string& prefix,
                                                    std::int64_t in, std::int64_t out, DType compute);
    void plan(StatePlanner& planner) const;
    // Returns x itself, changed, or a new tensor from the arena when the number of channels changes.
    [[nodiscard]] TensorView forward(Chunk& chunk, const TensorView& x) const;

 private:
    void convolve(Chunk& chunk, const ConstTensorView& x, const backend::OwnedTensor& norm,
                  const backend::PackedConv3d& conv, const TensorView& y, bool accumulate) const;

    std::int64_t m_in = 0, m_out = 0;
    backend::OwnedTensor m_norm1, m_norm2;
    std::unique_ptr<backend::PackedConv3d> m_conv1, m_conv2;
    std::unique_ptr<backend::PackedLinear> m_shortcut;
};

// Residual block, single-head attention inside each frame, residual block.
class MiddleBlock {
 public:
    [[nodiscard]] static Result<MiddleBlock> load(WeightLoader& loader, const std::string& prefix,
                                                  std::int64_t channels, DType compute);
    void plan(StatePlanner& planner) const;
    [[nodiscard]] TensorView forward(Chunk& chunk, const TensorView& x) const;

 private:
    void attend(Chunk& chunk, const TensorView& x) const;

    std::int64_t m_channels = 0;
    std::vector<ResidualBlock> m_blocks;
    backend::OwnedTensor m_norm;
    std::unique_ptr<backend::PackedLinear> m_qkv, m_out;
};

// ×2 in space and, with `temporal`, in time. The clip's first frame is not doubled and is no history of the time
// convolution (it starts from zeros).
class Upsampler {
 public:
    [[nodiscard]] static Result<Upsampler> load(WeightLoader& loader, const std::string& prefix,
                                                std::int64_t channels, bool temporal, DType compute);
    void plan(StatePlanner& planner) const;
    [[nodiscard]] TensorView forward(Chunk& chunk, const TensorView& x) const;

 private:
    std::int64_t m_channels = 0;  // in; half of them come out
    std::unique_ptr<backend::PackedConv3d> m_conv, m_timeConv;
};

// ÷2 in space and, with `temporal`, in time: the clip's first frame passes, then windows of three frames at
// stride 2.
class Downsampler {
 public:
    [[nodiscard]] static Result<Downsampler> load(WeightLoader& loader, const std::string& prefix,
                                                  std::int64_t channels, bool temporal, DType compute);
    void plan(StatePlanner& planner) const;
    [[nodiscard]] TensorView forward(Chunk& chunk, const TensorView& x) const;

 private:
    std::int64_t m_channels = 0;
    std::unique_ptr<backend::PackedConv3d> m_conv, m_timeConv;
};

// A causal 3×3×3 convolution, after norm and SiLU when it has a norm (the networks' last layer).
class EdgeConv {
 public:
    [[nodiscard]] static Result<EdgeConv> load(WeightLoader& loader, const std::string& convPrefix,
                                               const std::string& normName, std::int64_t in, std::int64_t out,
                                               DType compute);
    void plan(StatePlanner& planner) const;
    // With a norm: y = conv(silu(norm(x))).
    [[nodiscard]] TensorView forward(Chunk& chunk, const TensorView& x) const;
    // Without: the caller fills input.frames() first.
    [[nodiscard]] TensorView forward(Chunk& chunk, CausalInput& input) const;
    [[nodiscard]] std::int64_t inChannels() const { return m_in; }

 private:
    std::int64_t m_in = 0, m_out = 0;
    backend::OwnedTensor m_norm;
    std::unique_ptr<backend::PackedConv3d> m_conv;
};

}  // namespace fw::model::vae
