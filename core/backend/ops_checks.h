// What the public functions of Ops check of their operands. Internal to the operations interface.
#pragma once

#include <cmath>
#include <initializer_list>

#include "core/tensor/tensor_view.h"

namespace fw::backend {

// Widest attention head the kernels hold in their registers.
inline constexpr std::int64_t kMaxHeadDim = 512;
// FLOPs charged per element by SiLU and GELU: exponential, sum, quotient, products.
inline constexpr std::int64_t kActivationFlops = 5;

inline bool isAct(DType dtype) {
    return dtype == DType::F32 || dtype == DType::BF16;
}
inline bool isFloat(DType dtype) {
    return isAct(dtype) || dtype == DType::F16;
}

inline bool isInnerContiguous(const ConstTensorView& view) {
    return view.rank() == 0 || view.stride(-1) == 1 || view.dim(-1) <= 1;
}

inline void checkAct(const char* op, const char* name, const ConstTensorView& view) {
    FW_CHECK(isAct(view.dtype()), "{}: {} is {}, f32 or bf16 expected", op, name, view.text());
    FW_CHECK(isInnerContiguous(view), "{}: the last dimension of {} has stride {}, 1 expected", op, name,
             view.stride(-1));
}

inline void checkF32(const char* op, const char* name, const ConstTensorView& view) {
    FW_CHECK(view.dtype() == DType::F32, "{}: {} is {}, f32 expected", op, name, view.text());
    FW_CHECK(isInnerContiguous(view), "{}: the last dimension of {} has stride {}, 1 expected", op, name,
             view.stride(-1));
}

inline void checkShape(const char* op, const char* name, const ConstTensorView& view, const Shape& expected) {
    FW_CHECK(view.shape() == expected, "{}: {} is {}, shape {} expected", op, name, view.text(), expected.text());
}

// As AttentionOptions::firstKeyWeight has it. Kernels may add its logarithm before they scale.
inline void checkFirstKey(const char* op, float weight, float scale) {
    FW_CHECK(std::isfinite(weight) && weight >= 1.0F, "{}: the first key weighs {}, at least 1 expected", op,
             weight);
    FW_CHECK(weight == 1.0F || scale != 0.0F, "{}: the first key weighs {} with scale 0", op, weight);
}

inline void checkDevice(const char* op, DeviceKind device, std::initializer_list<ConstTensorView> operands) {
    for (const ConstTensorView& view : operands) {
        FW_CHECK(view.isNone() || view.device() == device, "{}: operand {} is on another device", op, view.text());
    }
}

}  // namespace fw::backend
