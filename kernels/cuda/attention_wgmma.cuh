// FlashAttention-3's forward pass (Shah et al. 2024, https://arxiv.org/abs/2407.08608) for dense bf16 attention on
// Hopper: operands bf16, sums and softmax f32, probabilities rounded to bf16 before the second product.
//
// A block computes 64 queries of one head for each of its computing warpgroups. One more warpgroup only asks the
// tensor memory accelerator for tiles of keys and values ahead of them. The scores of the next tile are on the
// tensor cores while the softmax of this one is computed, and the warpgroups take turns, so that one's softmax
// falls into the others' products. Heads of 64 channels keep probabilities in registers; of 128 they pass through
// shared memory, so that registers hold three warpgroups.
#pragma once

#include <type_traits>

#include "kernels/cuda/attention.h"
#include "kernels/cuda/wgmma.cuh"

namespace fw::kernels::cuda {

inline constexpr int kWarpgroup = 128;
inline constexpr int kGroupBytes = 8 * kTileRowBytes;  // eight rows
inline constexpr int kTileAlignment = 1024;            // after which the pattern of exchanged units repeats

// Sizes for one width of the heads, as registers (scores, probabilities and result of 64 queries in 128 threads)
// and 227 KiB of shared memory allow; docs/performance.md has what others reached.
template <int kWidth>
struct WgmmaShape;
template <>
struct WgmmaShape<128> {
    static constexpr int kComputing = 3;  // warpgroups
    static constexpr int kKeys = 128;     // of a tile
    static constexpr int kStages = 2;     // tiles of keys, and of values, in flight
    static constexpr int kRegisters = 160;
    static constexpr bool kSharedWeights = true;  // probabilities are read from shared memory
};
template <>
struct WgmmaShape<64> {
    static constexpr int kComputing = 3;
    static constexpr int kKeys = 128;
    static constexpr int kStages = 3;
    static constexpr int kRegisters = 160;
    static constexpr bool kSharedWeights = false;
};
template <int kWidth>
inline constexpr int kWgmmaThreads = (WgmmaShape<kWidth>::kComputing + 1) * kWarpgroup;
template <int kWidth>
inline constexpr int kWgmmaQueries = WgmmaShape<kWidth>::kComputing * 64;
template <int kWidth>
inline constexpr int kWgmmaKeys = WgmmaShape<kWidth>::kKeys;

struct WgmmaMaps {
    TensorMap q, k, v;
};

// Tiles of queries that do not fill a last round of the multiprocessors are divided by their keys: several blocks
// compute one, and another kernel adds what they found.
struct WgmmaSplit {
    int whole = 0;              // tiles of queries computed by a block each, the first ones
    int divided = 0;            // the others
    int parts = 1;              // blocks for each of those
    float* partials = nullptr;  // of every part: result [queries, width], then reference and sum [queries, 2]
};

// What a block computes.
struct WgmmaWork {
    int firstQuery, head, batch;
    int firstTile, keyTiles;  // of keys
    bool toTheEnd;            // the last of them is the sequence's last
    float* partial;           // null: the result itself
};

template <int kStages>
struct WgmmaBarriers {
    std::uint64_t queries;
    std::uint64_t keysFull[kStages], keysFree[kStages], valuesFull[kStages], valuesFree[kStages];
};

// Tiles in shared memory, each as columns of boxes of 64 channels.
template <int kWidth>
struct WgmmaTiles {
    static constexpr int kStages = WgmmaShape<kWidth>::kStages;
    static constexpr int kBoxes = kWidth / kTileColumns;
    static constexpr int kQueryBox = kWgmmaQueries<kWidth> * kTileRowBytes;
    static constexpr int kKeyBox = kWgmmaKeys<kWidth> * kTileRowBytes;
    static constexpr int kWeightBox = 64 * kTileRowBytes;  // of one warpgroup, 64 keys wide
    static constexpr int kWeightBytes =
        WgmmaShape<kWidth>::kSharedWeights ? kWgmmaKeys<kWidth> / kTileColumns * kWeightBox : 0;
    static constexpr int kOperandBytes = kBoxes * (kQueryBox + 2 * kStages * kKeyBox);
    static constexpr int kBytes = kOperandBytes + WgmmaShape<kWidth>::kComputing * kWeightBytes;
    using Barriers = WgmmaBarriers<kStages>;
    unsigned char* base;
    __device__ unsigned char* queries() const { return base; }
    __device__ unsigned char* keys(int stage) const { return base + kBoxes * (kQueryBox + stage * kKeyBox); }
    __device__ unsigned char* values(int stage) const { return keys(kStages + stage); }
    __device__ unsigned char* weights(int warpgroup) const {
        return base + kOperandBytes + warpgroup * kWeightBytes;
    }
    __device__ Barriers* barriers() const { return reinterpret_cast<Barriers*>(base + kBytes); }
};

template <int kWidth>
inline constexpr int kWgmmaSharedBytes = kTileAlignment + WgmmaTiles<kWidth>::kBytes +
                                         static_cast<int>(sizeof(typename WgmmaTiles<kWidth>::Barriers));

// By one thread; `freeing`: how many warps say that they have read a tile.
template <int kStages>
__device__ __forceinline__ void startBarriers(WgmmaBarriers<kStages>& barriers, int freeing) {
    initBarrier(&barriers.queries, 1);
    for (int stage = 0; stage < kStages; ++stage) {
        initBarrier(&barriers.keysFull[stage], 1);
        initBarrier(&barriers.valuesFull[stage], 1);
        initBarrier(&barriers.keysFree[stage], freeing);
        initBarrier(&barriers.valuesFree[stage], freeing);
    }
    publishBarriers();
}

// One thread keeps the copies ahead of the computing warpgroups: keys a tile further than values, as they are
// needed.
template <int kWidth>
__device__ void feedTiles(const WgmmaMaps& maps, const WgmmaTiles<kWidth>& tiles, const WgmmaWork& work) {
    using Tiles = WgmmaTiles<kWidth>;
    typename Tiles::Barriers* barriers = tiles.barriers();
    const auto load = [&](unsigned char* to, int boxBytes, const TensorMap& map, std::uint64_t* barrier,
                          int token) {
        arriveExpecting(barrier, Tiles::kBoxes * boxBytes);
#pragma unroll
        for (int box = 0; box < Tiles::kBoxes; ++box) {
            loadBox(to + box * boxBytes, map, barrier, box * kTileColumns, token, work.head, work.batch);
        }
    };
    // The first round finds the stages free.
    const auto loadKeys = [&](int tile) {
        const int stage = tile % Tiles::kStages;
        waitFor(&barriers->keysFree[stage], tile / Tiles::kStages % 2 ^ 1);
        load(tiles.keys(stage), Tiles::kKeyBox, maps.k, &barriers->keysFull[stage],
             (work.firstTile + tile) * kWgmmaKeys<kWidth>);
    };
    load(tiles.queries(), Tiles::kQueryBox, maps.q, &barriers->queries, work.firstQuery);
    loadKeys(0);
    for (int tile = 0; tile < work.keyTiles; ++tile) {
        if (tile + 1 < work.keyTiles) {
            loadKeys(tile + 1);
        }
        const int stage = tile % Tiles::kStages;
        waitFor(&barriers->valuesFree[stage], tile / Tiles::kStages % 2 ^ 1);
        load(tiles.values(stage), Tiles::kKeyBox, maps.v, &barriers->valuesFull[stage],
             (work.firstTile + tile) * kWgmmaKeys<kWidth>);
    }
}

// A warp has read its part of a tile; every warp of the computing warpgroups says so.
__device__ __forceinline__ void freeTile(std::uint64_t* barrier) {
    if (threadIdx.x % 32 == 0) {
        arrive(barrier);
    }
}

// scores = q kᵀ for 64 queries and a tile of keys.
template <int kWidth, int kQueryBox = WgmmaTiles<kWidth>::kQueryBox>
__device__ __forceinline__ void startScores(float (&scores)[kWgmmaKeys<kWidth> / 2], const unsigned char* queries,
                                            const unsigned char* keys) {
    const std::uint64_t q = operandAt(queries, 0, kGroupBytes);
    const std::uint64_t k = operandAt(keys, 0, kGroupBytes);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kWidth / 16; ++step) {
        // 16 channels are 32 bytes of a box; the next box begins after 64.
        const int box = step / 4;
        const int within = step % 4 * 32;
        wgmmaFromShared(scores, advanced(q, box * kQueryBox + within),
                        advanced(k, box * WgmmaTiles<kWidth>::kKeyBox + within), step > 0);
    }
    commitProducts();
}

// result += weights · v for a tile of keys, the weights in registers.
template <int kWidth>
__device__ __forceinline__ void startResult(float (&result)[kWidth / 2],
                                            const std::uint32_t (&weights)[kWgmmaKeys<kWidth> / 16][4],
                                            const unsigned char* values) {
    const std::uint64_t v = operandAt(values, WgmmaTiles<kWidth>::kKeyBox, kGroupBytes);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kWgmmaKeys<kWidth> / 16; ++step) {
        wgmmaFromRegisters(result, weights[step], advanced(v, step * 2 * kGroupBytes));
    }
    commitProducts();
}

// The same with the weights in the warpgroup's part of shared memory.
template <int kWidth>
__device__ __forceinline__ void startResult(float (&result)[kWidth / 2], const unsigned char* weights,
                                            const unsigned char* values) {
    const std::uint64_t p = operandAt(weights, 0, kGroupBytes);
    const std::uint64_t v = operandAt(values, WgmmaTiles<kWidth>::kKeyBox, kGroupBytes);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kWgmmaKeys<kWidth> / 16; ++step) {
        wgmmaOntoColumns(result, advanced(p, step / 4 * WgmmaTiles<kWidth>::kWeightBox + step % 4 * 32),
                         advanced(v, step * 2 * kGroupBytes));
    }
    commitProducts();
}

// A maximum that rises by less than this many powers of two leaves the reference where it is: probabilities, their
// sums and the result are that much larger for a while, which neither bf16 nor f32 minds, and the result need not
// be multiplied (as in FlashAttention-4).
struct Bf16Weights {
    static constexpr float kSlack = 8.0F;
    static constexpr float kRaise = 0.0F;  // a probability of 1 is 2^kRaise
};

// The reference (a raw score, the maximum but for the slack) and the sum of this thread's two queries.
struct SoftmaxState {
    float highest[2] = {-INFINITY, -INFINITY};
    float sums[2] = {0.0F, 0.0F};
    float shrink[2] = {1.0F, 1.0F};  // of the result so far
};

// Scores become probabilities against the maximum so far. `limit`: columns from there on are past the last key.
template <bool kLimited, class Weights = Bf16Weights, int kCount>
__device__ __forceinline__ void softmaxStep(float (&scores)[kCount], SoftmaxState& state, const float (&scales)[2],
                                            int limit) {
    if constexpr (kLimited) {
#pragma unroll
        for (int i = 0; i < kCount; ++i) {
            const int column = i / 4 * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + i % 2;
            if (column >= limit) {
                scores[i] = -INFINITY;
            }
        }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const float scale = scales[half];
        float top = state.highest[half];
#pragma unroll
        for (int i = 2 * half; i < kCount; i += 4) {
            top = fmaxf(top, fmaxf(scores[i], scores[i + 1]));
        }
        top = fmaxf(top, __shfl_xor_sync(0xffffffffU, top, 1));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffU, top, 2));
        top = (top - state.highest[half]) * scale > Weights::kSlack ? top : state.highest[half];
        // Without a finite score yet every difference would be NaN.
        const float reference = top == -INFINITY ? 0.0F : top * scale;
        const float subtracted = reference - Weights::kRaise;
        state.shrink[half] = exp2Fast(state.highest[half] * scale - reference);
        state.highest[half] = top;
        float sum = state.sums[half] * state.shrink[half];
#pragma unroll
        for (int i = 2 * half; i < kCount; i += 4) {
            scores[i] = exp2Fast(scores[i] * scale - subtracted);
            scores[i + 1] = exp2Fast(scores[i + 1] * scale - subtracted);
            sum += scores[i] + scores[i + 1];
        }
        state.sums[half] = sum;
    }
}

// The same with one scale for all queries.
template <bool kLimited, int kCount>
__device__ __forceinline__ void softmaxStep(float (&scores)[kCount], SoftmaxState& state, float scale, int limit) {
    const float scales[2] = {scale, scale};
    softmaxStep<kLimited, Bf16Weights>(scores, state, scales, limit);
}

// The result so far follows the reference, where that of any of the warp's queries moved.
template <int kCount>
__device__ __forceinline__ void shrinkResult(float (&result)[kCount], const SoftmaxState& state) {
    if (__ballot_sync(0xffffffffU, state.shrink[0] != 1.0F || state.shrink[1] != 1.0F) != 0) {
#pragma unroll
        for (int i = 0; i < kCount; ++i) {
            result[i] *= state.shrink[i % 4 / 2];
        }
    }
}

// The sums' layout of two neighbouring score tiles is the operand's layout of one.
template <int kSteps>
__device__ __forceinline__ void packWeights(std::uint32_t (&weights)[kSteps][4],
                                            const float (&scores)[8 * kSteps]) {
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            weights[step][i] = packBf16(scores[8 * step + 2 * i], scores[8 * step + 2 * i + 1]);
        }
    }
}

// Rounds this warp's 16 rows of weights into its part of a tile in shared memory; only its own products read them.
template <int kCount>
__device__ __forceinline__ void packWeights(unsigned char* weights, const float (&scores)[kCount]) {
    constexpr int kBox = 64 * kTileRowBytes;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = static_cast<int>(threadIdx.x) % kWarpgroup / 32 * 16 + lane / 4;  // and 8 below
#pragma unroll
    for (int i = 0; i < kCount / 4; ++i) {
        // 8 columns are a unit of 16 bytes, exchanged within groups of eight rows.
        const int at = i / 8 * kBox + row * kTileRowBytes + ((i % 8) ^ (row % 8)) * 16 + lane % 4 * 4;
        *reinterpret_cast<std::uint32_t*>(weights + at) = packBf16(scores[4 * i], scores[4 * i + 1]);
        *reinterpret_cast<std::uint32_t*>(weights + at + 8 * kTileRowBytes) =
            packBf16(scores[4 * i + 2], scores[4 * i + 3]);
    }
    publishToProducts();
    __syncwarp();
}

// A query's weights together: the sums of the four lanes that share it.
__device__ __forceinline__ float sumOfWeights(const SoftmaxState& state, int half) {
    float sum = state.sums[half];
    sum += __shfl_xor_sync(0xffffffffU, sum, 1);
    sum += __shfl_xor_sync(0xffffffffU, sum, 2);
    return sum;
}

// Of a query's channels 32 · group to 32 · group + 31, times `factor`, the eight that lie behind one another for this
// lane.
template <int kCount>
__device__ __forceinline__ void packChannels(std::uint32_t (&words)[4], const float (&result)[kCount], float factor,
                                             int group, int half) {
#pragma unroll
    for (int n = 0; n < 4; ++n) {
        const int at = 16 * group + 4 * n + 2 * half;
        words[n] = packBf16(result[at] * factor, result[at + 1] * factor);
    }
    exchangeInQuad(words);
}

// Of this thread's two queries, into the result or a part of it. `firstRow`: of the warp, within the block's tile.
// `scales` are of its scores, `valueScale` of the values.
template <int kWidth, int kQueries>
__device__ __forceinline__ void writeResult(const AttentionArgs& args, const WgmmaWork& work,
                                            const SoftmaxState& state, const float (&result)[kWidth / 2],
                                            const float (&scales)[2], float valueScale, int firstRow) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const float sum = sumOfWeights(state, half);
        const int row = firstRow + lane / 4 + half * 8;
        const std::int64_t query = work.firstQuery + row;
        if (query >= args.queries) {
            continue;
        }
        if (work.partial != nullptr) {
            float* part = work.partial + row * kWidth + lane % 4 * 2;
#pragma unroll
            for (int n = 0; n < kWidth / 8; ++n) {
                *reinterpret_cast<float2*>(part + n * 8) =
                    make_float2(result[4 * n + 2 * half] * valueScale, result[4 * n + 2 * half + 1] * valueScale);
            }
            if (lane % 4 == 0) {
                *reinterpret_cast<float2*>(work.partial + kQueries * kWidth + row * 2) =
                    make_float2(state.highest[half] * scales[half], sum);
            }
            continue;
        }
        const float factor = sum == 0.0F ? 0.0F : valueScale / sum;
        Bf16* out = static_cast<Bf16*>(args.out) + work.batch * args.outBatch + query * args.outToken +
                    work.head * args.outHead + lane % 4 * 2;
#pragma unroll
        for (int n = 0; n < kWidth / 8; ++n) {
            *reinterpret_cast<std::uint32_t*>(out + n * 8) =
                packBf16(result[4 * n + 2 * half] * factor, result[4 * n + 2 * half + 1] * factor);
        }
    }
}

// How many columns of the last tile of keys of a block's work are keys.
template <int kKeys>
__device__ __forceinline__ int keysOfLastTile(const AttentionArgs& args, const WgmmaWork& work) {
    return work.toTheEnd
               ? static_cast<int>(args.keys - static_cast<std::int64_t>(work.firstTile + work.keyTiles - 1) * kKeys)
               : kKeys;
}

// 64 queries against the keys of its block's work, by one warpgroup; `self` is its number. The operands' type is in
// the three functions: startScoresOf(scores, keys) and startResultOf(result, weights, values) put a product on the
// tensor cores, pack(weights, scores) makes one's sums the other's operand. raiseFirst(scores) may change the first
// tile's scores. `rest`: keysOfLastTile().
template <class Weights, int kComputing, int kKeys, class Tiles, int kResult, class Operand, class StartScores,
          class StartResult, class Pack, class RaiseFirst>
__device__ __forceinline__ void attendTiles(float (&result)[kResult], Operand& weights, SoftmaxState& state,
                                            const Tiles& tiles, int self, int keyTiles, int rest,
                                            const float (&scales)[2], const StartScores& startScoresOf,
                                            const StartResult& startResultOf, const Pack& pack,
                                            const RaiseFirst& raiseFirst) {
    constexpr int kTurns = 1;                     // the first barrier of the turns; 0 is __syncthreads()
    constexpr int kTurnThreads = 2 * kWarpgroup;  // who gives and who takes
    constexpr int kStages = Tiles::kStages;
    typename Tiles::Barriers* barriers = tiles.barriers();
#pragma unroll
    for (float& value : result) {
        value = 0.0F;
    }
    {
        float scores[kKeys / 2];
        waitFor(&barriers->queries, 0);
        waitFor(&barriers->keysFull[0], 0);
        startScoresOf(scores, tiles.keys(0));
        waitForProducts<0>();
        claim(scores);
        freeTile(&barriers->keysFree[0]);
        raiseFirst(scores);
        if (keyTiles == 1) {
            softmaxStep<true, Weights>(scores, state, scales, rest);
        } else {
            softmaxStep<false, Weights>(scores, state, scales, rest);
        }
        pack(weights, scores);
    }
    if (self == kComputing - 1) {
        giveTurn(kTurns, kTurnThreads);  // the first warpgroup begins
    }
    for (int tile = 1; tile < keyTiles; ++tile) {
        const int stage = tile % kStages;
        const int before = (tile - 1) % kStages;
        float scores[kKeys / 2];
        waitFor(&barriers->keysFull[stage], tile / kStages % 2);
        waitForTurn(kTurns + self, kTurnThreads);
        startScoresOf(scores, tiles.keys(stage));
        waitFor(&barriers->valuesFull[before], (tile - 1) / kStages % 2);
        startResultOf(result, weights, tiles.values(before));
        giveTurn(kTurns + (self + 1) % kComputing, kTurnThreads);
        waitForProducts<1>();
        claim(scores);
        freeTile(&barriers->keysFree[stage]);
        if (tile + 1 == keyTiles) {
            softmaxStep<true, Weights>(scores, state, scales, rest);
        } else {
            softmaxStep<false, Weights>(scores, state, scales, rest);
        }
        waitForProducts<0>();
        claim(result);
        freeTile(&barriers->valuesFree[before]);
        shrinkResult(result, state);
        pack(weights, scores);
    }
    const int last = keyTiles - 1;
    waitFor(&barriers->valuesFull[last % kStages], last / kStages % 2);
    startResultOf(result, weights, tiles.values(last % kStages));
    waitForProducts<0>();
    claim(result);
}

template <int kWidth>
__device__ __forceinline__ void computeQueries(const AttentionArgs& args, const WgmmaTiles<kWidth>& tiles, int self,
                                               const WgmmaWork& work) {
    constexpr int kKeys = kWgmmaKeys<kWidth>;
    const unsigned char* queries = tiles.queries() + self * 64 * kTileRowBytes;
    const float scale = args.scale * 1.4426950408889634F;  // scores in units of log 2
    const float scales[2] = {scale, scale};
    float result[kWidth / 2];
    std::conditional_t<WgmmaShape<kWidth>::kSharedWeights, unsigned char*, std::uint32_t[kKeys / 16][4]> weights;
    if constexpr (WgmmaShape<kWidth>::kSharedWeights) {
        weights = tiles.weights(self);
    }
    SoftmaxState state;
    attendTiles<Bf16Weights, WgmmaShape<kWidth>::kComputing, kKeys>(
        result, weights, state, tiles, self, work.keyTiles, keysOfLastTile<kKeys>(args, work), scales,
        [&](auto& scores, const unsigned char* keys) { startScores<kWidth>(scores, queries, keys); },
        [](auto& sums, const auto& operand, const unsigned char* values) {
            startResult<kWidth>(sums, operand, values);
        },
        [](auto& operand, const auto& scores) { packWeights(operand, scores); },
        [&](auto& scores) {
            // The first column lies in every fourth lane, with two queries. Zeros are added as well: a branch would
            // move the assembler's waits for the products.
            const bool mine = work.firstTile == 0 && threadIdx.x % 4 == 0;
            const float raised = mine ? args.firstKeyRaise : 0.0F;
            scores[0] += raised;
            scores[2] += raised;
        });
    const int warp = static_cast<int>(threadIdx.x) % kWarpgroup / 32;
    writeResult<kWidth, kWgmmaQueries<kWidth>>(args, work, state, result, scales, 1.0F, self * 64 + warp * 16);
}

// Of tiles of kQueries by kKeys.
template <int kWidth, int kQueries, int kKeys>
__device__ __forceinline__ WgmmaWork wgmmaWorkOf(const AttentionArgs& args, const WgmmaSplit& split, int block) {
    const int divided = block - split.whole;  // block among those of divided tiles
    const bool whole = divided < 0;
    const int tile = whole ? block : split.whole + divided / split.parts;
    const int part = whole ? 0 : divided % split.parts;
    const int parts = whole ? 1 : split.parts;
    const int tiles = static_cast<int>(ceilDiv(args.queries, kQueries));
    const int keyTiles = static_cast<int>(ceilDiv(args.keys, kKeys));
    WgmmaWork work{};
    work.firstQuery = tile % tiles * kQueries;
    work.head = tile / tiles % static_cast<int>(args.heads);
    work.batch = tile / tiles / static_cast<int>(args.heads);
    work.firstTile = keyTiles * part / parts;
    work.keyTiles = keyTiles * (part + 1) / parts - work.firstTile;
    work.toTheEnd = part + 1 == parts;
    work.partial = whole ? nullptr : split.partials + static_cast<std::int64_t>(divided) * kQueries * (kWidth + 2);
    return work;
}

// Other architectures compile an empty body; wgmmaAttentionApplies() keeps them away from it.
template <int kWidth>
__global__ __launch_bounds__(kWgmmaThreads<kWidth>,
                             1) void wgmmaAttentionKernel(const __grid_constant__ WgmmaMaps maps,
                                                          const AttentionArgs args, const WgmmaSplit split) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    FW_DYNAMIC_SHARED(memory);
    const int misaligned = static_cast<int>(sharedAddressOf(memory) % kTileAlignment);
    using Tiles = WgmmaTiles<kWidth>;
    constexpr int kFreeing = WgmmaShape<kWidth>::kComputing * kWarpgroup / 32;  // warps
    const Tiles tiles{memory + (kTileAlignment - misaligned) % kTileAlignment};
    typename Tiles::Barriers* barriers = tiles.barriers();
    if (threadIdx.x == 0) {
        startBarriers(*barriers, kFreeing);
    }
    __syncthreads();
    const WgmmaWork work =
        wgmmaWorkOf<kWidth, kWgmmaQueries<kWidth>, kWgmmaKeys<kWidth>>(args, split, static_cast<int>(blockIdx.x));
    // The role of a whole warpgroup: the compiler gives each branch its own number of registers.
    if (threadIdx.x < kWarpgroup) {
        giveRegisters<24>();
        if (threadIdx.x == 0) {
            feedTiles<kWidth>(maps, tiles, work);
        }
    } else {
        takeRegisters<WgmmaShape<kWidth>::kRegisters>();
        // The same in every lane, which the compiler sees only so: operands are described in uniform registers.
        const int warpgroup = __shfl_sync(0xffffffffU, static_cast<int>(threadIdx.x) / kWarpgroup, 0);
        computeQueries<kWidth>(args, tiles, warpgroup - 1, work);
    }
#endif
}

// How many blocks share a tile of those that do not fill a round; 1: none. The last rounds then take
// ⌈divided · parts / multiprocessors⌉ / parts of a round.
[[nodiscard]] int wgmmaParts(int divided, int multiprocessors, int keyTiles);

// Adds what the parts of divided tiles found.
[[nodiscard]] Code addParts(Queue& queue, const AttentionArgs& args, const WgmmaSplit& split, int tileQueries);

// How the tiles of a call go to blocks.
[[nodiscard]] WgmmaSplit wgmmaSplitOf(Queue& queue, const AttentionArgs& args, int tileQueries, int tileKeys);

template <int kWidth>
Code launchWgmma(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps) {
    constexpr int kQueries = kWgmmaQueries<kWidth>;
    const WgmmaSplit split = wgmmaSplitOf(queue, args, kQueries, kWgmmaKeys<kWidth>);
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(split.whole + split.divided * split.parts));
    shape.threads = kWgmmaThreads<kWidth>;
    shape.sharedBytes = kWgmmaSharedBytes<kWidth>;
    const Code code = launch(queue, wgmmaAttentionKernel<kWidth>, shape, maps, args, split);
    return code == Code::Ok && split.divided > 0 ? addParts(queue, args, split, kQueries) : code;
}

// Describes the operands: queries in boxes of so many, keys and values in tiles. Failed when the driver refuses.
[[nodiscard]] Code makeWgmmaMaps(Queue& queue, const AttentionArgs& args, int queries, WgmmaMaps& maps);

// One width a file, so that they compile side by side.
[[nodiscard]] Code wgmmaAttention64(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps);
[[nodiscard]] Code wgmmaAttention128(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps);

}  // namespace fw::kernels::cuda
