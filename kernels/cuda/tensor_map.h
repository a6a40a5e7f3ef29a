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

// A clip's tokens as places of `frames` frames each: token = frame · places + place. Boxes hold every frame of
// spec.boxTokens / frames neighbouring places, frames fastest. False when the driver refuses.
[[nodiscard]] bool makePlacesMap(TensorMap& map, const TensorMapSpec& spec, std::int64_t frames);

}  // namespace fw::kernels::cuda
