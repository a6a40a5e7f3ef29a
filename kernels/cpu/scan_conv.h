// What a state space model does to tokens before its scan: a short convolution along the row, means over boxes.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/cpu/element.h"

namespace fw::kernels::cpu {

// y = silu(bias + Σ_k weight[k] · row at position p - (taps - 1) + k), channel by channel. Before the first row
// stand the prefix's, before those zeros. Sums in f32.
struct ScanConvArgs {
    RowExtents extents;
    ConstRows x;
    Rows y;                         // of x's element type
    const float* weight = nullptr;  // [taps, channels]
    const float* bias = nullptr;    // [channels]
    std::int64_t taps = 1;
    const std::int32_t* order = nullptr;  // [rows]: the row at each position; null: as they lie
    bool reverse = false;                 // the last position comes first, also in the prefix
    ConstRows prefix;                     // of x's element type
    std::int64_t prefixRows = 0;
    const std::int32_t* prefixOrder = nullptr;
};
void scanConv(const ScanConvArgs& args, int threads);

// y[m] = mean of x over box m of a grid of tokens (frames, height, width); boxes at the far ends are smaller.
struct PoolArgs {
    RowExtents extents;  // of y
    ConstRows x;
    Rows y;  // of x's element type
    std::array<std::int64_t, 3> grid{}, box{};
};
void poolRows(const PoolArgs& args, int threads);

}  // namespace fw::kernels::cpu
