// The online softmax in AVX-512. Part of attention_amx.cpp, which includes it where the instructions are allowed;
// nothing else can.
#pragma once

#include "kernels/cpu/attention_amx_tiles-inl.h"

namespace fw::kernels::cpu {
namespace {

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

// What is known of the 16 queries of one query tile.
struct Softmax {
    __m512 reference;  // maximum that the probabilities are relative to, in units of the raw scores
    __m512 sum;
    bool fused;  // |reference · factor| is small enough for the fused form
};

// What turns raw scores into powers of two.
struct ScoreScale {
    float factor;  // |scale| · log2(e), or 1 once the bias has been added
    float slack;   // kMaximumSlack in units of the raw scores
};

// Nothing seen yet; the careful form bears scores of -inf.
inline Softmax emptySoftmax() {
    return {_mm512_set1_ps(kLowest), _mm512_setzero_ps(), false};
}

inline const float* scoreRow(const float* scores, std::int64_t key, std::int64_t queryTile) {
    return scores + (key / kTile * kQueryTiles + queryTile) * kTileFloats + key % kTile * kTile;
}

// Raises the reference maximum where these scores ask for it, and rescales the sum. Returns what the output
// gathered so far must be multiplied by.
inline __m512 moveMaximum(const float* scores, std::int64_t keys, std::int64_t queryTile, const ScoreScale& scale,
                          Softmax& state) {
    __m512 highest = _mm512_set1_ps(kLowest);
    for (std::int64_t key = 0; key < keys; ++key) {  // NaN is passed over here and shows up in the sum
        highest = _mm512_max_ps(_mm512_load_ps(scoreRow(scores, key, queryTile)), highest);
    }
    const __m512 factor = _mm512_set1_ps(scale.factor);
    const __m512 limit = _mm512_add_ps(state.reference, _mm512_set1_ps(scale.slack));
    const __mmask16 above = _mm512_cmp_ps_mask(highest, limit, _CMP_GT_OQ);
    const __m512 reference = _mm512_mask_mov_ps(state.reference, above, highest);
    const __m512 power = exp2(_mm512_mul_ps(_mm512_sub_ps(state.reference, reference), factor));
    const __m512 rescale = _mm512_mask_mov_ps(_mm512_set1_ps(1.0F), above, power);
    state.reference = reference;
    state.sum = _mm512_mul_ps(state.sum, rescale);
    const __m512 size = _mm512_abs_ps(_mm512_mul_ps(reference, factor));
    state.fused = _mm512_cmp_ps_mask(size, _mm512_set1_ps(kLargestFusedScore), _CMP_NLE_UQ) == 0;
    return rescale;
}

// Whether the probabilities just added to the sum say that the reference was too low for this block.
inline bool outgrewReference(const Softmax& before, const Softmax& after) {
    constexpr float kLimit = static_cast<float>(kKeyBlock) * 256.0F;  // every probability 2^kMaximumSlack
    const __m512 added = _mm512_sub_ps(after.sum, before.sum);
    return _mm512_cmp_ps_mask(added, _mm512_set1_ps(kLimit), _CMP_GT_OQ) != 0;
}

template <bool kFused>
FW_INLINE __m512 probability(const float* score, __m512 factor, __m512 reference) {
    const __m512 raw = _mm512_load_ps(score);
    return exp2(kFused ? _mm512_fmsub_ps(raw, factor, reference)
                       : _mm512_mul_ps(_mm512_sub_ps(raw, reference), factor));
}

// What every lot needs in registers. The empty assembly hides that they are constants, which g++ would rather build
// again for each lot.
struct LotConstants {
    explicit LotConstants(float scoreFactor)
        : factor(_mm512_set1_ps(scoreFactor)), half(_mm512_set1_epi32(0x8000)), oddWords(0xAAAAAAAAU) {
        __asm__("" : "+v"(half));
        __asm__("" : "+k"(oddWords));
    }

    __m512 factor;
    __m512i half;  // of a unit in the last place of bf16, in the bits of an f32
    __mmask32 oddWords;
};

// Two keys of 16 queries as one VNNI row of bf16 pairs, rounded to nearest (cheaper than the conversion instruction
// and the permutation it would need here).
FW_INLINE __m512i interleave(__m512 even, __m512 odd, const LotConstants& constants) {
    const __m512i low = _mm512_srli_epi32(_mm512_add_epi32(_mm512_castps_si512(even), constants.half), 16);
    const __m512i high = _mm512_add_epi32(_mm512_castps_si512(odd), constants.half);
    return _mm512_mask_blend_epi16(constants.oddWords, low, high);
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
FW_INLINE __m512 exponentiateLot(const float* scores, const LotConstants& constants, __m512 reference,
                                 std::byte* probabilities) {
    const __m512 p0 = probability<kFused>(scores, constants.factor, reference);
    const __m512 p1 = probability<kFused>(scores + kTile, constants.factor, reference);
    const __m512 p2 = probability<kFused>(scores + 2 * kTile, constants.factor, reference);
    const __m512 p3 = probability<kFused>(scores + 3 * kTile, constants.factor, reference);
    _mm512_store_si512(probabilities, interleave(p0, p1, constants));
    _mm512_store_si512(probabilities + kRowBytes, interleave(p2, p3, constants));
    return _mm512_add_ps(_mm512_add_ps(p0, p1), _mm512_add_ps(p2, p3));
}

// The same for the last keys: rows of keys that are not there become zero.
FW_INLINE __m512 exponentiateLastLot(const float* scores, std::int64_t keys, const LotConstants& constants,
                                     __m512 reference, std::byte* probabilities) {
    __m512 p[kLot];
    for (int key = 0; key < kLot; ++key) {
        p[key] = key < keys ? probability<false>(scores + key * kTile, constants.factor, reference)
                            : _mm512_setzero_ps();
    }
    _mm512_store_si512(probabilities, interleave(p[0], p[1], constants));
    _mm512_store_si512(probabilities + kRowBytes, interleave(p[2], p[3], constants));
    return _mm512_add_ps(_mm512_add_ps(p[0], p[1]), _mm512_add_ps(p[2], p[3]));
}

// A whole group of 32 keys, with the tile actions spread evenly between its lots.
template <int kChunks, bool kFused>
class SpreadGroup {
 public:
    FW_INLINE static void run(const float* scores, std::byte* probabilities, float factor, const TileWork& work,
                              Softmax (&state)[kQueryTiles]) {
        const LotConstants constants(factor);
        __m512 references[kQueryTiles];
        __m512 sums[kQueryTiles];
        for (int tile = 0; tile < kQueryTiles; ++tile) {
            references[tile] =
                kFused ? _mm512_mul_ps(state[tile].reference, constants.factor) : state[tile].reference;
            sums[tile] = state[tile].sum;
        }
        runLots(std::make_integer_sequence<int, kLots>(), scores, probabilities, constants, references, sums, work);
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
                                  std::byte* probabilities, const LotConstants& constants,
                                  const __m512 (&references)[kQueryTiles], __m512 (&sums)[kQueryTiles],
                                  const TileWork& work) {
        (runLot<kLotIndex>(scores, probabilities, constants, references, sums, work), ...);
    }

    template <int kLotIndex>
    FW_INLINE static void runLot(const float* scores, std::byte* probabilities, const LotConstants& constants,
                                 const __m512 (&references)[kQueryTiles], __m512 (&sums)[kQueryTiles],
                                 const TileWork& work) {
        constexpr int kTileIndex = kLotIndex % static_cast<int>(kQueryTiles);
        const __m512 sum = exponentiateLot<kFused>(lotScores(scores, kLotIndex), constants, references[kTileIndex],
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

}  // namespace
}  // namespace fw::kernels::cpu
