// Types shared by the CPU kernels' interfaces.
#pragma once

#include <cstdint>

namespace fw::kernels::cpu {

// Bf16 and F16 elements are handed over as raw 16-bit words. F16 is storage only: copy() converts it.
enum class Element : std::uint8_t { F32, Bf16, F16 };

// A [batch, rows, channels] operand: channels have stride 1, the other strides are in elements.
struct ConstRows {
    const void* data = nullptr;
    Element element = Element::F32;
    std::int64_t batchStride = 0;
    std::int64_t rowStride = 0;
};
struct Rows {
    void* data = nullptr;
    Element element = Element::F32;
    std::int64_t batchStride = 0;
    std::int64_t rowStride = 0;
};

// Extents shared by the operands of a row-wise kernel.
struct RowExtents {
    std::int64_t batch = 0;
    std::int64_t rows = 0;
    std::int64_t channels = 0;
};

}  // namespace fw::kernels::cpu
