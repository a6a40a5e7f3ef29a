// The tiles of attention_amx.cpp: layout of the scratch memory, packing of operands, and products. Included by it
// alone, inside the region that is compiled for these instructions, which is why it includes nothing itself.
#pragma once

namespace fw::kernels::cpu {

namespace {

constexpr std::int64_t kTile = 16;  // rows of a tile; also f32 columns, and queries in a vector
constexpr std::int64_t kPair = 32;  // bf16 columns of a tile
constexpr std::int64_t kTileBytes = 1024;
constexpr std::int64_t kTileFloats = 256;
constexpr std::int64_t kRowBytes = 64;
constexpr std::int64_t kQueryTiles = 2;
constexpr std::int64_t kQueries = kQueryTiles * kTile;
constexpr std::int64_t kKeyBlock = 64;
constexpr std::int64_t kGroups = kKeyBlock / kPair;  // of 32 keys in a block
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

// The head widths that are compiled, in chunks of 32; others are filled up with zeros to the next.
constexpr std::int64_t kChunkCounts[] = {1, 2, 3, 4, 6, 8, 12, 16};

std::int64_t chunksOf(std::int64_t headDim) {
    return *std::lower_bound(std::begin(kChunkCounts), std::end(kChunkCounts), roundUp(headDim, kPair) / kPair);
}

std::int64_t panelBytes(std::int64_t keys, std::int64_t headDim) {
    return roundUp(keys, kPair) / kPair * chunksOf(headDim) * 2 * kTileBytes;
}

// Scratch of one thread. All of it is whole tiles, each 1 KiB and contiguous:
// Qᵀ (d / 32, query tile), Sᵀ (key tile, query tile), Pᵀ (pair of key tiles, query tile), Oᵀ (d / 16, query tile).
// Sᵀ and Pᵀ exist twice, for even and odd key blocks.
struct Scratch {
    std::byte* queries;
    float* scores[2];
    std::byte* probabilities[2];
    float* output;
};

constexpr std::int64_t kScoreBytes = kKeyTiles * kQueryTiles * kTileBytes;

Scratch viewScratch(std::byte* memory, std::int64_t chunks) {
    std::byte* scores = memory + chunks * kQueryTiles * kTileBytes;
    std::byte* probabilities = scores + 2 * kScoreBytes;
    return {memory,
            {reinterpret_cast<float*>(scores), reinterpret_cast<float*>(scores + kScoreBytes)},
            {probabilities, probabilities + kScoreBytes / 2},
            reinterpret_cast<float*>(probabilities + kScoreBytes)};
}

std::int64_t scratchBytes(std::int64_t headDim) {
    return 3 * chunksOf(headDim) * kQueryTiles * kTileBytes + 3 * kScoreBytes;
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
    const std::int64_t left = headDim - d;
    const __mmask32 inside = left >= kPair ? 0xFFFFFFFFU : left > 0 ? 0xFFFFU : 0U;
    return _mm512_maskz_loadu_epi16(inside, row + d);
}

void packKeys(const BlockTask& task) {
    const AttentionArgs& args = *task.args;
    const std::int64_t chunks = chunksOf(args.headDim);
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
    const std::int64_t dTiles = 2 * chunksOf(args.headDim);
    const auto* source =
        static_cast<const std::uint16_t*>(args.v) + task.batch * args.vBatch + task.head * args.vHead;
    const std::int64_t end = task.first + task.count;
    for (std::int64_t group = task.first; group < end; group += kPair) {
        for (std::int64_t tile = 0; tile < dTiles; ++tile) {
            __m512i rows[16];
#pragma GCC unroll 16
            for (std::int64_t pair = 0; pair < kTile; ++pair) {
                const std::int64_t key = group + 2 * pair;
                const auto load = [&](std::int64_t k) {
                    const auto* address = source + k * args.vToken + tile * kTile;
                    return k < end && tile * kTile < args.headDim ? _mm512_cvtepu16_epi32(_mm256_loadu_si256(
                                                                        reinterpret_cast<const __m256i*>(address)))
                                                                  : _mm512_setzero_si512();
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
    const auto* source = static_cast<const std::uint16_t*>(args.q) + task.batch * args.qBatch +
                         task.head * args.qHead + task.first * args.qToken;
    const __m512i sign = _mm512_set1_epi16(args.scale < 0.0F ? std::numeric_limits<short>::min() : short{0});
    for (std::int64_t d = 0; d < chunksOf(args.headDim) * kPair; d += kPair) {
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            __m512i rows[16];
#pragma GCC unroll 16
            for (std::int64_t row = 0; row < kTile; ++row) {
                const std::int64_t query = tile * kTile + row;
                rows[row] = query < task.count ? loadPairs(source + query * args.qToken, d, args.headDim)
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

// Products of two left tiles with two right tiles into the sums in tiles 0 to 3.
FW_INLINE void multiplyTiles(const std::byte* left, const std::byte* secondLeft, const std::byte* right) {
    _tile_loadd(4, left, kRowBytes);
    _tile_loadd(6, right, kRowBytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, right + kTileBytes, kRowBytes);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, secondLeft, kRowBytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

FW_INLINE void zeroSums() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

FW_INLINE void loadSums(const float* source) {
    _tile_loadd(0, source, kRowBytes);
    _tile_loadd(1, source + kTileFloats, kRowBytes);
    _tile_loadd(2, source + 2 * kTileFloats, kRowBytes);
    _tile_loadd(3, source + 3 * kTileFloats, kRowBytes);
}

template <int kSum>
FW_INLINE void storeSum(float* target) {
    float* address = target + kSum * kTileFloats;
    if constexpr (kSum == 0) {  // the intrinsic pastes the register's number into the assembler text
        _tile_stored(0, address, kRowBytes);
    } else if constexpr (kSum == 1) {
        _tile_stored(1, address, kRowBytes);
    } else if constexpr (kSum == 2) {
        _tile_stored(2, address, kRowBytes);
    } else {
        _tile_stored(3, address, kRowBytes);
    }
}

}  // namespace

}  // namespace fw::kernels::cpu
