// Work on rows of channels, element by element: where an item lies, and neighbours read and written together.
#pragma once

#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

// kWide neighbours, 1 or 8.
template <int kWide, class T>
__device__ __forceinline__ void loadWide(const T* from, float (&values)[kWide]) {
    if constexpr (kWide == 8) {
        load8(from, values);
    } else {
        values[0] = toFloat(*from);
    }
}
template <int kWide, class T>
__device__ __forceinline__ void storeWide(T* to, const float (&values)[kWide]) {
    if constexpr (kWide == 8) {
        store8(to, values);
    } else {
        store(to, values[0]);
    }
}

// Where item `item` of a row-wise operation lies.
struct RowPosition {
    std::int64_t batch, row, channel;
};
template <int kWide>
__device__ __forceinline__ RowPosition rowPosition(const RowExtents& extents, std::int64_t item) {
    // 64-bit division is several times slower, and nearly every tensor has fewer elements.
    if (item <= 0x7fffffff) {
        const auto small = static_cast<std::uint32_t>(item);
        const auto perRow = static_cast<std::uint32_t>(extents.channels / kWide);
        const std::uint32_t row = small / perRow;
        const auto rows = static_cast<std::uint32_t>(extents.rows);
        return {row / rows, row % rows, static_cast<std::int64_t>(small % perRow) * kWide};
    }
    const std::int64_t perRow = extents.channels / kWide;
    const std::int64_t row = item / perRow;
    return {row / extents.rows, row % extents.rows, item % perRow * kWide};
}
template <int kWide>
__device__ __forceinline__ std::int64_t rowItems(const RowExtents& extents) {
    return extents.batch * extents.rows * (extents.channels / kWide);
}

}  // namespace fw::kernels::cuda
