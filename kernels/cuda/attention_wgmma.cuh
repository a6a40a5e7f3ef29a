// FlashAttention-3's forward pass (Shah et al. 2024, https://arxiv.org/abs/2407.08608) for dense bf16 attention on
// Hopper: operands bf16, sums and softmax f32, probabilities rounded to bf16 before the second product.
//
// A block computes 128 queries of one head. One warpgroup only asks the tensor memory accelerator for tiles of 128
// keys and values, two of each ahead; two more compute 64 queries each. The scores of the next tile are on the
// tensor cores while the softmax of this one is computed, and the two warpgroups take turns, so that one's softmax
// falls into the other's products. Probabilities stay in registers.
#pragma once

#include "kernels/cuda/attention.h"
#include "kernels/cuda/wgmma.cuh"

namespace fw::kernels::cuda {

inline constexpr int kWarpgroup = 128;
inline constexpr int kComputing = 2;  // warpgroups
inline constexpr int kWgmmaThreads = (kComputing + 1) * kWarpgroup;
inline constexpr int kWgmmaQueries = kComputing * 64;
inline constexpr int kWgmmaKeys = 128;
inline constexpr int kStages = 2;
inline constexpr int kBoxBytes = 128 * kTileRowBytes;  // 128 rows of 64 channels
inline constexpr int kGroupBytes = 8 * kTileRowBytes;  // eight rows
inline constexpr int kTileAlignment = 1024;            // after which the pattern of exchanged units repeats

struct WgmmaMaps {
    TensorMap q, k, v;
};

struct WgmmaBarriers {
    std::uint64_t queries;
    std::uint64_t keysFull[kStages], keysFree[kStages], valuesFull[kStages], valuesFree[kStages];
};

template <int kWidth>
inline constexpr int kWgmmaSharedBytes = kTileAlignment + (1 + 2 * kStages) * (kWidth / kTileColumns) * kBoxBytes +
                                         static_cast<int>(sizeof(WgmmaBarriers));

// Tiles in shared memory, each as columns of boxes.
template <int kWidth>
struct WgmmaTiles {
    static constexpr int kBytes = kWidth / kTileColumns * kBoxBytes;
    unsigned char* base;
    __device__ unsigned char* queries() const { return base; }
    __device__ unsigned char* keys(int stage) const { return base + (1 + stage) * kBytes; }
    __device__ unsigned char* values(int stage) const { return base + (1 + kStages + stage) * kBytes; }
    __device__ WgmmaBarriers* barriers() const {
        return reinterpret_cast<WgmmaBarriers*>(base + (1 + 2 * kStages) * kBytes);
    }
};

// One thread keeps the copies ahead of the computing warpgroups.
template <int kWidth>
__device__ void feedTiles(const WgmmaMaps& maps, const WgmmaTiles<kWidth>& tiles, int firstQuery, int keyTiles) {
    WgmmaBarriers* barriers = tiles.barriers();
    const int head = static_cast<int>(blockIdx.y);
    const int batch = static_cast<int>(blockIdx.z);
    const auto load = [&](unsigned char* to, const TensorMap& map, std::uint64_t* barrier, int token) {
        arriveExpecting(barrier, WgmmaTiles<kWidth>::kBytes);
#pragma unroll
        for (int box = 0; box < kWidth / kTileColumns; ++box) {
            loadBox(to + box * kBoxBytes, map, barrier, box * kTileColumns, token, head, batch);
        }
    };
    load(tiles.queries(), maps.q, &barriers->queries, firstQuery);
    for (int tile = 0; tile < keyTiles; ++tile) {
        const int stage = tile % kStages;
        const int parity = tile / kStages % 2 ^ 1;  // the first round finds the stages free
        waitFor(&barriers->keysFree[stage], parity);
        load(tiles.keys(stage), maps.k, &barriers->keysFull[stage], tile * kWgmmaKeys);
        waitFor(&barriers->valuesFree[stage], parity);
        load(tiles.values(stage), maps.v, &barriers->valuesFull[stage], tile * kWgmmaKeys);
    }
}

// A warp has read its part of a tile; every warp of the computing warpgroups says so.
__device__ __forceinline__ void freeTile(std::uint64_t* barrier) {
    if (threadIdx.x % 32 == 0) {
        arrive(barrier);
    }
}

// scores = q kᵀ for 64 queries and 128 keys.
template <int kWidth>
__device__ __forceinline__ void startScores(float (&scores)[64], const unsigned char* queries,
                                            const unsigned char* keys) {
    const std::uint64_t q = operandAt(queries, 0, kGroupBytes);
    const std::uint64_t k = operandAt(keys, 0, kGroupBytes);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kWidth / 16; ++step) {
        // 16 channels are 32 bytes of a box; the next box begins after 64.
        const int at = step / 4 * kBoxBytes + step % 4 * 32;
        wgmmaFromShared(scores, advanced(q, at), advanced(k, at), step > 0);
    }
    commitProducts();
}

// result += weights · v for 128 keys.
template <int kWidth>
__device__ __forceinline__ void startResult(float (&result)[kWidth / 2], const std::uint32_t (&weights)[8][4],
                                            const unsigned char* values) {
    const std::uint64_t v = operandAt(values, kBoxBytes, kGroupBytes);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kWgmmaKeys / 16; ++step) {
        wgmmaFromRegisters(result, weights[step], advanced(v, step * 2 * kGroupBytes));
    }
    commitProducts();
}

// The running maximum (of raw scores) and sum of this thread's two queries.
struct SoftmaxState {
    float highest[2] = {-INFINITY, -INFINITY};
    float sums[2] = {0.0F, 0.0F};
    float shrink[2] = {1.0F, 1.0F};  // of the result so far
};

// Scores become probabilities against the maximum so far. `limit`: columns from there on are past the last key.
template <bool kLimited>
__device__ __forceinline__ void softmaxStep(float (&scores)[64], SoftmaxState& state, float scale, int limit) {
    if constexpr (kLimited) {
#pragma unroll
        for (int i = 0; i < 64; ++i) {
            const int column = i / 4 * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + i % 2;
            if (column >= limit) {
                scores[i] = -INFINITY;
            }
        }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float top = state.highest[half];
#pragma unroll
        for (int i = 2 * half; i < 64; i += 4) {
            top = fmaxf(top, fmaxf(scores[i], scores[i + 1]));
        }
        top = fmaxf(top, __shfl_xor_sync(0xffffffffU, top, 1));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffU, top, 2));
        // Without a finite score yet every difference would be NaN.
        const float reference = top == -INFINITY ? 0.0F : top * scale;
        state.shrink[half] = exp2Fast(state.highest[half] * scale - reference);
        state.highest[half] = top;
        float sum = state.sums[half] * state.shrink[half];
#pragma unroll
        for (int i = 2 * half; i < 64; i += 4) {
            scores[i] = exp2Fast(scores[i] * scale - reference);
            scores[i + 1] = exp2Fast(scores[i + 1] * scale - reference);
            sum += scores[i] + scores[i + 1];
        }
        state.sums[half] = sum;
    }
}

// The sums' layout of two neighbouring score tiles is the operand's layout of one.
__device__ __forceinline__ void packWeights(std::uint32_t (&weights)[8][4], const float (&scores)[64]) {
#pragma unroll
    for (int step = 0; step < 8; ++step) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            weights[step][i] = packBf16(scores[8 * step + 2 * i], scores[8 * step + 2 * i + 1]);
        }
    }
}

template <int kWidth>
__device__ __forceinline__ void writeResult(const AttentionArgs& args, const SoftmaxState& state,
                                            const float (&result)[kWidth / 2], std::int64_t firstRow) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float sum = state.sums[half];
        sum += __shfl_xor_sync(0xffffffffU, sum, 1);
        sum += __shfl_xor_sync(0xffffffffU, sum, 2);
        const std::int64_t query = firstRow + lane / 4 + half * 8;
        if (query < args.queries) {
            const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;
            Bf16* out = static_cast<Bf16*>(args.out) + blockIdx.z * args.outBatch + query * args.outToken +
                        blockIdx.y * args.outHead + lane % 4 * 2;
#pragma unroll
            for (int n = 0; n < kWidth / 8; ++n) {
                *reinterpret_cast<std::uint32_t*>(out + n * 8) =
                    packBf16(result[4 * n + 2 * half] * factor, result[4 * n + 2 * half + 1] * factor);
            }
        }
    }
}

// 64 queries against every key, by one warpgroup; `self` is its number.
template <int kWidth>
__device__ __forceinline__ void computeQueries(const AttentionArgs& args, const WgmmaTiles<kWidth>& tiles, int self,
                                               int keyTiles) {
    constexpr int kTurns = 1;  // the first barrier of the turns; 0 is __syncthreads()
    constexpr int kTurnThreads = kComputing * kWarpgroup;
    WgmmaBarriers* barriers = tiles.barriers();
    const unsigned char* queries = tiles.queries() + self * 64 * kTileRowBytes;
    const float scale = args.scale * 1.4426950408889634F;  // scores in units of log 2
    const int rest = static_cast<int>(args.keys - static_cast<std::int64_t>(keyTiles - 1) * kWgmmaKeys);
    float result[kWidth / 2];
#pragma unroll
    for (float& value : result) {
        value = 0.0F;
    }
    SoftmaxState state;
    std::uint32_t weights[8][4];
    {
        float scores[64];
        waitFor(&barriers->queries, 0);
        waitFor(&barriers->keysFull[0], 0);
        startScores<kWidth>(scores, queries, tiles.keys(0));
        waitForProducts<0>();
        claim(scores);
        freeTile(&barriers->keysFree[0]);
        if (keyTiles == 1) {
            softmaxStep<true>(scores, state, scale, rest);
        } else {
            softmaxStep<false>(scores, state, scale, rest);
        }
        packWeights(weights, scores);
    }
    if (self == 1) {
        giveTurn(kTurns, kTurnThreads);  // the first warpgroup begins
    }
    for (int tile = 1; tile < keyTiles; ++tile) {
        const int stage = tile % kStages;
        const int before = (tile - 1) % kStages;
        float scores[64];
        waitFor(&barriers->keysFull[stage], tile / kStages % 2);
        waitForTurn(kTurns + self, kTurnThreads);
        startScores<kWidth>(scores, queries, tiles.keys(stage));
        waitFor(&barriers->valuesFull[before], (tile - 1) / kStages % 2);
        startResult<kWidth>(result, weights, tiles.values(before));
        giveTurn(kTurns + (self ^ 1), kTurnThreads);
        waitForProducts<1>();
        claim(scores);
        freeTile(&barriers->keysFree[stage]);
        if (tile + 1 == keyTiles) {
            softmaxStep<true>(scores, state, scale, rest);
        } else {
            softmaxStep<false>(scores, state, scale, rest);
        }
        waitForProducts<0>();
        claim(result);
        freeTile(&barriers->valuesFree[before]);
#pragma unroll
        for (int i = 0; i < kWidth / 2; ++i) {
            result[i] *= state.shrink[i % 4 / 2];
        }
        packWeights(weights, scores);
    }
    const int last = keyTiles - 1;
    waitFor(&barriers->valuesFull[last % kStages], last / kStages % 2);
    startResult<kWidth>(result, weights, tiles.values(last % kStages));
    waitForProducts<0>();
    claim(result);
    const int warp = static_cast<int>(threadIdx.x) % kWarpgroup / 32;
    writeResult<kWidth>(args, state, result,
                        static_cast<std::int64_t>(blockIdx.x) * kWgmmaQueries + self * 64 + warp * 16);
}

// Other architectures compile an empty body; wgmmaAttentionApplies() keeps them away from it.
template <int kWidth>
__global__ __launch_bounds__(kWgmmaThreads, 1) void wgmmaAttentionKernel(const __grid_constant__ WgmmaMaps maps,
                                                                         const AttentionArgs args) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    FW_DYNAMIC_SHARED(memory);
    const int misaligned = static_cast<int>(sharedAddressOf(memory) % kTileAlignment);
    const WgmmaTiles<kWidth> tiles{memory + (kTileAlignment - misaligned) % kTileAlignment};
    WgmmaBarriers* barriers = tiles.barriers();
    if (threadIdx.x == 0) {
        initBarrier(&barriers->queries, 1);
        for (int stage = 0; stage < kStages; ++stage) {
            initBarrier(&barriers->keysFull[stage], 1);
            initBarrier(&barriers->valuesFull[stage], 1);
            initBarrier(&barriers->keysFree[stage], kComputing * kWarpgroup / 32);
            initBarrier(&barriers->valuesFree[stage], kComputing * kWarpgroup / 32);
        }
        publishBarriers();
    }
    __syncthreads();
    const int keyTiles = static_cast<int>(ceilDiv(args.keys, kWgmmaKeys));
    // The role of a whole warpgroup: the compiler gives each branch its own number of registers.
    if (threadIdx.x < kWarpgroup) {
        giveRegisters<24>();
        if (threadIdx.x == 0) {
            feedTiles<kWidth>(maps, tiles, static_cast<int>(blockIdx.x) * kWgmmaQueries, keyTiles);
        }
    } else {
        takeRegisters<240>();
        // The same in every lane, which the compiler sees only so: operands are described in uniform registers.
        const int warpgroup = __shfl_sync(0xffffffffU, static_cast<int>(threadIdx.x) / kWarpgroup, 0);
        computeQueries<kWidth>(args, tiles, warpgroup - 1, keyTiles);
    }
#endif
}

template <int kWidth>
Code launchWgmma(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.queries, kWgmmaQueries)),
                      static_cast<unsigned>(args.heads), static_cast<unsigned>(args.batch));
    shape.threads = kWgmmaThreads;
    shape.sharedBytes = kWgmmaSharedBytes<kWidth>;
    return launch(queue, wgmmaAttentionKernel<kWidth>, shape, maps, args);
}

// One width a file, so that they compile side by side.
[[nodiscard]] Code wgmmaAttention64(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps);
[[nodiscard]] Code wgmmaAttention128(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps);

}  // namespace fw::kernels::cuda
