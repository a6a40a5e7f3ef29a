// Scores of single rows of attention in AMX bf16 tiles: S [queries, keys] = Q · Kᵀ, written where they belong.
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/attention_internal.h"
#include "kernels/cpu/attention_rows_internal.h"

namespace fw::kernels::cpu {

bool hasRowTiles() {
    return findAmxAttentionKernel() != nullptr;
}

}  // namespace fw::kernels::cpu

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <limits>

// As in attention_amx.cpp: only what follows may use these instructions.
#if defined(__clang__)
#pragma clang attribute push(                                                                            \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2,amx-tile,amx-bf16"))), \
    apply_to = function)
#else
#pragma GCC diagnostic ignored "-Wuninitialized"  // false positives inside g++ 12's own intrinsics (GCC bug 105593)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2,amx-tile,amx-bf16")
#endif

#include "kernels/cpu/attention_amx_tiles-inl.h"

namespace fw::kernels::cpu {

namespace {

// The wanted queries as left operands: tiles (query tile, chunk of 32 elements); rows beyond the last are zero.
void packWanted(const RowsTask& task, std::int64_t chunks, std::byte* packed) {
    const AttentionRowsArgs& args = *task.args;
    const auto* source = static_cast<const std::uint16_t*>(args.q) + task.head * args.qHead;
    for (std::int64_t row = 0; row < kQueries; ++row) {
        const bool exists = task.first + row < task.last;
        for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
            const __m512i values = exists ? loadPairs(source + args.wanted[task.first + row] * args.qToken,
                                                      chunk * kPair, args.headDim)
                                          : _mm512_setzero_si512();
            _mm512_store_si512(packed + (row / kTile * chunks + chunk) * kTileBytes + row % kTile * kRowBytes,
                               values);
        }
    }
}

// 32 keys as right operands, pairs of elements interleaved: tiles (chunk, key tile); keys beyond the last are zero.
void packKeyPair(const RowsTask& task, std::int64_t firstKey, std::int64_t chunks, std::byte* packed) {
    const AttentionRowsArgs& args = *task.args;
    const auto* source = static_cast<const std::uint16_t*>(args.k) + task.head * args.kHead;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
        for (std::int64_t tile = 0; tile < 2; ++tile) {
            __m512i rows[16];
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kTile; ++i) {
                const std::int64_t key = firstKey + tile * kTile + i;
                rows[i] = key < args.keys ? loadPairs(source + key * args.kToken, chunk * kPair, args.headDim)
                                          : _mm512_setzero_si512();
            }
            transpose(rows);
            std::byte* target = packed + (chunk * 2 + tile) * kTileBytes;
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kTile; ++i) {
                _mm512_store_si512(target + i * kRowBytes, rows[i]);
            }
        }
    }
}

// The four sums: 32 rows `stride` elements apart, 32 columns.
void storeSums(float* target, std::int64_t stride) {
    const std::int64_t bytes = stride * static_cast<std::int64_t>(sizeof(float));
    _tile_stored(0, target, bytes);
    _tile_stored(1, target + kTile, bytes);
    _tile_stored(2, target + kTile * stride, bytes);
    _tile_stored(3, target + kTile * stride + kTile, bytes);
}

}  // namespace

static_assert(kRowGroup == kQueries && kKeyTile >= kPair);

void scoreRowsInTiles(const RowsTask& task) {
    const AttentionRowsArgs& args = *task.args;
    const std::int64_t chunks = tiledWidth(args.headDim) / kPair;
    auto* queries = reinterpret_cast<std::byte*>(task.scratch);
    std::byte* keys = queries + kQueryTiles * chunks * kTileBytes;
    packWanted(task, chunks, queries);
    float* out = args.out + (task.head * args.rows + task.first) * args.keys;
    const std::int64_t rows = task.last - task.first;
    const TileConfiguration tiles;
    for (std::int64_t key = 0; key < args.keys; key += kPair) {
        packKeyPair(task, key, chunks, keys);
        orderMemory();
        zeroSums();
        for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
            const std::byte* left = queries + chunk * kTileBytes;
            multiplyTiles(left, left + chunks * kTileBytes, keys + chunk * 2 * kTileBytes);
        }
        const std::int64_t columns = std::min(kPair, args.keys - key);
        if (rows == kQueries && columns == kPair) {
            storeSums(out + key, args.keys);
            orderMemory();
            continue;
        }
        alignas(64) float edge[kQueries * kPair];
        storeSums(edge, kPair);
        orderMemory();
        for (std::int64_t row = 0; row < rows; ++row) {
            std::memcpy(out + row * args.keys + key, edge + row * kPair,
                        static_cast<std::size_t>(columns) * sizeof(float));
        }
    }
}

}  // namespace fw::kernels::cpu

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else

namespace fw::kernels::cpu {
void scoreRowsInTiles(const RowsTask&) {}
}  // namespace fw::kernels::cpu

#endif
