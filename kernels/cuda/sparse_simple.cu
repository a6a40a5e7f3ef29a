// Sparse attention with online softmax, arithmetic in f32 without tensor cores: attention_simple.cu over the keys a
// walk gives.
#include "kernels/cuda/sparse.h"
#include "kernels/cuda/sparse_walk.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;

// A block computes kTile queries of one head against tiles of kTile keys. A query belongs to kThreads / kTile
// neighbouring threads, which share its scores by column and its result by channel.
template <class T, int kWidth, int kTile, class Walk>
__global__ __launch_bounds__(kThreads) void simpleSparseKernel(const typename Walk::Args all) {
    constexpr int kPerQuery = kThreads / kTile;
    constexpr int kScores = kTile / kPerQuery;
    constexpr int kChannels = kWidth / kPerQuery;
    constexpr int kPitch = kWidth + 1;
    FW_DYNAMIC_SHARED(memory);
    float* queries = reinterpret_cast<float*>(memory);  // [kTile][kPitch]
    float* keys = queries + kTile * kPitch;             // keys, then values
    float* weights = keys + kTile * kPitch;             // [kTile][kTile + 1]

    const AttentionArgs& args = all.operands;
    const int thread = static_cast<int>(threadIdx.x);
    const int width = static_cast<int>(args.headDim);
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    Walk walk(all, static_cast<int>(blockIdx.x), head, batch);
    const Run own = walk.queries();
    if (own.first >= own.end) {
        return;
    }
    const int query = thread / kPerQuery;
    const int lane = thread % kPerQuery;
    const auto load = [&](float* to, const void* from, std::int64_t base, std::int64_t step, const Run& run,
                          const auto& tokenOf) {
        for (int i = thread; i < kTile * width; i += kThreads) {
            const int position = run.first + i / width;
            const int channel = i % width;
            to[i / width * kPitch + channel] =
                position < run.end ? toFloat(static_cast<const T*>(from)[base + tokenOf(position) * step + channel])
                                   : 0.0F;
        }
    };
    const auto keyToken = [&](int key) { return static_cast<std::int64_t>(walk.keyToken(key)); };
    load(queries, args.q, batch * args.qBatch + head * args.qHead, args.qToken, own,
         [&](int position) { return static_cast<std::int64_t>(walk.queryToken(position)); });

    float result[kChannels] = {};
    float sum = 0.0F;
    float highest = -INFINITY;
    for (; !walk.isDone(); walk.advance()) {
        const Run run = walk.keys();
        __syncthreads();  // the values of the last tile have been read
        load(keys, args.k, batch * args.kBatch + head * args.kHead, args.kToken, run, keyToken);
        __syncthreads();
        float scores[kScores];
        float top = highest;
#pragma unroll
        for (int j = 0; j < kScores; ++j) {
            const int column = lane + j * kPerQuery;
            float dot = 0.0F;
            for (int c = 0; c < width; ++c) {
                dot += queries[query * kPitch + c] * keys[column * kPitch + c];
            }
            const int key = run.first + column;
            scores[j] = key < run.end && walk.sees(own.first + query, key) ? dot * args.scale : -INFINITY;
            top = fmaxf(top, scores[j]);
        }
#pragma unroll
        for (int offset = kPerQuery / 2; offset > 0; offset /= 2) {
            top = fmaxf(top, __shfl_xor_sync(0xffffffffU, top, offset));
        }
        // Without a finite score yet every difference would be NaN.
        const float reference = top == -INFINITY ? 0.0F : top;
        const float shrink = __expf(highest - reference);
        highest = top;
        sum *= shrink;
#pragma unroll
        for (int j = 0; j < kScores; ++j) {
            const float weight = __expf(scores[j] - reference);
            sum += weight;
            weights[query * (kTile + 1) + lane + j * kPerQuery] = weight;
        }
#pragma unroll
        for (float& value : result) {
            value *= shrink;
        }
        __syncthreads();  // keys read, weights written
        load(keys, args.v, batch * args.vBatch + head * args.vHead, args.vToken, run, keyToken);
        __syncthreads();
        for (int key = 0; key < kTile; ++key) {
            const float weight = weights[query * (kTile + 1) + key];
#pragma unroll
            for (int c = 0; c < kChannels; ++c) {
                result[c] += weight * keys[key * kPitch + lane + c * kPerQuery];
            }
        }
    }
#pragma unroll
    for (int offset = kPerQuery / 2; offset > 0; offset /= 2) {
        sum += __shfl_xor_sync(0xffffffffU, sum, offset);
    }
    if (own.first + query >= own.end) {
        return;
    }
    // Only a query that sees no key with a finite score has a sum of zero; NaN is passed on.
    const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;
    T* out = static_cast<T*>(args.out) + batch * args.outBatch +
             walk.queryToken(own.first + query) * args.outToken + head * args.outHead;
#pragma unroll
    for (int c = 0; c < kChannels; ++c) {
        if (lane + c * kPerQuery < width) {
            store(out + lane + c * kPerQuery, result[c] * factor);
        }
    }
}

template <class T, int kWidth, int kTile, class Walk>
Code launchSimple(Queue& queue, const typename Walk::Args& args) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(Walk::queryTiles(args)), static_cast<unsigned>(args.operands.heads),
                      static_cast<unsigned>(args.operands.batch));
    shape.threads = kThreads;
    shape.sharedBytes = static_cast<std::int64_t>(sizeof(float)) * (2 * kTile * (kWidth + 1) + kTile * (kTile + 1));
    return launch(queue, simpleSparseKernel<T, kWidth, kTile, Walk>, shape, args);
}

template <template <int, int> class Walk, class Args>
Code simpleSparse(Queue& queue, const Args& args) {
    return withAct(args.operands.element, [&](auto t) {
        using T = decltype(t);
        if (args.operands.headDim <= 64) {
            return launchSimple<T, 64, 32, Walk<32, 32>>(queue, args);
        }
        if (args.operands.headDim <= 128) {
            return launchSimple<T, 128, 32, Walk<32, 32>>(queue, args);
        }
        if (args.operands.headDim <= 256) {
            return launchSimple<T, 256, 32, Walk<32, 32>>(queue, args);
        }
        return launchSimple<T, 512, 16, Walk<16, 16>>(queue, args);
    });
}

}  // namespace

Code simpleBlockSparse(Queue& queue, const BlockSparseArgs& args) {
    return simpleSparse<BlockWalk>(queue, args);
}
Code simpleWindow(Queue& queue, const WindowArgs& args) {
    return simpleSparse<WindowWalk>(queue, args);
}

}  // namespace fw::kernels::cuda
