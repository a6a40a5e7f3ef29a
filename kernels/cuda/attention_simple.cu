// Attention with online softmax (Dao 2023, https://arxiv.org/abs/2307.08691), arithmetic in f32 without tensor
// cores: the kernel for verification, for biases, and for widths the others do not take.
#include "kernels/cuda/attention.h"
#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;

// A block computes kTile queries of one head against tiles of kTile keys. A query belongs to kThreads / kTile
// neighbouring threads, which share its scores by column and its result by channel.
template <class T, int kWidth, int kTile>
__global__ __launch_bounds__(kThreads) void simpleAttentionKernel(const AttentionArgs args) {
    constexpr int kPerQuery = kThreads / kTile;
    constexpr int kScores = kTile / kPerQuery;
    constexpr int kChannels = kWidth / kPerQuery;
    constexpr int kPitch = kWidth + 1;
    FW_DYNAMIC_SHARED(memory);
    float* queries = reinterpret_cast<float*>(memory);  // [kTile][kPitch]
    float* keys = queries + kTile * kPitch;             // keys, then values
    float* weights = keys + kTile * kPitch;             // [kTile][kTile + 1]

    const int thread = static_cast<int>(threadIdx.x);
    const int width = static_cast<int>(args.headDim);
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kTile;
    const int query = thread / kPerQuery;
    const int lane = thread % kPerQuery;
    const auto load = [&](float* to, const void* from, std::int64_t base, std::int64_t token, std::int64_t begin,
                          std::int64_t end) {
        for (int i = thread; i < kTile * width; i += kThreads) {
            const std::int64_t row = begin + i / width;
            const int channel = i % width;
            to[i / width * kPitch + channel] =
                row < end ? toFloat(static_cast<const T*>(from)[base + row * token + channel]) : 0.0F;
        }
    };
    load(queries, args.q, batch * args.qBatch + head * args.qHead, args.qToken, first, args.queries);

    float result[kChannels] = {};
    float sum = 0.0F;
    float highest = -INFINITY;
    for (std::int64_t begin = 0; begin < args.keys; begin += kTile) {
        __syncthreads();  // the values of the last tile have been read
        load(keys, args.k, batch * args.kBatch + head * args.kHead, args.kToken, begin, args.keys);
        __syncthreads();
        float scores[kScores];
        float top = highest;
#pragma unroll
        for (int j = 0; j < kScores; ++j) {
            const int key = lane + j * kPerQuery;
            float dot = 0.0F;
            for (int c = 0; c < width; ++c) {
                dot += queries[query * kPitch + c] * keys[key * kPitch + c];
            }
            scores[j] = (dot + (begin + key == 0 ? args.firstKeyRaise : 0.0F)) * args.scale;
            if (begin + key >= args.keys) {
                scores[j] = -INFINITY;
            } else if (args.bias != nullptr && first + query < args.queries) {
                scores[j] += args.bias[head * args.biasHead + (first + query) * args.biasQuery + begin + key];
            }
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
        load(keys, args.v, batch * args.vBatch + head * args.vHead, args.vToken, begin, args.keys);
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
    if (first + query >= args.queries) {
        return;
    }
    // Only a query without a single finite score has a sum of zero; NaN is passed on.
    const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;
    T* out =
        static_cast<T*>(args.out) + batch * args.outBatch + (first + query) * args.outToken + head * args.outHead;
#pragma unroll
    for (int c = 0; c < kChannels; ++c) {
        if (lane + c * kPerQuery < width) {
            store(out + lane + c * kPerQuery, result[c] * factor);
        }
    }
}

template <class T, int kWidth, int kTile>
Code launchSimple(Queue& queue, const AttentionArgs& args) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.queries, kTile)), static_cast<unsigned>(args.heads),
                      static_cast<unsigned>(args.batch));
    shape.threads = kThreads;
    shape.sharedBytes = static_cast<std::int64_t>(sizeof(float)) * (2 * kTile * (kWidth + 1) + kTile * (kTile + 1));
    return launch(queue, simpleAttentionKernel<T, kWidth, kTile>, shape, args);
}

}  // namespace

Code simpleAttention(Queue& queue, const AttentionArgs& args) {
    return withAct(args.element, [&](auto t) {
        using T = decltype(t);
        if (args.headDim <= 64) {
            return launchSimple<T, 64, 32>(queue, args);
        }
        if (args.headDim <= 128) {
            return launchSimple<T, 128, 32>(queue, args);
        }
        if (args.headDim <= 256) {
            return launchSimple<T, 256, 32>(queue, args);
        }
        return launchSimple<T, 512, 16>(queue, args);
    });
}

}  // namespace fw::kernels::cuda
