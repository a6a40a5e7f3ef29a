// Attention in AMX bf16 tiles with an AVX-512 softmax.
//
// As in attention_simd.cpp the scores are held transposed, one vector lane per query. With that
//     Sᵀ [keys, queries]    = K · Qᵀ     K is a left operand as it lies in memory; Qᵀ is packed once per query
//     block Oᵀ [headDim, queries] += Vᵀ · Pᵀ   Vᵀ is packed once per head; Pᵀ comes out of the softmax
// and no step needs a reduction across lanes. A right operand holds pairs of consecutive rows interleaved (VNNI).
#include <cstdint>
#include <cstring>

#include "kernels/cpu/attention_internal.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

namespace fw::kernels::cpu {

namespace {

// The kernel asks for permission because the tile registers make each thread's saved state 8 KiB larger:
// https://docs.kernel.org/arch/x86/xstate.html
bool requestTileState() {
    constexpr long kArchRequestXcompPermission = 0x1023;
    constexpr long kTileDataFeature = 18;
    return syscall(SYS_arch_prctl, kArchRequestXcompPermission, kTileDataFeature) == 0;
}

bool processorHasTiles() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(1, 0, &a, &b, &c, &d) == 0 || (c & (1U << 27)) == 0) {  // OSXSAVE
        return false;
    }
    unsigned low = 0, high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    constexpr unsigned kStates = 0x600E6;  // SSE, AVX, AVX-512 (three), tile configuration, tile data
    if ((low & kStates) != kStates || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) {
        return false;
    }
    constexpr unsigned kAvx512 = (1U << 16) | (1U << 17) | (1U << 30) | (1U << 31);  // F, DQ, BW, VL
    constexpr unsigned kAmx = (1U << 22) | (1U << 24);                               // BF16, TILE
    if ((b & kAvx512) != kAvx512 || (d & kAmx) != kAmx) {
        return false;
    }
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1U << 5)) != 0;  // AVX512_BF16
}

}  // namespace

}  // namespace fw::kernels::cpu

// Everything below may use these instructions and nothing above may: inline functions of the standard library that
// were compiled with them could otherwise be the copies the linker keeps for the whole program.
#if defined(__clang__)
#pragma clang attribute push(                                                                            \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2,amx-tile,amx-bf16"))), \
    apply_to = function)
#else
#pragma GCC diagnostic ignored "-Wuninitialized"  // false positives inside g++ 12's own intrinsics (GCC bug 105593)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2,amx-tile,amx-bf16")
#endif

namespace fw::kernels::cpu {

namespace {

constexpr std::int64_t kTile = 16;  // rows of a tile; also f32 columns, and queries in a vector
constexpr std::int64_t kPair = 32;  // bf16 columns of a tile
constexpr std::int64_t kTileBytes = 1024;
constexpr std::int64_t kTileFloats = 256;
constexpr std::int64_t kRowBytes = 64;
constexpr std::int64_t kQueryTiles = 2;
constexpr std::int64_t kQueries = kQueryTiles * kTile;
constexpr std::int64_t kKeyBlock = 128;
constexpr std::int64_t kKeyTiles = kKeyBlock / kTile;
constexpr std::int64_t kPackBlock = 128;
constexpr float kLog2E = 1.4426950408889634F;
constexpr float kLowest = std::numeric_limits<float>::lowest();
// The reference maximum of a query moves only when a score exceeds it by this many powers of two.
constexpr float kMaximumSlack = 8.0F;
// Above this a score times the scale is no longer exact enough to be fused with the subtraction of the maximum.
constexpr float kLargestFusedScore = 16777216.0F;

std::int64_t roundUp(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit * unit;
}

std::int64_t panelBytes(std::int64_t keys, std::int64_t headDim) {
    return roundUp(keys, kPair) * roundUp(headDim, kPair) * static_cast<std::int64_t>(sizeof(std::uint16_t));
}

// Scratch of one thread. All of it is whole tiles, each 1 KiB and contiguous:
// Qᵀ (d / 32, query tile), Sᵀ (key tile, query tile), Pᵀ (key pair of tiles, query tile), Oᵀ (d / 16, query tile).
struct Scratch {
    std::byte* queries;
    float* scores;
    std::byte* probabilities;
    float* output;
};

Scratch viewScratch(std::byte* memory, std::int64_t headDim) {
    std::byte* scores = memory + roundUp(headDim, kPair) / kPair * kQueryTiles * kTileBytes;
    std::byte* probabilities = scores + kKeyTiles * kQueryTiles * kTileBytes;
    std::byte* output = probabilities + kKeyTiles / 2 * kQueryTiles * kTileBytes;
    return {memory, reinterpret_cast<float*>(scores), probabilities, reinterpret_cast<float*>(output)};
}

std::int64_t scratchBytes(std::int64_t headDim) {
    const std::int64_t tiles = roundUp(headDim, kPair) / kPair + kKeyTiles + kKeyTiles / 2 + headDim / kTile;
    return tiles * kQueryTiles * kTileBytes;
}

// g++ 12 does not tell the optimiser that a tile load reads memory: stores before it must not be moved behind it.
inline void orderMemory() {
    __asm__ volatile("" ::: "memory");
}

// All eight tiles 16 rows of 64 bytes. Released when the block is done, so that other code on this thread (oneDNN)
// finds the tile state as unused as it would be without us.
class TileConfiguration {
 public:
    TileConfiguration() {
        struct alignas(64) {
            std::uint8_t palette = 1, startRow = 0, reserved[14] = {};
            std::uint16_t columnBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
            std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
        } const configuration;
        static_assert(sizeof(configuration) == 64);
        __asm__ volatile("ldtilecfg %0" ::"m"(configuration));
    }
    ~TileConfiguration() { _tile_release(); }
    TileConfiguration(const TileConfiguration&) = delete;
    TileConfiguration& operator=(const TileConfiguration&) = delete;
};

// Rows and columns of a 16 × 16 matrix of 32-bit elements, one row per register.
inline void transpose(__m512i (&rows)[16]) {
    __m512i other[16];
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        other[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        other[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        rows[i] = _mm512_unpacklo_epi64(other[i], other[i + 2]);
        rows[i + 1] = _mm512_unpackhi_epi64(other[i], other[i + 2]);
        rows[i + 2] = _mm512_unpacklo_epi64(other[i + 1], other[i + 3]);
        rows[i + 3] = _mm512_unpackhi_epi64(other[i + 1], other[i + 3]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        other[i] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0x88);
        other[i + 4] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0xDD);
        other[i + 8] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0x88);
        other[i + 12] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0xDD);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        rows[i] = _mm512_shuffle_i32x4(other[i], other[i + 8], 0x88);
        rows[i + 8] = _mm512_shuffle_i32x4(other[i], other[i + 8], 0xDD);
        rows[i + 4] = _mm512_shuffle_i32x4(other[i + 4], other[i + 12], 0x88);
        rows[i + 12] = _mm512_shuffle_i32x4(other[i + 4], other[i + 12], 0xDD);
    }
}

// Elements [d, d + 32) of a row of bf16, zeros from headDim on.
inline __m512i loadPairs(const std::uint16_t* row, std::int64_t d, std::int64_t headDim) {
    const __mmask32 inside = headDim - d >= kPair ? 0xFFFFFFFFU : 0xFFFFU;
    return _mm512_maskz_loadu_epi16(inside, row + d);
}

void packKeys(const BlockTask& task) {
    const AttentionArgs& args = *task.args;
    const std::int64_t chunks = roundUp(args.headDim, kPair) / kPair;
    const auto* source =
        static_cast<const std::uint16_t*>(args.k) + task.batch * args.kBatch + task.head * args.kHead;
    const std::int64_t end = task.first + roundUp(task.count, kPair);
    for (std::int64_t key = task.first; key < end; ++key) {
        std::byte* row = task.panel.keys + key / kTile * chunks * kTileBytes + key % kTile * kRowBytes;
        for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
            const __m512i values = key < task.first + task.count
                                       ? loadPairs(source + key * args.kToken, chunk * kPair, args.headDim)
                                       : _mm512_setzero_si512();
            _mm512_store_si512(row + chunk * kTileBytes, values);
        }
    }
}

// Tiles of Vᵀ: 16 rows of d, 32 keys each. Two keys make one row of 32-bit pairs, which then is transposed.
void packValues(const BlockTask& task) {
    const AttentionArgs& args = *task.args;
    const std::int64_t dTiles = args.headDim / kTile;
    const auto* source =
        static_cast<const std::uint16_t*>(args.v) + task.batch * args.vBatch + task.head * args.vHead;
    const std::int64_t end = task.first + task.count;
    for (std::int64_t group = task.first; group < end; group += kPair) {
        for (std::int64_t tile = 0; tile < dTiles; ++tile) {
            __m512i rows[16];
            for (std::int64_t pair = 0; pair < kTile; ++pair) {
                const std::int64_t key = group + 2 * pair;
                const auto load = [&](std::int64_t k) {
                    const auto* address = source + k * args.vToken + tile * kTile;
                    return k < end ? _mm512_cvtepu16_epi32(
                                         _mm256_loadu_si256(reinterpret_cast<const __m256i*>(address)))
                                   : _mm512_setzero_si512();
                };
                rows[pair] = _mm512_or_si512(load(key), _mm512_slli_epi32(load(key + 1), 16));
            }
            transpose(rows);
            std::byte* target = task.panel.values + (group / kPair * dTiles + tile) * kTileBytes;
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
    const auto* source = static_cast<const std::uint16_t*>(args.q) + task.batch * args.qBatch +
                         task.head * args.qHead + task.first * args.qToken;
    const __m512i sign = _mm512_set1_epi16(args.scale < 0.0F ? std::numeric_limits<short>::min() : short{0});
    for (std::int64_t d = 0; d < args.headDim; d += kPair) {
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            __m512i rows[16];
            for (std::int64_t row = 0; row < kTile; ++row) {
                const std::int64_t query = tile * kTile + row;
                rows[row] = query < task.count ? loadPairs(source + query * args.qToken, d, args.headDim)
                                               : _mm512_setzero_si512();
                rows[row] = _mm512_xor_si512(rows[row], sign);
            }
            transpose(rows);
            std::byte* target = packed + (d / kPair * kQueryTiles + tile) * kTileBytes;
            for (std::int64_t row = 0; row < kTile; ++row) {
                _mm512_store_si512(target + row * kRowBytes, rows[row]);
            }
        }
    }
}

// Sᵀ of two key tiles and two query tiles.
inline void multiplyScores(const std::byte* keys, const std::byte* queries, std::int64_t chunks, float* scores) {
    orderMemory();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    const std::byte* secondKeys = keys + chunks * kTileBytes;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
        _tile_loadd(4, keys + chunk * kTileBytes, kRowBytes);
        _tile_loadd(6, queries + (2 * chunk) * kTileBytes, kRowBytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, queries + (2 * chunk + 1) * kTileBytes, kRowBytes);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, secondKeys + chunk * kTileBytes, kRowBytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, scores, kRowBytes);
    _tile_stored(1, scores + kTileFloats, kRowBytes);
    _tile_stored(2, scores + 2 * kTileFloats, kRowBytes);
    _tile_stored(3, scores + 3 * kTileFloats, kRowBytes);
    orderMemory();
}

// Two tiles of d of Oᵀ += Vᵀ Pᵀ over `groups` groups of 32 keys. `values` points at the first of the two d tiles.
inline void multiplyValues(const std::byte* values, const std::byte* probabilities, std::int64_t groups,
                           std::int64_t dTiles, float* output) {
    orderMemory();
    _tile_loadd(0, output, kRowBytes);
    _tile_loadd(1, output + kTileFloats, kRowBytes);
    _tile_loadd(2, output + 2 * kTileFloats, kRowBytes);
    _tile_loadd(3, output + 3 * kTileFloats, kRowBytes);
    for (std::int64_t group = 0; group < groups; ++group) {
        _tile_loadd(4, values, kRowBytes);
        _tile_loadd(6, probabilities, kRowBytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, probabilities + kTileBytes, kRowBytes);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, values + kTileBytes, kRowBytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        values += dTiles * kTileBytes;
        probabilities += kQueryTiles * kTileBytes;
    }
    _tile_stored(0, output, kRowBytes);
    _tile_stored(1, output + kTileFloats, kRowBytes);
    _tile_stored(2, output + 2 * kTileFloats, kRowBytes);
    _tile_stored(3, output + 3 * kTileFloats, kRowBytes);
    orderMemory();
}

// The same for one tile of d: head widths that are an odd multiple of 16.
inline void multiplyLastValues(const std::byte* values, const std::byte* probabilities, std::int64_t groups,
                               std::int64_t dTiles, float* output) {
    orderMemory();
    _tile_loadd(0, output, kRowBytes);
    _tile_loadd(1, output + kTileFloats, kRowBytes);
    for (std::int64_t group = 0; group < groups; ++group) {
        _tile_loadd(4, values + group * dTiles * kTileBytes, kRowBytes);
        _tile_loadd(6, probabilities + 2 * group * kTileBytes, kRowBytes);
        _tile_loadd(7, probabilities + (2 * group + 1) * kTileBytes, kRowBytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
    }
    _tile_stored(0, output, kRowBytes);
    _tile_stored(1, output + kTileFloats, kRowBytes);
    orderMemory();
}

// 2^x for x <= about kMaximumSlack; relative error 2.6e-6, a two-hundredth of what rounding to bf16 does. Exactly 0
// for x <= -127 (the constant term must be exactly 1 for that), NaN for NaN. x = n + f with f in [-1/2, 1/2].
inline __m512 exp2(__m512 x) {
    const __m512 magic = _mm512_set1_ps(12582912.0F);  // 1.5 · 2^23: adding it rounds to an integer in the low bits
    x = _mm512_max_ps(_mm512_set1_ps(-127.0F), x);     // in this order NaN stays
    const __m512 shifted = _mm512_add_ps(x, magic);
    const __m512 fraction = _mm512_sub_ps(x, _mm512_sub_ps(shifted, magic));
    __m512 power = _mm512_set1_ps(0.009570101276040077F);
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.05591785907745361F));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.240247443318367F));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.6931217908859253F));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(1.0F));
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(power), exponent));
}

// Of the 16 queries of one query tile.
struct Softmax {
    __m512 reference;  // maximum, in units of the raw scores
    __m512 sum;
    bool fused;  // |reference · factor| is small enough for the fused form
};

// What turns raw scores into powers of two.
struct ScoreScale {
    float factor;  // |scale| · log2(e), or 1 once the bias has been added
    float slack;   // kMaximumSlack in units of the raw scores
};

inline const float* scoreRow(const float* scores, std::int64_t key, std::int64_t queryTile) {
    return scores + (key / kTile * kQueryTiles + queryTile) * kTileFloats + key % kTile * kTile;
}

// Raises the reference maximum where these scores ask for it. Returns whether it did; `rescale` then holds what the
// output gathered so far must be multiplied by.
inline bool moveMaximum(const float* scores, std::int64_t keys, std::int64_t queryTile, const ScoreScale& scale,
                        Softmax& state, __m512& rescale) {
    __m512 top[4] = {_mm512_set1_ps(kLowest), _mm512_set1_ps(kLowest), _mm512_set1_ps(kLowest),
                     _mm512_set1_ps(kLowest)};
    std::int64_t key = 0;
    for (; key + kTile <= keys; key += kTile) {
        const float* tile = scoreRow(scores, key, queryTile);
#pragma GCC unroll 16
        for (int row = 0; row < kTile; ++row) {  // NaN is passed over here and shows up in the sum
            top[row % 4] = _mm512_max_ps(_mm512_load_ps(tile + row * kTile), top[row % 4]);
        }
    }
    for (; key < keys; ++key) {
        top[0] = _mm512_max_ps(_mm512_load_ps(scoreRow(scores, key, queryTile)), top[0]);
    }
    const __m512 highest = _mm512_max_ps(_mm512_max_ps(top[0], top[1]), _mm512_max_ps(top[2], top[3]));
    const __m512 limit = _mm512_add_ps(state.reference, _mm512_set1_ps(scale.slack));
    if (_mm512_cmp_ps_mask(highest, limit, _CMP_GT_OQ) == 0) {
        return false;
    }
    const __m512 factor = _mm512_set1_ps(scale.factor);
    const __m512 moved = _mm512_max_ps(highest, state.reference);
    rescale = exp2(_mm512_mul_ps(_mm512_sub_ps(state.reference, moved), factor));
    state.reference = moved;
    state.sum = _mm512_mul_ps(state.sum, rescale);
    const __m512 size = _mm512_abs_ps(_mm512_mul_ps(moved, factor));
    state.fused = _mm512_cmp_ps_mask(size, _mm512_set1_ps(kLargestFusedScore), _CMP_NLE_UQ) == 0;
    return true;
}

template <bool kFused>
inline __m512 probability(const float* score, __m512 factor, __m512 reference) {
    const __m512 raw = _mm512_load_ps(score);
    return exp2(kFused ? _mm512_fmsub_ps(raw, factor, reference)
                       : _mm512_mul_ps(_mm512_sub_ps(raw, reference), factor));
}

// Pᵀ of a group of up to 32 keys in VNNI rows; rows of keys that are not there become zero.
template <bool kFused>
inline void exponentiateGroup(const float* scores, std::int64_t keys, std::int64_t queryTile, float factor,
                              Softmax& state, std::byte* probabilities) {
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                                22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512 factors = _mm512_set1_ps(factor);
    const __m512 reference = kFused ? _mm512_mul_ps(state.reference, factors) : state.reference;
    __m512 sums[2] = {state.sum, _mm512_setzero_ps()};
    const auto store = [&](std::int64_t row, __m512 even, __m512 odd) {
        const __m512i both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd, even));
        _mm512_store_si512(probabilities + row * kRowBytes, _mm512_permutexvar_epi16(interleave, both));
    };
    const float* first = scores + queryTile * kTileFloats;
    const auto rowOf = [&](std::int64_t key) {
        return first + key / kTile * kQueryTiles * kTileFloats + key % kTile * kTile;
    };
    if (keys >= kPair) {
#pragma GCC unroll 16
        for (std::int64_t row = 0; row < kTile; ++row) {
            const __m512 even = probability<kFused>(rowOf(2 * row), factors, reference);
            const __m512 odd = probability<kFused>(rowOf(2 * row + 1), factors, reference);
            sums[0] = _mm512_add_ps(sums[0], even);
            sums[1] = _mm512_add_ps(sums[1], odd);
            store(row, even, odd);
        }
    } else {
        for (std::int64_t row = 0; row < kTile; ++row) {
            const __m512 none = _mm512_setzero_ps();
            const __m512 even = 2 * row < keys ? probability<kFused>(rowOf(2 * row), factors, reference) : none;
            const __m512 odd =
                2 * row + 1 < keys ? probability<kFused>(rowOf(2 * row + 1), factors, reference) : none;
            sums[0] = _mm512_add_ps(sums[0], even);
            sums[1] = _mm512_add_ps(sums[1], odd);
            store(row, even, odd);
        }
    }
    state.sum = _mm512_add_ps(sums[0], sums[1]);
}

inline void rescaleOutput(float* output, std::int64_t dTiles, std::int64_t queryTile, __m512 factor) {
    for (std::int64_t tile = 0; tile < dTiles; ++tile) {
        float* rows = output + (tile * kQueryTiles + queryTile) * kTileFloats;
        for (std::int64_t row = 0; row < kTile; ++row) {
            _mm512_store_ps(rows + row * kTile, _mm512_mul_ps(_mm512_load_ps(rows + row * kTile), factor));
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
            for (std::int64_t row = 0; row < kTile; ++row) {
                const std::int64_t query = tile * kTile + row;
                rows[row] = query < task.count
                                ? _mm512_maskz_loadu_epi32(inside, bias + query * args.biasQuery + key)
                                : _mm512_setzero_si512();
            }
            transpose(rows);
            float* target = scores + (key / kTile * kQueryTiles + tile) * kTileFloats;
            for (std::int64_t row = 0; row < kTile; ++row) {
                const __m512 scaled = _mm512_mul_ps(_mm512_load_ps(target + row * kTile), _mm512_set1_ps(factor));
                _mm512_store_ps(target + row * kTile,
                                _mm512_fmadd_ps(_mm512_castsi512_ps(rows[row]), _mm512_set1_ps(kLog2E), scaled));
            }
        }
    }
}

// A query whose every score is -inf has a sum of zero and gets zeros.
void storeOutput(const BlockTask& task, const float* output, const Softmax (&state)[kQueryTiles]) {
    const AttentionArgs& args = *task.args;
    auto* out = static_cast<std::uint16_t*>(args.out) + task.batch * args.outBatch + task.head * args.outHead +
                task.first * args.outToken;
    for (std::int64_t tile = 0; tile < kQueryTiles && tile * kTile < task.count; ++tile) {
        const __m512 sum = state[tile].sum;
        const __mmask16 some = _mm512_cmp_ps_mask(sum, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        const __m512 inverse = _mm512_maskz_div_ps(some, _mm512_set1_ps(1.0F), sum);
        for (std::int64_t d = 0; d < args.headDim; d += kTile) {
            const float* source = output + (d / kTile * kQueryTiles + tile) * kTileFloats;
            __m512i rows[16];
            for (std::int64_t row = 0; row < kTile; ++row) {
                rows[row] = _mm512_castps_si512(_mm512_mul_ps(_mm512_load_ps(source + row * kTile), inverse));
            }
            transpose(rows);
            for (std::int64_t row = 0; row < std::min(kTile, task.count - tile * kTile); ++row) {
                const __m256i half = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_castsi512_ps(rows[row])));
                auto* target = out + (tile * kTile + row) * args.outToken + d;
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(target), half);
            }
        }
    }
}

void exponentiate(const Scratch& scratch, std::int64_t keys, float factor, Softmax (&state)[kQueryTiles]) {
    for (std::int64_t key = 0; key < keys; key += kPair) {
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            const float* scores = scratch.scores + key / kTile * kQueryTiles * kTileFloats;
            std::byte* target = scratch.probabilities + (key / kPair * kQueryTiles + tile) * kTileBytes;
            if (state[tile].fused) {
                exponentiateGroup<true>(scores, keys - key, tile, factor, state[tile], target);
            } else {
                exponentiateGroup<false>(scores, keys - key, tile, factor, state[tile], target);
            }
        }
    }
}

void attend(const BlockTask& task) {
    const AttentionArgs& args = *task.args;
    const std::int64_t chunks = roundUp(args.headDim, kPair) / kPair;
    const std::int64_t dTiles = args.headDim / kTile;
    const Scratch scratch = viewScratch(task.scratch, args.headDim);
    const float factor = std::abs(args.scale) * kLog2E;
    const ScoreScale scale =
        args.bias == nullptr ? ScoreScale{factor, kMaximumSlack / factor} : ScoreScale{1.0F, kMaximumSlack};
    Softmax state[kQueryTiles];
    for (Softmax& one : state) {
        one = {_mm512_set1_ps(kLowest), _mm512_setzero_ps(), true};
    }
    packQueries(task, scratch.queries);
    std::fill(scratch.output, scratch.output + dTiles * kQueryTiles * kTileFloats, 0.0F);
    const TileConfiguration tiles;
    for (std::int64_t first = 0; first < args.keys; first += kKeyBlock) {
        const std::int64_t count = std::min(kKeyBlock, args.keys - first);
        const std::int64_t groups = roundUp(count, kPair) / kPair;
        for (std::int64_t group = 0; group < groups; ++group) {
            const std::byte* keys = task.panel.keys + (first / kTile + 2 * group) * chunks * kTileBytes;
            multiplyScores(keys, scratch.queries, chunks, scratch.scores + group * 4 * kTileFloats);
        }
        if (args.bias != nullptr) {
            addBias(task, first, count, factor, scratch.scores);
        }
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            __m512 rescale;
            if (moveMaximum(scratch.scores, count, tile, scale, state[tile], rescale)) {
                rescaleOutput(scratch.output, dTiles, tile, rescale);
            }
        }
        exponentiate(scratch, count, scale.factor, state);
        const std::byte* values = task.panel.values + first / kPair * dTiles * kTileBytes;
        std::int64_t tile = 0;
        for (; tile + 2 <= dTiles; tile += 2) {
            multiplyValues(values + tile * kTileBytes, scratch.probabilities, groups, dTiles,
                           scratch.output + tile * kQueryTiles * kTileFloats);
        }
        if (tile < dTiles) {
            multiplyLastValues(values + tile * kTileBytes, scratch.probabilities, groups, dTiles,
                               scratch.output + tile * kQueryTiles * kTileFloats);
        }
    }
    storeOutput(task, scratch.output, state);
}

}  // namespace

}  // namespace fw::kernels::cpu

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace fw::kernels::cpu {

const AttentionKernel* findAmxAttentionKernel() {
    static const bool available = processorHasTiles() && requestTileState();
    static const AttentionKernel kernel = {
        AttentionTarget::AmxBf16, "amx_bf16", kQueries, kPackBlock, panelBytes, scratchBytes, pack, attend};
    return available ? &kernel : nullptr;
}

}  // namespace fw::kernels::cpu

#else

namespace fw::kernels::cpu {

const AttentionKernel* findAmxAttentionKernel() {
    return nullptr;
}

}  // namespace fw::kernels::cpu

#endif
