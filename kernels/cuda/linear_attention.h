// Kernels of linear attention.
#pragma once

#include "kernels/cuda/queue.h"
#include "kernels/cuda/sparse.h"

namespace fw::kernels::cuda {

// Every type and width; arithmetic in f32 without tensor cores.
[[nodiscard]] Code simpleLinearAttention(Queue& queue, const LinearAttentionArgs& args);

// bf16 on tensor cores by mma.sync, compute capability 8.0 and above; heads of 64 and 128 channels. Against f32 the
// error is that of features rounded to bf16.
[[nodiscard]] bool mmaLinearApplies(const Queue& queue, const LinearAttentionArgs& args);
[[nodiscard]] Code mmaLinearAttention(Queue& queue, const LinearAttentionArgs& args);

// The same states; the result by wgmma, compute capability 9.0.
[[nodiscard]] bool wgmmaLinearApplies(const Queue& queue, const LinearAttentionArgs& args);
[[nodiscard]] Code wgmmaLinearAttention(Queue& queue, const LinearAttentionArgs& args);

// states [heads, pieces, floats]: the pieces of each head into its first one, in turn.
[[nodiscard]] Code addStates(Queue& queue, float* states, std::int64_t heads, std::int64_t pieces,
                             std::int64_t floats);

}  // namespace fw::kernels::cuda
