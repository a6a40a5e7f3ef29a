// Rows of numbers in eight bits each, for what is kept long and read seldom.
#pragma once

#include "core/tensor/tensor_view.h"

namespace fw::backend {

// A queue that can pack rows. Not every one can: a dynamic_cast tells.
class PacksRows {
 public:
    virtual ~PacksRows() = default;

    // bytes = x / scale as e4m3, nearest even, with scale = max |x| / 448 of the row, 1 where that is nothing. A
    // row that holds an infinity becomes NaN, what is NaN stays NaN. x [B, N, C] f32 or bf16, bytes u8 [B, N, C],
    // scales f32 [B, N]; all contiguous.
    void packRows(const ConstTensorView& x, const TensorView& bytes, const TensorView& scales);
    // The way back: x = bytes · scale, rounded to x's type.
    void unpackRows(const ConstTensorView& bytes, const ConstTensorView& scales, const TensorView& x);

 private:
    virtual void doPackRows(const ConstTensorView& x, const TensorView& bytes, const TensorView& scales) = 0;
    virtual void doUnpackRows(const ConstTensorView& bytes, const ConstTensorView& scales, const TensorView& x) = 0;
};

}  // namespace fw::backend
