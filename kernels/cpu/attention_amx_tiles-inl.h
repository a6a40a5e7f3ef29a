// AMX tiles and their products. Part of attention_amx.cpp, which includes it where the instructions are allowed;
// nothing else can.
#pragma once

namespace fw::kernels::cpu {
namespace {

// For what lives in registers between the lines of one loop: left alone, g++ turns it into calls.
#define FW_INLINE __attribute__((always_inline)) inline

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

constexpr std::int64_t roundUp(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit * unit;
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
FW_INLINE void transpose(__m512i (&rows)[16]) {
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

// The tile products that go with the exponentials of one group of 32 keys: Sᵀ of one group of the next key block,
// and a part of Oᵀ += Vᵀ Pᵀ of the previous block.
struct TileWork {
    const std::byte* keys = nullptr;  // of the group of the next block; nullptr: none
    const std::byte* queries = nullptr;
    float* scores = nullptr;
    const std::byte* values = nullptr;  // of the previous block, which is a whole one; nullptr: none
    const std::byte* probabilities = nullptr;
    float* output = nullptr;
    std::int64_t firstUnit = 0;  // a unit is two tiles of d
    bool begin = false;          // output is not there yet
};

// TileWork as a fixed sequence of small actions, so that they can be spread between the vector instructions of the
// softmax. By itself the processor overlaps the two badly: a store of tiles waits for its products, and a few of
// those in a row fill the store buffer. An action is four products or the store of one tile.
template <int kChunks>
struct TileActions {
    static constexpr int kStores = 4;
    static constexpr int kUnits = (kChunks + kGroups - 1) / kGroups;  // of the output in one group
    static constexpr int kScoreActions = kChunks + kStores;
    static constexpr int kUnitActions = kGroups + kStores;
    static constexpr int kCount = kScoreActions + kUnits * kUnitActions;

    template <int kAction>
    FW_INLINE static void run(const TileWork& work) {
        orderMemory();
        if constexpr (kAction < kScoreActions) {
            if (work.keys != nullptr) {
                multiplyScores<kAction>(work);
            }
        } else {
            constexpr int kUnit = (kAction - kScoreActions) / kUnitActions;
            if (work.values != nullptr && work.firstUnit + kUnit < kChunks) {
                multiplyValues<(kAction - kScoreActions) % kUnitActions>(work, work.firstUnit + kUnit);
            }
        }
        orderMemory();
    }

 private:
    template <int kAction>
    FW_INLINE static void multiplyScores(const TileWork& work) {
        if constexpr (kAction == 0) {
            zeroSums();
        }
        if constexpr (kAction < kChunks) {
            const std::byte* left = work.keys + kAction * kTileBytes;
            multiplyTiles(left, left + kChunks * kTileBytes, work.queries + kAction * kQueryTiles * kTileBytes);
        } else {
            storeSum<kAction - kChunks>(work.scores);
        }
    }

    template <int kAction>
    FW_INLINE static void multiplyValues(const TileWork& work, std::int64_t unit) {
        float* target = work.output + unit * 2 * kQueryTiles * kTileFloats;
        if constexpr (kAction == 0) {
            if (work.begin) {
                zeroSums();
            } else {
                loadSums(target);
            }
        }
        if constexpr (kAction < kGroups) {
            const std::byte* left = work.values + (kAction * kChunks + unit) * 2 * kTileBytes;
            multiplyTiles(left, left + kTileBytes, work.probabilities + kAction * kQueryTiles * kTileBytes);
        } else {
            storeSum<kAction - kGroups>(target);
        }
    }
};

}  // namespace
}  // namespace fw::kernels::cpu
