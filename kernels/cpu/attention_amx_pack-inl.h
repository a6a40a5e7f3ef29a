// Between memory and tiles: packing, bias and result. Part of attention_amx.cpp, which includes it where the
// instructions are allowed; nothing else can.
#pragma once

#include "kernels/cpu/attention_amx_softmax-inl.h"
#include "kernels/cpu/attention_amx_tiles-inl.h"

namespace fw::kernels::cpu {
namespace {

// The head widths that are compiled, in chunks of 32; others are filled up with zeros to the next.
constexpr std::int64_t kChunkCounts[] = {1, 2, 3, 4, 6, 8, 12, 16};

std::int64_t chunksOf(std::int64_t headDim) {
    return *std::lower_bound(std::begin(kChunkCounts), std::end(kChunkCounts), roundUp(headDim, kPair) / kPair);
}

std::int64_t panelBytes(std::int64_t keys, std::int64_t headDim) {
    return roundUp(keys, kPair) / kPair * chunksOf(headDim) * 2 * kTileBytes;
}

void packKeys(const BlockTask& task) {
    const AttentionArgs& args = *task.args;
    const std::int64_t chunks = chunksOf(args.headDim);
    const auto* source =
        static_cast<const std::uint16_t*>(args.k) + task.batch * args.kBatch + task.head * args.kHead;
    const std::int64_t end = task.first + (task.isSparse() ? kKeyBlock : roundUp(task.count, kPair));
    for (std::int64_t key = task.first; key < end; ++key) {
        std::byte* row = task.panel.keys + key / kTile * chunks * kTileBytes + key % kTile * kRowBytes;
        for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
            const __m512i values =
                key < task.first + task.count
                    ? loadPairs(source + task.token(key - task.first) * args.kToken, chunk * kPair, args.headDim)
                    : _mm512_setzero_si512();
            _mm512_store_si512(row + chunk * kTileBytes, values);
        }
    }
}

// Tiles of Vᵀ: 16 rows of d, 32 keys each. Two keys make one row of 32-bit pairs, which then is transposed.
void packValues(const BlockTask& task) {
    const AttentionArgs& args = *task.args;
    const std::int64_t dTiles = 2 * chunksOf(args.headDim);
    const auto* source =
        static_cast<const std::uint16_t*>(args.v) + task.batch * args.vBatch + task.head * args.vHead;
    const std::int64_t end = task.first + task.count;
    const std::int64_t filled = task.isSparse() ? task.first + kKeyBlock : end;
    for (std::int64_t group = task.first; group < filled; group += kPair) {
        for (std::int64_t tile = 0; tile < dTiles; ++tile) {
            __m512i rows[16];
#pragma GCC unroll 16
            for (std::int64_t pair = 0; pair < kTile; ++pair) {
                const std::int64_t key = group + 2 * pair;
                const auto load = [&](std::int64_t k) {
                    if (k >= end || tile * kTile >= args.headDim) {
                        return _mm512_setzero_si512();
                    }
                    const auto* address = source + task.token(k - task.first) * args.vToken + tile * kTile;
                    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(address)));
                };
                rows[pair] = _mm512_or_si512(load(key), _mm512_slli_epi32(load(key + 1), 16));
            }
            transpose(rows);
            std::byte* target = task.panel.values + (group / kPair * dTiles + tile) * kTileBytes;
#pragma GCC unroll 16
            for (std::int64_t row = 0; row < kTile; ++row) {
                _mm512_store_si512(target + row * kRowBytes, rows[row]);
            }
        }
    }
}

void pack(const BlockTask& task) {
    packKeys(task);
    packValues(task);
}

// Qᵀ in VNNI tiles; queries beyond the last are zero. A negative scale is taken as the negative query, so that the
// largest score stays the one of the largest product.
void packQueries(const BlockTask& task, std::byte* packed) {
    const AttentionArgs& args = *task.args;
    const auto* source =
        static_cast<const std::uint16_t*>(args.q) + task.batch * args.qBatch + task.head * args.qHead;
    const __m512i sign = _mm512_set1_epi16(args.scale < 0.0F ? std::numeric_limits<short>::min() : short{0});
    for (std::int64_t d = 0; d < chunksOf(args.headDim) * kPair; d += kPair) {
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            __m512i rows[16];
#pragma GCC unroll 16
            for (std::int64_t row = 0; row < kTile; ++row) {
                const std::int64_t query = tile * kTile + row;
                rows[row] = query < task.count
                                ? loadPairs(source + task.token(query) * args.qToken, d, args.headDim)
                                : _mm512_setzero_si512();
                rows[row] = _mm512_xor_si512(rows[row], sign);
            }
            transpose(rows);
            std::byte* target = packed + (d / kPair * kQueryTiles + tile) * kTileBytes;
#pragma GCC unroll 16
            for (std::int64_t row = 0; row < kTile; ++row) {
                _mm512_store_si512(target + row * kRowBytes, rows[row]);
            }
        }
    }
}

// Scores become score · factor + bias · log2(e), transposing the bias tile by tile.
void addBias(const BlockTask& task, std::int64_t firstKey, std::int64_t keys, float factor, float* scores) {
    const AttentionArgs& args = *task.args;
    const float* bias = args.bias + task.head * args.biasHead + task.first * args.biasQuery + firstKey;
    for (std::int64_t key = 0; key < keys; key += kTile) {
        const __mmask16 inside = static_cast<__mmask16>((1U << std::min(kTile, keys - key)) - 1U);
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            __m512i rows[16];
#pragma GCC unroll 16
            for (std::int64_t row = 0; row < kTile; ++row) {
                const std::int64_t query = tile * kTile + row;
                rows[row] = query < task.count
                                ? _mm512_maskz_loadu_epi32(inside, bias + query * args.biasQuery + key)
                                : _mm512_setzero_si512();
            }
            transpose(rows);
            float* target = scores + (key / kTile * kQueryTiles + tile) * kTileFloats;
#pragma GCC unroll 16
            for (std::int64_t row = 0; row < kTile; ++row) {
                const __m512 scaled = _mm512_mul_ps(_mm512_load_ps(target + row * kTile), _mm512_set1_ps(factor));
                _mm512_store_ps(target + row * kTile,
                                _mm512_fmadd_ps(_mm512_castsi512_ps(rows[row]), _mm512_set1_ps(kLog2E), scaled));
            }
        }
    }
}

// The first key's scores, in units where a score times `factor` is a power of two.
void raiseFirstKey(const AttentionArgs& args, float factor, float* scores) {
    const __m512 raised = _mm512_set1_ps(args.firstKeyBias * kLog2E / factor);
    for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
        float* row = scores + tile * kTileFloats;
        _mm512_store_ps(row, _mm512_add_ps(_mm512_load_ps(row), raised));
    }
}

// Scores of the keys a query does not see become -inf.
void maskScores(const BlockTask& task, const KeySlot& slot, float* scores) {
    const __m512 hidden = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
    for (std::int64_t key = 0; key < slot.count; ++key) {
        const QueryRange range = queriesWithin(task, slot.position + key * slot.step);
        const std::uint64_t within = (1ULL << range.end) - (1ULL << range.begin);
        const std::uint64_t outside = slot.mask == SlotMask::Within ? ~within : within;
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            float* row = scores + (key / kTile * kQueryTiles + tile) * kTileFloats + key % kTile * kTile;
            _mm512_mask_store_ps(row, static_cast<__mmask16>(outside >> (tile * kTile)), hidden);
        }
    }
}

// A query whose every score is -inf has a sum of zero and gets zeros.
void storeOutput(const BlockTask& task, const float* output, const Softmax (&state)[kQueryTiles]) {
    const AttentionArgs& args = *task.args;
    auto* out = static_cast<std::uint16_t*>(args.out) + task.batch * args.outBatch + task.head * args.outHead;
    for (std::int64_t tile = 0; tile < kQueryTiles && tile * kTile < task.count; ++tile) {
        const __m512 sum = state[tile].sum;
        const __mmask16 some = _mm512_cmp_ps_mask(sum, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        const __m512 inverse = _mm512_maskz_div_ps(some, _mm512_set1_ps(1.0F), sum);
        for (std::int64_t d = 0; d < args.headDim; d += kTile) {
            const float* source = output + (d / kTile * kQueryTiles + tile) * kTileFloats;
            __m512i rows[16];
#pragma GCC unroll 16
            for (std::int64_t row = 0; row < kTile; ++row) {
                rows[row] = _mm512_castps_si512(_mm512_mul_ps(_mm512_load_ps(source + row * kTile), inverse));
            }
            transpose(rows);
            for (std::int64_t row = 0; row < std::min(kTile, task.count - tile * kTile); ++row) {
                const __m256i half = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_castsi512_ps(rows[row])));
                auto* target = out + task.token(tile * kTile + row) * args.outToken + d;
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(target), half);
            }
        }
    }
}

}  // namespace
}  // namespace fw::kernels::cpu
