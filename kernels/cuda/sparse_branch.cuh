// Adding a branch to the result of sparse attention: what the pass of its own (add_branch.cu) and the kernels that
// add it where they write their results have in common, so that both give the same bits.
#pragma once

#include "kernels/cuda/platform.cuh"
#include "kernels/cuda/sparse.h"

namespace fw::kernels::cuda {

__device__ __forceinline__ float sigmoidOf(float x) {
    return 1.0F / (1.0F + __expf(-x));
}

// What the branch's row is multiplied with.
__device__ __forceinline__ float branchFactor(const AddBranchArgs& args, std::int64_t batch, std::int64_t row) {
    float gate = 1.0F;
    if (args.gates != nullptr) {
        gate = args.gates[batch];
    } else if (args.logits != nullptr) {
        gate = sigmoidOf(args.logits[batch * args.logitBatch + row * args.logitRow]);
    }
    return args.scale * gate;
}

// Eight neighbours: `words` are of the result, already rounded.
__device__ __forceinline__ void addBranchTo(std::uint32_t (&words)[4], const uint4& branch, float factor) {
    const std::uint32_t added[4] = {branch.x, branch.y, branch.z, branch.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float low;
        float high;
        float addedLow;
        float addedHigh;
        unpackBf16(words[i], low, high);
        unpackBf16(added[i], addedLow, addedHigh);
        low += factor * addedLow;
        high += factor * addedHigh;
        words[i] = packBf16(low, high);
    }
}

}  // namespace fw::kernels::cuda
