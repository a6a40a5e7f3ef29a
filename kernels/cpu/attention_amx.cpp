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
#include <iterator>
#include <limits>
#include <utility>

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

// For what lives in registers between the lines of one loop: left alone, g++ turns it into calls.
#define FW_INLINE __attribute__((always_inline)) inline

#include "kernels/cpu/attention_amx-inl.h"

namespace fw::kernels::cpu {

namespace {

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

// 2^x, relative error 2.6e-6: a thousandth of what rounding to bf16 does next. 0 for -inf, NaN for NaN.
// x = n + f with n = floor(x): a polynomial of least relative error for 2^f on [0, 1], then scaling by 2^n.
FW_INLINE __m512 exp2(__m512 x) {
    const __m512 fraction = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 power = _mm512_set1_ps(0.013534167781472206F);
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.052011460065841675F));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.2414427548646927F));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(0.6930038332939148F));
    power = _mm512_fmadd_ps(power, fraction, _mm512_set1_ps(1.0000026226043701F));
    return _mm512_scalef_ps(power, x);
}

// Of the 16 queries of one query tile.
struct Softmax {
    __m512 reference;  // maximum, in units of the raw scores
    __m512 sum;
    __m512 rescale;  // by which the output before this block must be multiplied if the reference `moved`
    bool fused;      // |reference · factor| is small enough for the fused form
    bool moved;
};

// What turns raw scores into powers of two.
struct ScoreScale {
    float factor;  // |scale| · log2(e), or 1 once the bias has been added
    float slack;   // kMaximumSlack in units of the raw scores
};

FW_INLINE const float* scoreRow(const float* scores, std::int64_t key, std::int64_t queryTile) {
    return scores + (key / kTile * kQueryTiles + queryTile) * kTileFloats + key % kTile * kTile;
}

// Raises the reference maximum where these scores ask for it.
FW_INLINE void moveMaximum(const float* scores, std::int64_t keys, std::int64_t queryTile, const ScoreScale& scale,
                           Softmax& state) {
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
    state.moved = _mm512_cmp_ps_mask(highest, limit, _CMP_GT_OQ) != 0;
    if (!state.moved) {
        return;
    }
    const __m512 factor = _mm512_set1_ps(scale.factor);
    const __m512 reference = _mm512_max_ps(highest, state.reference);
    state.rescale = exp2(_mm512_mul_ps(_mm512_sub_ps(state.reference, reference), factor));
    state.reference = reference;
    state.sum = _mm512_mul_ps(state.sum, state.rescale);
    const __m512 size = _mm512_abs_ps(_mm512_mul_ps(reference, factor));
    state.fused = _mm512_cmp_ps_mask(size, _mm512_set1_ps(kLargestFusedScore), _CMP_NLE_UQ) == 0;
}

template <bool kFused>
FW_INLINE __m512 probability(const float* score, __m512 factor, __m512 reference) {
    const __m512 raw = _mm512_load_ps(score);
    return exp2(kFused ? _mm512_fmsub_ps(raw, factor, reference)
                       : _mm512_mul_ps(_mm512_sub_ps(raw, reference), factor));
}

// Two keys of 16 queries as one VNNI row of bf16 pairs, rounded to nearest (cheaper than the conversion instruction
// and the permutation it would need here).
FW_INLINE __m512i interleave(__m512 even, __m512 odd) {
    const __m512i half = _mm512_set1_epi32(0x8000);
    const __m512i low = _mm512_srli_epi32(_mm512_add_epi32(_mm512_castps_si512(even), half), 16);
    return _mm512_mask_blend_epi16(0xAAAAAAAAU, low, _mm512_add_epi32(_mm512_castps_si512(odd), half));
}

constexpr int kLot = 4;  // keys exponentiated in one go
constexpr int kLots = static_cast<int>(kPair) / kLot * static_cast<int>(kQueryTiles);  // in a group of 32 keys

// The addresses of lot `lot` of a group: the key is the slower index, the query tile the faster one.
FW_INLINE const float* lotScores(const float* scores, int lot) {
    return scoreRow(scores, lot / kQueryTiles * kLot, lot % kQueryTiles);
}

FW_INLINE std::byte* lotProbabilities(std::byte* probabilities, int lot) {
    return probabilities + lot % kQueryTiles * kTileBytes + lot / kQueryTiles * (kLot / 2) * kRowBytes;
}

// Pᵀ of four keys, which are two VNNI rows, of one query tile. Returns their sum.
template <bool kFused>
FW_INLINE __m512 exponentiateLot(const float* scores, __m512 factor, __m512 reference, std::byte* probabilities) {
    const __m512 p0 = probability<kFused>(scores, factor, reference);
    const __m512 p1 = probability<kFused>(scores + kTile, factor, reference);
    const __m512 p2 = probability<kFused>(scores + 2 * kTile, factor, reference);
    const __m512 p3 = probability<kFused>(scores + 3 * kTile, factor, reference);
    _mm512_store_si512(probabilities, interleave(p0, p1));
    _mm512_store_si512(probabilities + kRowBytes, interleave(p2, p3));
    return _mm512_add_ps(_mm512_add_ps(p0, p1), _mm512_add_ps(p2, p3));
}

// The same for the last keys: rows of keys that are not there become zero.
FW_INLINE __m512 exponentiateLastLot(const float* scores, std::int64_t keys, __m512 factor, __m512 reference,
                                     std::byte* probabilities) {
    __m512 p[kLot];
    for (int key = 0; key < kLot; ++key) {
        p[key] = key < keys ? probability<false>(scores + key * kTile, factor, reference) : _mm512_setzero_ps();
    }
    _mm512_store_si512(probabilities, interleave(p[0], p[1]));
    _mm512_store_si512(probabilities + kRowBytes, interleave(p[2], p[3]));
    return _mm512_add_ps(_mm512_add_ps(p[0], p[1]), _mm512_add_ps(p[2], p[3]));
}

// A whole group of 32 keys, with the tile actions spread evenly between its lots.
template <int kChunks, bool kFused>
class SpreadGroup {
 public:
    FW_INLINE static void run(const float* scores, std::byte* probabilities, float factor, const TileWork& work,
                              Softmax (&state)[kQueryTiles]) {
        const __m512 factors = _mm512_set1_ps(factor);
        __m512 references[kQueryTiles];
        __m512 sums[kQueryTiles];
        for (int tile = 0; tile < kQueryTiles; ++tile) {
            references[tile] = kFused ? _mm512_mul_ps(state[tile].reference, factors) : state[tile].reference;
            sums[tile] = state[tile].sum;
        }
        runLots(std::make_integer_sequence<int, kLots>(), scores, probabilities, factors, references, sums, work);
        for (int tile = 0; tile < kQueryTiles; ++tile) {
            state[tile].sum = sums[tile];
        }
    }

    template <int... kActions>
    FW_INLINE static void runActions(std::integer_sequence<int, kActions...>, const TileWork& work) {
        (TileActions<kChunks>::template run<kActions>(work), ...);
    }

 private:
    template <int... kLotIndex>
    FW_INLINE static void runLots(std::integer_sequence<int, kLotIndex...>, const float* scores,
                                  std::byte* probabilities, __m512 factors, const __m512 (&references)[kQueryTiles],
                                  __m512 (&sums)[kQueryTiles], const TileWork& work) {
        (runLot<kLotIndex>(scores, probabilities, factors, references, sums, work), ...);
    }

    template <int kLotIndex>
    FW_INLINE static void runLot(const float* scores, std::byte* probabilities, __m512 factors,
                                 const __m512 (&references)[kQueryTiles], __m512 (&sums)[kQueryTiles],
                                 const TileWork& work) {
        constexpr int kTileIndex = kLotIndex % static_cast<int>(kQueryTiles);
        const __m512 sum = exponentiateLot<kFused>(lotScores(scores, kLotIndex), factors, references[kTileIndex],
                                                   lotProbabilities(probabilities, kLotIndex));
        sums[kTileIndex] = _mm512_add_ps(sums[kTileIndex], sum);
        constexpr int kFirst = kLotIndex * TileActions<kChunks>::kCount / kLots;
        constexpr int kEnd = (kLotIndex + 1) * TileActions<kChunks>::kCount / kLots;
        runFrom<kFirst>(std::make_integer_sequence<int, kEnd - kFirst>(), work);
    }

    template <int kFirst, int... kOffsets>
    FW_INLINE static void runFrom(std::integer_sequence<int, kOffsets...>, [[maybe_unused]] const TileWork& work) {
        (TileActions<kChunks>::template run<kFirst + kOffsets>(work), ...);
    }
};

inline void scaleOutput(float* output, std::int64_t dTiles, std::int64_t queryTile, __m512 factor) {
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
#pragma GCC unroll 16
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

// One query block on its way through the key blocks, in three stages that overlap: while block j is exponentiated,
// the scores of block j + 1 and the output of block j - 1 are multiplied in tiles.
template <int kChunks>
class BlockPipeline {
 public:
    explicit BlockPipeline(const BlockTask& task)
        : m_task(task),
          m_args(*task.args),
          m_blocks(roundUp(m_args.keys, kKeyBlock) / kKeyBlock),
          m_factor(std::abs(m_args.scale) * kLog2E),
          m_scratch(viewScratch(task.scratch, kChunks)) {
        m_scale = m_args.bias == nullptr ? ScoreScale{m_factor, kMaximumSlack / m_factor}
                                         : ScoreScale{1.0F, kMaximumSlack};
        for (Softmax& one : m_state) {
            one = {_mm512_set1_ps(kLowest), _mm512_setzero_ps(), _mm512_setzero_ps(), true, false};
        }
    }

    void run() {
        packQueries(m_task, m_scratch.queries);
        if (m_blocks == 0) {
            std::fill(m_scratch.output, m_scratch.output + 2 * kChunks * kQueryTiles * kTileFloats, 0.0F);
        } else {
            const TileConfiguration tiles;
            runBlocks();
        }
        storeOutput(m_task, m_scratch.output, m_state);
    }

 private:
    using Actions = std::make_integer_sequence<int, TileActions<kChunks>::kCount>;

    void runBlocks() {
        for (std::int64_t group = 0; group < groupsIn(0); ++group) {
            runActions(scoreWork(0, group));
        }
        findMaximum(0);
        for (std::int64_t block = 0; block < m_blocks; ++block) {
            for (std::int64_t group = 0; group < kGroups; ++group) {
                TileWork work = scoreWork(block + 1, group);
                addValueWork(block - 1, group, work);
                exponentiate(block, group, work);
            }
            if (block > 0) {
                rescaleOutput();
            }
            findMaximum(block + 1);
        }
        finishValues(m_blocks - 1);
    }

    static void runActions(const TileWork& work) { SpreadGroup<kChunks, true>::runActions(Actions(), work); }

    [[nodiscard]] std::int64_t keysIn(std::int64_t block) const {
        return std::clamp<std::int64_t>(m_args.keys - block * kKeyBlock, 0, kKeyBlock);
    }

    [[nodiscard]] std::int64_t groupsIn(std::int64_t block) const { return roundUp(keysIn(block), kPair) / kPair; }

    // The scores of a group of a block, if the block has it.
    [[nodiscard]] TileWork scoreWork(std::int64_t block, std::int64_t group) const {
        TileWork work;
        if (group < groupsIn(block)) {
            work.keys = m_task.panel.keys + (block * kGroups + group) * 2 * kChunks * kTileBytes;
            work.queries = m_scratch.queries;
            work.scores = m_scratch.scores[block % 2] + group * 2 * kQueryTiles * kTileFloats;
        }
        return work;
    }

    // The part of a whole block's output that goes with a group of the next block.
    void addValueWork(std::int64_t block, std::int64_t group, TileWork& work) const {
        if (block >= 0) {
            work.values = m_task.panel.values + block * kGroups * 2 * kChunks * kTileBytes;
            work.probabilities = m_scratch.probabilities[block % 2];
            work.output = m_scratch.output;
            work.firstUnit = group * TileActions<kChunks>::kUnits;
            work.begin = block == 0;
        }
    }

    // The output of the last block, which may have fewer groups.
    void finishValues(std::int64_t block) {
        orderMemory();
        for (std::int64_t unit = 0; unit < kChunks; ++unit) {
            float* target = m_scratch.output + unit * 2 * kQueryTiles * kTileFloats;
            if (block == 0) {
                zeroSums();
            } else {
                loadSums(target);
            }
            for (std::int64_t group = 0; group < groupsIn(block); ++group) {
                const std::byte* left =
                    m_task.panel.values + ((block * kGroups + group) * kChunks + unit) * 2 * kTileBytes;
                const std::byte* right = m_scratch.probabilities[block % 2] + group * kQueryTiles * kTileBytes;
                multiplyTiles(left, left + kTileBytes, right);
            }
            storeSum<0>(target);
            storeSum<1>(target);
            storeSum<2>(target);
            storeSum<3>(target);
        }
        orderMemory();
    }

    // Moves the reference maxima for this block of scores, which are about to be exponentiated.
    void findMaximum(std::int64_t block) {
        if (block < m_blocks) {
            float* scores = m_scratch.scores[block % 2];
            if (m_args.bias != nullptr) {
                addBias(m_task, block * kKeyBlock, keysIn(block), m_factor, scores);
            }
            for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
                moveMaximum(scores, keysIn(block), tile, m_scale, m_state[tile]);
            }
        }
    }

    void exponentiate(std::int64_t block, std::int64_t group, const TileWork& work) {
        const std::int64_t keys = keysIn(block) - group * kPair;
        const float* scores = m_scratch.scores[block % 2] + group * 2 * kQueryTiles * kTileFloats;
        std::byte* probabilities = m_scratch.probabilities[block % 2] + group * kQueryTiles * kTileBytes;
        if (keys < kPair) {
            runActions(work);
            exponentiateLast(scores, keys, probabilities);
        } else if (m_state[0].fused && m_state[1].fused) {
            SpreadGroup<kChunks, true>::run(scores, probabilities, m_scale.factor, work, m_state);
        } else {
            SpreadGroup<kChunks, false>::run(scores, probabilities, m_scale.factor, work, m_state);
        }
    }

    void exponentiateLast(const float* scores, std::int64_t keys, std::byte* probabilities) {
        for (int lot = 0; keys > 0 && lot < kLots; ++lot) {
            Softmax& state = m_state[lot % kQueryTiles];
            const __m512 sum = exponentiateLastLot(lotScores(scores, lot), keys - lot / kQueryTiles * kLot,
                                                   _mm512_set1_ps(m_scale.factor), state.reference,
                                                   lotProbabilities(probabilities, lot));
            state.sum = _mm512_add_ps(state.sum, sum);
        }
    }

    void rescaleOutput() {
        for (std::int64_t tile = 0; tile < kQueryTiles; ++tile) {
            if (m_state[tile].moved) {
                scaleOutput(m_scratch.output, 2 * kChunks, tile, m_state[tile].rescale);
            }
        }
    }

    const BlockTask& m_task;
    const AttentionArgs& m_args;
    std::int64_t m_blocks;
    float m_factor;
    ScoreScale m_scale{};
    Scratch m_scratch;
    Softmax m_state[kQueryTiles];
};

template <int kChunks>
void attendChunks(const BlockTask& task) {
    BlockPipeline<kChunks>(task).run();
}

void attend(const BlockTask& task) {
    switch (chunksOf(task.args->headDim)) {
        case 1:
            return attendChunks<1>(task);
        case 2:
            return attendChunks<2>(task);
        case 3:
            return attendChunks<3>(task);
        case 4:
            return attendChunks<4>(task);
        case 6:
            return attendChunks<6>(task);
        case 8:
            return attendChunks<8>(task);
        case 12:
            return attendChunks<12>(task);
        default:
            return attendChunks<16>(task);
    }
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
