// attention_mma.cuh over the keys a walk gives: bf16 operands on tensor cores by mma.sync, f32 sums and softmax.
// Rows are gathered token by token, so that any order and any cut costs no copy.
#pragma once

#include "kernels/cuda/attention_mma.cuh"
#include "kernels/cuda/sparse.h"
#include "kernels/cuda/sparse_walk.cuh"

namespace fw::kernels::cuda {

// The positions of `run` into a tile of kRows; the rest becomes zeros.
template <int kRows, int kWidth, class TokenOf>
__device__ __forceinline__ void gatherTile(Bf16* tile, const Bf16* from, std::int64_t step, const Run& run,
                                           const TokenOf& tokenOf) {
    constexpr int kUnits = kWidth / 8;
    for (int i = static_cast<int>(threadIdx.x); i < kRows * kUnits; i += kMmaThreads) {
        const int row = i / kUnits;
        const int unit = i % kUnits;
        const bool exists = run.first + row < run.end;
        const std::int64_t token = exists ? tokenOf(run.first + row) : 0;
        copyAsync16(tile + swizzled<kUnits>(row, unit), from + token * step + unit * 8, exists);
    }
}

template <int kWidth, int kKeys, class Walk>
__global__ __launch_bounds__(kMmaThreads) void mmaSparseKernel(const typename Walk::Args all) {
    constexpr int kUnits = kWidth / 8;
    FW_DYNAMIC_SHARED(memory);
    Bf16* queries = reinterpret_cast<Bf16*>(memory);  // [kMmaQueries][kWidth]
    Bf16* keys = queries + kMmaQueries * kWidth;      // [kKeys][kWidth]
    Bf16* values = keys + kKeys * kWidth;             // [kKeys][kWidth]

    const AttentionArgs& args = all.operands;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warpRow = static_cast<int>(threadIdx.x) / 32 * 16;
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const Bf16* q = static_cast<const Bf16*>(args.q) + batch * args.qBatch + head * args.qHead;
    const Bf16* k = static_cast<const Bf16*>(args.k) + batch * args.kBatch + head * args.kHead;
    const Bf16* v = static_cast<const Bf16*>(args.v) + batch * args.vBatch + head * args.vHead;
    Walk walk(all, static_cast<int>(blockIdx.x), head, batch);
    const Run own = walk.queries();
    if (own.first >= own.end) {
        return;
    }
    const auto loadKeys = [&](const Walk& at) {
        gatherTile<kKeys, kWidth>(keys, k, args.kToken, at.keys(), [&](int key) { return at.keyToken(key); });
    };
    gatherTile<kMmaQueries, kWidth>(queries, q, args.qToken, own,
                                    [&](int position) { return walk.queryToken(position); });
    if (!walk.isDone()) {
        loadKeys(walk);
    }
    commitCopies();

    float result[kWidth / 8][4] = {};
    float sums[2] = {0.0F, 0.0F};  // of this lane's columns, for rows lane/4 and lane/4 + 8
    float highest[2] = {-INFINITY, -INFINITY};
    const float scale = args.scale * 1.4426950408889634F;  // scores in units of log 2

    while (!walk.isDone()) {
        const Run run = walk.keys();
        const bool isWhole = run.end - run.first == kKeys && walk.isSeenByAll();
        gatherTile<kKeys, kWidth>(values, v, args.vToken, run, [&](int key) { return walk.keyToken(key); });
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
        Walk next = walk;
        next.advance();
        if (!next.isDone()) {
            loadKeys(next);
        }
        commitCopies();

        // A score's row is lane/4 + 8 (i/2), its column 8 n + 2 (lane%4) + i%2.
        if (!isWhole) {
#pragma unroll
            for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    const int key = run.first + n * 8 + lane % 4 * 2 + i % 2;
                    const int query = own.first + warpRow + lane / 4 + i / 2 * 8;
                    scores[n][i] = key < run.end && walk.sees(query, key) ? scores[n][i] : -INFINITY;
                }
            }
        }
        // Online softmax.
        float top[2] = {highest[0], highest[1]};
#pragma unroll
        for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                scores[n][i] *= scale;
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
            for (int pair = 0; pair < kWidth / 16; ++pair) {
                std::uint32_t b[4];
                loadMatricesTransposed(b, values + swizzled<kUnits>(step * 16 + lane % 16, 2 * pair + lane / 16));
                mmaBf16(result[2 * pair], a, b[0], b[1]);
                mmaBf16(result[2 * pair + 1], a, b[2], b[3]);
            }
        }
        __syncthreads();  // the values have been read
        walk = next;
    }
    waitForCopies<0>();

#pragma unroll
    for (int half = 0; half < 2; ++half) {
        sums[half] += __shfl_xor_sync(0xffffffffU, sums[half], 1);
        sums[half] += __shfl_xor_sync(0xffffffffU, sums[half], 2);
        const int query = own.first + warpRow + lane / 4 + half * 8;
        if (query >= own.end) {
            continue;
        }
        const float factor = sums[half] == 0.0F ? 0.0F : 1.0F / sums[half];
        Bf16* out = static_cast<Bf16*>(args.out) + batch * args.outBatch + walk.queryToken(query) * args.outToken +
                    head * args.outHead + lane % 4 * 2;
#pragma unroll
        for (int n = 0; n < kWidth / 8; ++n) {
            *reinterpret_cast<std::uint32_t*>(out + n * 8) =
                packBf16(result[n][2 * half] * factor, result[n][2 * half + 1] * factor);
        }
    }
}

template <int kWidth, int kKeys, class Walk>
Code launchMmaSparse(Queue& queue, const typename Walk::Args& args) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(Walk::queryTiles(args)), static_cast<unsigned>(args.operands.heads),
                      static_cast<unsigned>(args.operands.batch));
    shape.threads = kMmaThreads;
    shape.sharedBytes = 2LL * (kMmaQueries + 2 * kKeys) * kWidth;
    return launch(queue, mmaSparseKernel<kWidth, kKeys, Walk>, shape, args);
}

// One width and walk a file, so that they compile side by side.
[[nodiscard]] Code mmaBlockSparse64(Queue& queue, const BlockSparseArgs& args);
[[nodiscard]] Code mmaBlockSparse128(Queue& queue, const BlockSparseArgs& args);
[[nodiscard]] Code mmaWindow64(Queue& queue, const WindowArgs& args);
[[nodiscard]] Code mmaWindow128(Queue& queue, const WindowArgs& args);

}  // namespace fw::kernels::cuda
