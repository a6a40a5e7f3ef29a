// Rows read in an order, by addressing.
#pragma once

#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

// The row at `position` of `rows`. Entries come from the caller's memory: one that names no row is brought to the
// nearest one, so that nothing outside the operands is touched.
__device__ __forceinline__ std::int64_t rowAt(const std::int32_t* order, bool reverse, std::int64_t rows,
                                              std::int64_t position) {
    const std::int64_t place = reverse ? rows - 1 - position : position;
    if (order == nullptr) {
        return place;
    }
    const std::int64_t row = order[place];
    return row < 0 ? 0 : row < rows ? row : rows - 1;
}

// log(1 + e^x), for large x as the reference: x itself.
__device__ __forceinline__ float softplus(float x) {
    return x > 20.0F ? x : log1pf(expf(x));
}

}  // namespace fw::kernels::cuda
