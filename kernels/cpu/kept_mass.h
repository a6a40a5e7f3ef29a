// How much of a softmax row lies on the keys that sparse attention looked at.
#pragma once

#include <cstdint>

#include "kernels/cpu/sparse_attention.h"

namespace fw::kernels::cpu {

struct KeptMassArgs {
    const float* rows = nullptr;  // [heads, count, keys]
    std::int64_t heads = 0, count = 0, keys = 0;
    const std::int32_t* queries = nullptr;  // [count]: the token of each, or its block when there are lists
    float* masses = nullptr;                // [heads, count]
    // One of the two; their operands are not looked at.
    const BlockSparseArgs* blocks = nullptr;
    const WindowArgs* window = nullptr;
    int threads = 1;
};

// Sums in double precision; results do not depend on the number of threads.
void keptMass(const KeptMassArgs& args);

}  // namespace fw::kernels::cpu
