// Copies with conversion and permutation, gathers and nearest-neighbour scaling on the CPU.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/cpu/element.h"
#include "kernels/cpu/loop_nest.h"

namespace fw::kernels::cpu {

// y = x with conversion between any two element types. Operand 0 of the nest is y, 1 is x; strides of x may be zero
// or negative, those of y must not overlap. Equal types are copied bit by bit.
struct CopyArgs {
    LoopNest<2> nest;
    void* y = nullptr;
    Element yElement = Element::F32;
    const void* x = nullptr;
    Element xElement = Element::F32;
};
void copy(const CopyArgs& args, int threads);

// y[i] = table[ids[i]], f32 or bf16 each; every id must lie inside the table.
struct EmbedArgs {
    std::int64_t rows = 0;
    std::int64_t channels = 0;
    ConstRows table;
    const std::int32_t* ids = nullptr;
    Rows y;
};
void embed(const EmbedArgs& args, int threads);

// y[b, t, 2h+i, 2w+j] = x[b, t, h, w] for i, j in {0, 1}: pixels of `pixelBytes` bytes; strides in bytes: B, T, H,
// W.
struct Upsample2xArgs {
    std::array<std::int64_t, 4> extents{};  // of x: B, T, H, W
    std::int64_t pixelBytes = 0;
    const void* x = nullptr;
    void* y = nullptr;
    std::array<std::int64_t, 4> xStrides{};
    std::array<std::int64_t, 4> yStrides{};
};
void upsample2x(const Upsample2xArgs& args, int threads);

}  // namespace fw::kernels::cpu
