// Linear attention with rectified features: time and memory linear in tokens.
#pragma once

#include <cstdint>

#include "kernels/cpu/attention.h"

namespace fw::kernels::cpu {

// out_i = φ(q_i) S / (ρ(q_i) · z + eps) with S = Σ_j φ(k_j)ᵀ v_j and z = Σ_j ρ(k_j), per batch and head.
// With tables, q and k are taken as rotated: ρ is the ReLU of what they were before, φ the same rotated again (the
// form of SANA-Video, https://arxiv.org/abs/2509.24695). Without, ρ = φ = ReLU.
struct LinearAttentionArgs {
    AttentionArgs operands;         // queries == keys; headDim even; scale and bias are not looked at
    const float* cosine = nullptr;  // [tokens, headDim / 2], or null
    const float* sine = nullptr;
    std::int64_t cosineRow = 0, sineRow = 0;
    float eps = 1e-6F;
};

[[nodiscard]] std::int64_t linearAttentionWorkspaceBytes(const LinearAttentionArgs& args);

// 0, or -1: unsupported headDim. All sums in f32, in an order that does not depend on the number of threads: the
// tokens are summed in at most 16 pieces, which are added in turn. The reference in double precision is met within
// 1e-5 of the largest value in f32.
[[nodiscard]] int linearAttention(const LinearAttentionArgs& args);

}  // namespace fw::kernels::cpu
