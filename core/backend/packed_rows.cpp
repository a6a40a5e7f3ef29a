#include "core/backend/packed_rows.h"

#include "core/base/check.h"

namespace fw::backend {

namespace {

void checkPacked(const ConstTensorView& x, const ConstTensorView& bytes, const ConstTensorView& scales) {
    FW_CHECK(x.rank() == 3 && (x.dtype() == DType::F32 || x.dtype() == DType::BF16), "{}", x.text());
    FW_CHECK(bytes.dtype() == DType::U8 && bytes.shape() == x.shape(), "{} for rows of {}", bytes.text(), x.text());
    const Shape rows{x.dim(0), x.dim(1)};
    FW_CHECK(scales.dtype() == DType::F32 && scales.shape() == rows, "{} for rows of {}", scales.text(), x.text());
    for (const ConstTensorView* view : {&x, &bytes, &scales}) {
        FW_CHECK(view->isContiguous(), "{} is not contiguous", view->text());
    }
}

}  // namespace

void PacksRows::packRows(const ConstTensorView& x, const TensorView& bytes, const TensorView& scales) {
    checkPacked(x, bytes, scales);
    if (x.count() > 0) {
        doPackRows(x, bytes, scales);
    }
}

void PacksRows::unpackRows(const ConstTensorView& bytes, const ConstTensorView& scales, const TensorView& x) {
    checkPacked(x, bytes, scales);
    if (x.count() > 0) {
        doUnpackRows(bytes, scales, x);
    }
}

}  // namespace fw::backend
