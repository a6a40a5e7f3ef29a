// FlashAttention-2 (Dao 2023, https://arxiv.org/abs/2307.08691) with mma.sync: bf16 operands, f32 sums and softmax,
// probabilities rounded to bf16 before the second product. No N x M matrix in memory.
//
// A block of four warps computes 64 queries of one head; each warp owns 16 of them, so no sum crosses warps. K and
// V arrive tile by tile through asynchronous copies, the next K while this V is used. Rows in shared memory are
// swizzled in units of 16 bytes, so that ldmatrix reads without bank conflicts.
#pragma once

#include "kernels/cuda/attention.h"
#include "kernels/cuda/mma.cuh"

namespace fw::kernels::cuda {

inline constexpr int kMmaThreads = 128;
inline constexpr int kMmaQueries = 64;

// Where the 16-byte unit `unit` of row `row` lies in a tile with `units` units a row, in elements.
template <int kUnits>
__host__ __device__ __forceinline__ int swizzled(int row, int unit) {
    // Eight rows that ldmatrix reads together differ in the lower three bits of the unit, where there are that
    // many.
    constexpr int kMask = kUnits % 8 == 0 ? 7 : kUnits % 4 == 0 ? 3 : kUnits % 2 == 0 ? 1 : 0;
    constexpr int kShift = kMask == 7 ? 0 : kMask == 3 ? 1 : 2;
    return (row * kUnits + (unit ^ ((row >> kShift) & kMask))) * 8;
}

// Rows [first, first + kRows) of kWidth channels into a tile; rows from `end` on become zeros.
template <int kRows, int kWidth>
__device__ __forceinline__ void loadTile(Bf16* tile, const Bf16* from, std::int64_t token, std::int64_t first,
                                         std::int64_t end) {
    constexpr int kUnits = kWidth / 8;
    for (int i = static_cast<int>(threadIdx.x); i < kRows * kUnits; i += kMmaThreads) {
        const int row = i / kUnits;
        const int unit = i % kUnits;
        const bool exists = first + row < end;
        copyAsync16(tile + swizzled<kUnits>(row, unit), from + (exists ? first + row : 0) * token + unit * 8,
                    exists);
    }
}

// Scores become weights against the highest score so far; sums and result shrink to it. top: the highest of
// `highest` and of this thread's scores. weights: rows lane/4 and lane/4 + 8, two neighbouring columns each.
template <int kScoreTiles, int kResultTiles>
__device__ __forceinline__ void onlineSoftmax(const float (&scores)[kScoreTiles][4], float (&top)[2],
                                              float (&highest)[2], float (&sums)[2],
                                              float (&result)[kResultTiles][4],
                                              std::uint32_t (&weights)[kScoreTiles][2]) {
    float shrink[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        top[half] = fmaxf(top[half], __shfl_xor_sync(0xffffffffU, top[half], 1));
        top[half] = fmaxf(top[half], __shfl_xor_sync(0xffffffffU, top[half], 2));
        // Without a finite score yet every difference would be NaN.
        const float reference = top[half] == -INFINITY ? 0.0F : top[half];
        shrink[half] = exp2Fast(highest[half] - reference);
        highest[half] = top[half];
        sums[half] *= shrink[half];
        top[half] = reference;
    }
#pragma unroll
    for (int n = 0; n < kScoreTiles; ++n) {
        float p[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            p[i] = exp2Fast(scores[n][i] - top[i / 2]);
            sums[i / 2] += p[i];
        }
        weights[n][0] = packBf16(p[0], p[1]);
        weights[n][1] = packBf16(p[2], p[3]);
    }
#pragma unroll
    for (int n = 0; n < kResultTiles; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            result[n][i] *= shrink[i / 2];
        }
    }
}

// kWidth: channels of q and k. kResult: channels of v this block computes, a part of kWidth where the result of all
// would not fit into registers; blockIdx.x then runs over the parts first. kKeys: keys of a tile.
template <int kWidth, int kResult, int kKeys>
__global__ __launch_bounds__(kMmaThreads) void mmaAttentionKernel(const AttentionArgs args) {
    constexpr int kParts = kWidth / kResult;
    constexpr int kUnits = kWidth / 8;
    constexpr int kResultUnits = kResult / 8;
    FW_DYNAMIC_SHARED(memory);
    Bf16* queries = reinterpret_cast<Bf16*>(memory);  // [kMmaQueries][kWidth]
    Bf16* keys = queries + kMmaQueries * kWidth;      // [kKeys][kWidth]
    Bf16* values = keys + kKeys * kWidth;             // [kKeys][kResult]

    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warpRow = static_cast<int>(threadIdx.x) / 32 * 16;
    const int part = static_cast<int>(blockIdx.x) % kParts;
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) / kParts * kMmaQueries;
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const Bf16* q = static_cast<const Bf16*>(args.q) + batch * args.qBatch + head * args.qHead;
    const Bf16* k = static_cast<const Bf16*>(args.k) + batch * args.kBatch + head * args.kHead;
    const Bf16* v = static_cast<const Bf16*>(args.v) + batch * args.vBatch + head * args.vHead + part * kResult;

    loadTile<kMmaQueries, kWidth>(queries, q, args.qToken, first, args.queries);
    loadTile<kKeys, kWidth>(keys, k, args.kToken, 0, args.keys);
    commitCopies();

    float result[kResult / 8][4] = {};
    float sums[2] = {0.0F, 0.0F};  // of this lane's columns, for rows lane/4 and lane/4 + 8
    float highest[2] = {-INFINITY, -INFINITY};
    const float scale = args.scale * 1.4426950408889634F;  // scores in units of log 2

    for (std::int64_t begin = 0; begin < args.keys; begin += kKeys) {
        loadTile<kKeys, kResult>(values, v, args.vToken, begin, args.keys);
        commitCopies();
        waitForCopies<1>();
        __syncthreads();

        // Scores of 16 queries against kKeys keys.
        float scores[kKeys / 8][4] = {};
#pragma unroll
        for (int step = 0; step < kWidth / 16; ++step) {
            std::uint32_t a[4];
            loadMatrices(a, queries + swizzled<kUnits>(warpRow + lane % 16, 2 * step + lane / 16));
#pragma unroll
            for (int pair = 0; pair < kKeys / 16; ++pair) {
                // Keys 16 pair + 0..7 and 8..15, each in two halves of channels.
                std::uint32_t b[4];
                loadMatrices(
                    b, keys + swizzled<kUnits>(pair * 16 + lane % 8 + lane / 16 * 8, 2 * step + lane / 8 % 2));
                mmaBf16(scores[2 * pair], a, b[0], b[1]);
                mmaBf16(scores[2 * pair + 1], a, b[2], b[3]);
            }
        }
        __syncthreads();  // the keys have been read
        if (begin + kKeys < args.keys) {
            loadTile<kKeys, kWidth>(keys, k, args.kToken, begin + kKeys, args.keys);
        }
        commitCopies();

        // Online softmax. A score's row is lane/4 + 8 (i/2), its column 8 n + 2 (lane%4) + i%2.
        float top[2] = {highest[0], highest[1]};
#pragma unroll
        for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const std::int64_t key = begin + n * 8 + lane % 4 * 2 + i % 2;
                if (n == 0 && i % 2 == 0) {
                    scores[n][i] += key == 0 ? args.firstKeyRaise : 0.0F;
                }
                scores[n][i] = key < args.keys ? scores[n][i] * scale : -INFINITY;
                top[i / 2] = fmaxf(top[i / 2], scores[n][i]);
            }
        }
        std::uint32_t weights[kKeys / 8][2];
        onlineSoftmax(scores, top, highest, sums, result, weights);

        waitForCopies<1>();
        __syncthreads();  // the values are there
#pragma unroll
        for (int step = 0; step < kKeys / 16; ++step) {
            // The sums' layout of two neighbouring score tiles is the operand's layout of one.
            const std::uint32_t a[4] = {weights[2 * step][0], weights[2 * step][1], weights[2 * step + 1][0],
                                        weights[2 * step + 1][1]};
#pragma unroll
            for (int pair = 0; pair < kResult / 16; ++pair) {
                std::uint32_t b[4];
                loadMatricesTransposed(
                    b, values + swizzled<kResultUnits>(step * 16 + lane % 16, 2 * pair + lane / 16));
                mmaBf16(result[2 * pair], a, b[0], b[1]);
                mmaBf16(result[2 * pair + 1], a, b[2], b[3]);
            }
        }
        __syncthreads();  // the values have been read
    }
    waitForCopies<0>();

#pragma unroll
    for (int half = 0; half < 2; ++half) {
        sums[half] += __shfl_xor_sync(0xffffffffU, sums[half], 1);
        sums[half] += __shfl_xor_sync(0xffffffffU, sums[half], 2);
        const std::int64_t query = first + warpRow + lane / 4 + half * 8;
        if (query >= args.queries) {
            continue;
        }
        const float factor = sums[half] == 0.0F ? 0.0F : 1.0F / sums[half];
        Bf16* out = static_cast<Bf16*>(args.out) + batch * args.outBatch + query * args.outToken +
                    head * args.outHead + part * kResult + lane % 4 * 2;
#pragma unroll
        for (int n = 0; n < kResult / 8; ++n) {
            *reinterpret_cast<std::uint32_t*>(out + n * 8) =
                packBf16(result[n][2 * half] * factor, result[n][2 * half + 1] * factor);
        }
    }
}

template <int kWidth, int kResult, int kKeys>
Code launchMma(Queue& queue, const AttentionArgs& args) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.queries, kMmaQueries) * (kWidth / kResult)),
                      static_cast<unsigned>(args.heads), static_cast<unsigned>(args.batch));
    shape.threads = kMmaThreads;
    shape.sharedBytes = 2LL * (kMmaQueries * kWidth + kKeys * kWidth + kKeys * kResult);
    return launch(queue, mmaAttentionKernel<kWidth, kResult, kKeys>, shape, args);
}

// One width a file, so that they compile side by side.
[[nodiscard]] Code mmaAttention64(Queue& queue, const AttentionArgs& args);
[[nodiscard]] Code mmaAttention128(Queue& queue, const AttentionArgs& args);
[[nodiscard]] Code mmaAttention384(Queue& queue, const AttentionArgs& args);

}  // namespace fw::kernels::cuda
