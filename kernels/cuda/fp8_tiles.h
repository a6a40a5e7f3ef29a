// Operands of attention in e4m3 as they will lie in shared memory, tile by tile, so that a tile is one plain copy.
#pragma once

#include <cstdint>

#include "kernels/cuda/api.h"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

// A tile of rows lies in columns of 32 bytes, each [rows][32] with the 16-byte units of every second four rows
// exchanged (32-byte swizzle): an element's address within its column has bit 4 flipped where bit 7 is set.
inline constexpr int kFp8Column = 32;
[[nodiscard]] __host__ __device__ constexpr int fp8Swizzled(int address) {
    return address ^ (address >> 7 & 1) << 4;
}

// Keys of a group of 32 in the order in which values lie, so that probabilities, as a product's sums lie in
// registers, are the next product's operand: position p holds key fp8KeyAt(p).
[[nodiscard]] __host__ __device__ constexpr int fp8KeyAt(int position) {
    return position / 16 * 16 + position % 4 / 2 * 8 + position % 16 / 4 * 2 + position % 2;
}

// One call's operands in scratch memory. Rows past the last query or key are zeros.
struct Fp8Operands {
    std::uint8_t* q;  // [batch, heads, query tiles] tiles of [tileQueries, headDim]
    std::uint8_t* k;  // [batch, heads, key tiles] tiles of [tileKeys, headDim], each without the mean of all keys
    std::uint8_t* v;  // the same number of tiles of [headDim, tileKeys], keys in the order of fp8KeyAt()
    float* qScales;   // [batch, heads, query tiles, tileQueries]
    float* scales;    // [batch, heads, 2]: of keys, of values
    float* means;     // [batch, heads, headDim] of keys
    float* ranges;    // [batch, heads, chunks, headDim, 4]: sum, least and greatest key, greatest |value|
    std::int64_t queryTiles, keyTiles, chunks;
    int tileQueries, tileKeys;
};

// Takes the scratch memory and queues the passes that fill it. headDim 64 or 128, rows 16-byte aligned.
[[nodiscard]] Code quantiseForAttention(Queue& queue, const AttentionArgs& args, int tileQueries, int tileKeys,
                                        Fp8Operands& operands);

}  // namespace fw::kernels::cuda
