// Which order of tokens a window loses less in: on sampled queries, dense attention beside a window in either
// order.
#include "kernels/cuda/platform.cuh"
#include "kernels/cuda/sparse_args.h"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kResults = 3;  // dense, frame-major window, token-major window

// Sums of one warp over its keys; channel 32 i + lane of each result.
template <int kChannels>
struct Partial {
    float top = -INFINITY;
    float totals[kResults] = {};
    float sums[kResults][kChannels] = {};

    __device__ __forceinline__ void rescale(float higher) {
        const float factor = top == higher ? 1.0F : __expf(top - higher);
        top = higher;
#pragma unroll
        for (int r = 0; r < kResults; ++r) {
            totals[r] *= factor;
#pragma unroll
            for (int c = 0; c < kChannels; ++c) {
                sums[r][c] *= factor;
            }
        }
    }
};

// One query of one head: blockIdx = {sample, head, batch}. Its two square errors go to errors[batch, head, sample].
template <class T, int kWidth>
__global__ __launch_bounds__(kThreads) void sampleKernel(const ChooseOrdersArgs args, double* errors) {
    constexpr int kChannels = kWidth / 32;
    constexpr int kFloats = 1 + kResults + kResults * kWidth;  // of a warp in shared memory
    FW_DYNAMIC_SHARED(memory);
    float* shared = reinterpret_cast<float*>(memory);  // [kWarps][kFloats]
    const AttentionArgs& o = args.operands;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warp = static_cast<int>(threadIdx.x) / 32;
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const int width = static_cast<int>(o.headDim);
    const int tokens = static_cast<int>(o.keys);
    const int frames = static_cast<int>(args.frames);
    const int plane = tokens / frames;
    const std::int64_t sample = blockIdx.x;
    const int query = static_cast<int>((2 * sample + 1) * o.queries / (2 * args.samples));
    const auto second = [&](int token) { return token % plane * frames + token / plane; };
    const auto within = [&](int a, int b) { return (a < b ? b - a : a - b) <= args.window; };

    const T* q = static_cast<const T*>(o.q) + batch * o.qBatch + query * o.qToken + head * o.qHead;
    const T* k = static_cast<const T*>(o.k) + batch * o.kBatch + head * o.kHead;
    const T* v = static_cast<const T*>(o.v) + batch * o.vBatch + head * o.vHead;
    float own[kChannels];
#pragma unroll
    for (int c = 0; c < kChannels; ++c) {
        own[c] = 32 * c + lane < width ? toFloat(q[32 * c + lane]) : 0.0F;
    }
    Partial<kChannels> partial;
    for (int key = warp; key < tokens; key += kWarps) {
        float dot = 0.0F;
        float values[kChannels];
#pragma unroll
        for (int c = 0; c < kChannels; ++c) {
            const bool exists = 32 * c + lane < width;
            dot += exists ? own[c] * toFloat(k[key * o.kToken + 32 * c + lane]) : 0.0F;
            values[c] = exists ? toFloat(v[key * o.vToken + 32 * c + lane]) : 0.0F;
        }
#pragma unroll
        for (int offset = 16; offset > 0; offset /= 2) {
            dot += __shfl_xor_sync(0xffffffffU, dot, offset);
        }
        const float score = dot * o.scale;
        if (score > partial.top) {
            partial.rescale(score);
        }
        // A score of minus infinity against no other one is no weight.
        const float weight = score == partial.top ? 1.0F : __expf(score - partial.top);
        const bool sink = args.sinkFrame && key < plane;
        const bool seen[kResults] = {true, sink || within(key, query), sink || within(second(key), second(query))};
#pragma unroll
        for (int r = 0; r < kResults; ++r) {
            if (seen[r]) {
                partial.totals[r] += weight;
#pragma unroll
                for (int c = 0; c < kChannels; ++c) {
                    partial.sums[r][c] += weight * values[c];
                }
            }
        }
    }
    float* mine = shared + warp * kFloats;
    if (lane == 0) {
        mine[0] = partial.top;
#pragma unroll
        for (int r = 0; r < kResults; ++r) {
            mine[1 + r] = partial.totals[r];
        }
    }
#pragma unroll
    for (int r = 0; r < kResults; ++r) {
#pragma unroll
        for (int c = 0; c < kChannels; ++c) {
            mine[1 + kResults + r * kWidth + 32 * c + lane] = partial.sums[r][c];
        }
    }
    __syncthreads();
    if (warp != 0) {
        return;
    }
    // The first warp adds all of them, in turn.
    float top = -INFINITY;
    for (int w = 0; w < kWarps; ++w) {
        top = fmaxf(top, shared[w * kFloats]);
    }
    Partial<kChannels> whole;
    for (int w = 0; w < kWarps; ++w) {
        const float* other = shared + w * kFloats;
        const float factor = other[0] == top ? 1.0F : __expf(other[0] - top);
#pragma unroll
        for (int r = 0; r < kResults; ++r) {
            whole.totals[r] += factor * other[1 + r];
#pragma unroll
            for (int c = 0; c < kChannels; ++c) {
                whole.sums[r][c] += factor * other[1 + kResults + r * kWidth + 32 * c + lane];
            }
        }
    }
    double off[2] = {0.0, 0.0};
#pragma unroll
    for (int c = 0; c < kChannels; ++c) {
        float rows[kResults];
#pragma unroll
        for (int r = 0; r < kResults; ++r) {
            // Scores too low to be seen beside the largest leave nothing.
            rows[r] = whole.totals[r] > 0.0F ? whole.sums[r][c] / whole.totals[r] : 0.0F;
        }
        off[0] += static_cast<double>(rows[1] - rows[0]) * static_cast<double>(rows[1] - rows[0]);
        off[1] += static_cast<double>(rows[2] - rows[0]) * static_cast<double>(rows[2] - rows[0]);
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
        for (int offset = 16; offset > 0; offset /= 2) {
            off[i] += __shfl_xor_sync(0xffffffffU, off[i], offset);
        }
        if (lane == 0) {
            errors[2 * ((batch * o.heads + head) * args.samples + sample) + i] = off[i];
        }
    }
}

__global__ void decideKernel(const ChooseOrdersArgs args, const double* errors) {
    const std::int64_t head = blockIdx.x;
    const std::int64_t batch = blockIdx.y;
    const double* mine = errors + 2 * (batch * args.operands.heads + head) * args.samples;
    double sums[2] = {0.0, 0.0};
    for (std::int64_t sample = 0; sample < args.samples; ++sample) {
        sums[0] += mine[2 * sample];
        sums[1] += mine[2 * sample + 1];
    }
    args.orders[batch * args.orderBatch + head * args.orderHead] =
        static_cast<std::uint8_t>(sums[1] < sums[0] ? Order::TokenMajor : Order::FrameMajor);
}

template <class T, int kWidth>
Code launchSamples(Queue& queue, const ChooseOrdersArgs& args, double* errors) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(args.samples), static_cast<unsigned>(args.operands.heads),
                      static_cast<unsigned>(args.operands.batch));
    shape.threads = kThreads;
    shape.sharedBytes = static_cast<std::int64_t>(sizeof(float)) * kWarps * (1 + kResults + kResults * kWidth);
    return launch(queue, sampleKernel<T, kWidth>, shape, args, errors);
}

}  // namespace

Code chooseOrders(Queue* queue, const ChooseOrdersArgs& args) {
    const AttentionArgs& o = args.operands;
    const std::int64_t bytes = 2 * o.batch * o.heads * args.samples * static_cast<std::int64_t>(sizeof(double));
    auto* errors = static_cast<double*>(queue->sparse.take(queue->stream, bytes));
    if (errors == nullptr) {
        return queue->fail(Code::OutOfMemory, "no device memory for the errors of windows");
    }
    const Code code = withAct(o.element, [&](auto t) {
        using T = decltype(t);
        return o.headDim <= 64    ? launchSamples<T, 64>(*queue, args, errors)
               : o.headDim <= 128 ? launchSamples<T, 128>(*queue, args, errors)
                                  : launchSamples<T, 512>(*queue, args, errors);
    });
    if (code != Code::Ok) {
        return code;
    }
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(o.heads), static_cast<unsigned>(o.batch));
    shape.threads = 1;
    const double* sums = errors;
    return launch(*queue, decideKernel, shape, args, sums);
}

}  // namespace fw::kernels::cuda
