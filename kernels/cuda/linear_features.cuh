// The features of linear attention: what a pair of channels was before its rotation, rectified, and rotated again.
// The state of a head is Σ φ(k)ᵀ v [D, D] followed by Σ ρ(k) [D], f32.
#pragma once

#include "kernels/cuda/platform.cuh"
#include "kernels/cuda/sparse_args.h"

namespace fw::kernels::cuda {

[[nodiscard]] __host__ __device__ constexpr std::int64_t stateFloats(std::int64_t width) {
    return width * width + width;
}

// max(x, 0), but NaN stays NaN.
__device__ __forceinline__ float rectified(float x) {
    return x < 0.0F ? 0.0F : x;
}

// ρ of two neighbouring channels, and φ.
struct FeaturePair {
    float plain[2], turned[2];
};
__device__ __forceinline__ FeaturePair featuresOf(float even, float odd, float cosine, float sine) {
    FeaturePair pair;
    pair.plain[0] = rectified(even * cosine + odd * sine);
    pair.plain[1] = rectified(odd * cosine - even * sine);
    pair.turned[0] = pair.plain[0] * cosine - pair.plain[1] * sine;
    pair.turned[1] = pair.plain[0] * sine + pair.plain[1] * cosine;
    return pair;
}
// Of pair `pair` of a token's row.
template <class T>
__device__ __forceinline__ FeaturePair featuresAt(const LinearAttentionArgs& args, const T* row, std::int64_t token,
                                                  int pair) {
    const float even = toFloat(row[2 * pair]);
    const float odd = toFloat(row[2 * pair + 1]);
    if (args.cosine == nullptr) {
        const float a = rectified(even);
        const float b = rectified(odd);
        return {{a, b}, {a, b}};
    }
    return featuresOf(even, odd, args.cosine[token * args.cosineRow + pair],
                      args.sine[token * args.sineRow + pair]);
}

}  // namespace fw::kernels::cuda
