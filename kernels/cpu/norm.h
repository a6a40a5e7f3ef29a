// Row-wise normalisations on the CPU. Inputs f32 or bf16, arithmetic f32, outputs f32 or bf16; rows are
// independent, so results do not depend on the number of threads.
#pragma once

#include "kernels/cpu/element.h"

namespace fw::kernels::cpu {

// y = x / sqrt(mean(x²) + eps) · weight, then rotary embedding (https://arxiv.org/abs/2104.09864) of the
// interleaved pairs (2m, 2m+1) of every head of width headDim when `cosine` is given. y may be x.
struct RmsNormArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;
    const float* weight = nullptr;  // [channels]
    float eps = 0.0F;
    const float* cosine = nullptr;  // optional [rows, headDim/2], both tables
    const float* sine = nullptr;
    std::int64_t cosineStride = 0;  // elements between rows of the tables
    std::int64_t sineStride = 0;
    std::int64_t headDim = 0;  // even, at most kMaxRopeHeadDim
};
inline constexpr std::int64_t kMaxRopeHeadDim = 512;
void rmsNorm(const RmsNormArgs& args, int threads);

// y = v / sqrt(mean(v²) + eps) · weight, v = x · silu(gate), the mean over each of `groups` equal parts of a row. y
// may be x.
struct GatedRmsNormArgs {
    RowExtents extents;
    ConstRows x, gate;  // of one element type
    Rows y;
    const float* weight = nullptr;  // [channels]
    std::int64_t groups = 1;
    float eps = 0.0F;
};
void gatedRmsNorm(const GatedRmsNormArgs& args, int threads);

// y = (v - mean)/sqrt(var + eps) · (scaleOffset + scale) + shift, v = x + gate · delta where there is a delta;
// scale, shift and gate [batch, channels] (batch stride 0: shared), no gate: 1. With a delta x is f32.
struct LayerNormArgs {
    RowExtents extents;
    ConstRows x;
    ConstRows delta;
    const float* gate = nullptr;
    std::int64_t gateBatchStride = 0;
    Rows y;
    const float* scale = nullptr;
    const float* shift = nullptr;
    std::int64_t scaleBatchStride = 0;
    std::int64_t shiftBatchStride = 0;
    float scaleOffset = 0.0F;
    float eps = 0.0F;
};
void layerNorm(const LayerNormArgs& args, int threads);

// y = x / max(‖x‖₂, 1e-12) · sqrt(channels) · gamma, then SiLU if asked.
struct ChannelNormArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;
    const float* gamma = nullptr;  // [channels]
    bool silu = false;
};
void channelNorm(const ChannelNormArgs& args, int threads);

}  // namespace fw::kernels::cpu
