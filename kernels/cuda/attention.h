// Attention kernels and the choice between them.
#pragma once

#include "kernels/cuda/api.h"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

// f32 and bf16, bias, every width and size; arithmetic in f32 without tensor cores.
[[nodiscard]] Code simpleAttention(Queue& queue, const AttentionArgs& args);

// bf16 on tensor cores by mma.sync, compute capability 8.0 and above.
[[nodiscard]] bool mmaAttentionApplies(const Queue& queue, const AttentionArgs& args);
[[nodiscard]] Code mmaAttention(Queue& queue, const AttentionArgs& args);

// bf16 on Hopper's asynchronous tensor cores, compute capability 9.0.
[[nodiscard]] bool wgmmaAttentionApplies(const Queue& queue, const AttentionArgs& args);
[[nodiscard]] Code wgmmaAttention(Queue& queue, const AttentionArgs& args);

// The same over keys that are a single tile.
[[nodiscard]] bool oneTileAttentionApplies(const Queue& queue, const AttentionArgs& args);
[[nodiscard]] Code oneTileAttention(Queue& queue, const AttentionArgs& args);

// The same attention with operands and probabilities rounded to e4m3.
[[nodiscard]] bool fp8AttentionApplies(const Queue& queue, const AttentionArgs& args);
[[nodiscard]] Code fp8Attention(Queue& queue, const AttentionArgs& args);

// What Auto stands for. A fixed rule, so that two runs give the same bits; revised from recorded measurements.
[[nodiscard]] AttentionKernel preferredAttention(const Queue& queue, const AttentionArgs& args);

}  // namespace fw::kernels::cuda
