// Where the tensor memory accelerator finds a tensor: the driver's 128-byte description.
#pragma once

#include <cstdint>

namespace fw::kernels::cuda {

struct alignas(64) TensorMap {
    unsigned char bytes[128];
};

// bf16 [batch, tokens, heads, width]; strides in elements, multiples of 8.
struct TensorMapSpec {
    const void* data;
    std::int64_t batch, tokens, heads, width;
    std::int64_t batchStride, tokenStride, headStride;
    int boxTokens;  // a box is boxTokens x 64 elements, its 16-byte units exchanged for wgmma; past the end zeros
};

// False when the driver refuses.
[[nodiscard]] bool makeTensorMap(TensorMap& map, const TensorMapSpec& spec);

// bf16 in five dimensions, the fastest first and contiguous; strides of the others in elements, multiples of 8. A
// box is 64 elements wide and holds its other extents' product of rows of them, the second dimension fastest;
// elements outside the tensor, on either side, become zeros.
struct GridMapSpec {
    const void* data;
    std::int64_t extents[5];
    std::int64_t strides[4];
    int box[4];  // but for the fastest dimension
};

// False when the driver refuses.
[[nodiscard]] bool makeGridMap(TensorMap& map, const GridMapSpec& spec);

}  // namespace fw::kernels::cuda
