// Operands of the operations that read a clip's tokens in a row: selective state space models.
#pragma once

#include <cstdint>

#include "core/tensor/tensor_view.h"

namespace fw::backend {

// The order rows are read in: position p holds row order[p]. In reverse the last position comes first.
struct ScanPath {
    ConstTensorView order;  // i32 [N], a permutation of the rows; none: as they lie
    bool reverse = false;
};

struct ScanConvOptions {
    ScanPath path;
    // Rows in front of the first, act [B, R, C], read in the order `prefixOrder` (i32 [R], none: as they lie), also
    // in reverse: the convolution sees the last ones. none: zeros.
    ConstTensorView prefix, prefixOrder;
};

// One direction of a selective state space model (Mamba2). H heads of width P, G groups of heads that share b and
// c, S numbers of state; heads of group g are [g·H/G, (g+1)·H/G).
struct StateSpaceInput {
    ConstTensorView x;                // act [B, N, H, P]
    ConstTensorView b, c;             // act [B, N, G, S]
    ConstTensorView step;             // f32 or act [B, N, H]: before bias and softplus
    ConstTensorView stepBias, decay;  // f32 [H]; decay is the logarithm of -A
    ConstTensorView skip;             // f32 [H]
    ConstTensorView initialState;     // optional f32 [B, H, P, S]; none: zeros
    TensorView finalState;            // optional f32 [B, H, P, S]: the state behind the last position
    bool reverse = false;
};

struct StateSpaceOptions {
    ConstTensorView order;  // as ScanPath's
    // Positions computed as one product; changes rounding and speed only.
    std::int64_t chunk = 64;
};

}  // namespace fw::backend
