// Linear attention in f32 without tensor cores: the kernel for verification, f32, and widths the other does not
// take.
#include "kernels/cuda/linear_attention.h"
#include "kernels/cuda/linear_features.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kTokens = 16;  // of a tile
constexpr int kRows = 32;    // of a state, for one thread block
constexpr int kColumns = 64;
constexpr int kGroups = kThreads / kColumns;

struct Plan {
    std::int64_t pieces, size;  // of the sequence, in tokens
};

Plan planFor(std::int64_t tokens) {
    constexpr std::int64_t kPiece = 512;
    constexpr std::int64_t kMost = 16;
    const std::int64_t wanted = ceilDiv(tokens, kPiece);
    const std::int64_t pieces = wanted < kMost ? wanted : kMost;
    return {pieces, ceilDiv(tokens, pieces)};
}

// kRows rows of the state of one piece: blockIdx = {piece · row blocks + row block, head, batch}.
template <class T, int kWidth>
__global__ __launch_bounds__(kThreads) void stateKernel(const LinearAttentionArgs args, const Plan plan,
                                                        float* states) {
    constexpr int kPerThread = kRows / kGroups;
    __shared__ float turned[kTokens][kRows];
    __shared__ float plain[kTokens][kRows];
    __shared__ float values[kTokens][kWidth];
    const AttentionArgs& o = args.operands;
    const int thread = static_cast<int>(threadIdx.x);
    const int width = static_cast<int>(o.headDim);
    const int rowBlocks = (width + kRows - 1) / kRows;
    const int firstRow = static_cast<int>(blockIdx.x) % rowBlocks * kRows;
    const std::int64_t piece = blockIdx.x / rowBlocks;
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const std::int64_t end = (piece + 1) * plan.size < o.keys ? (piece + 1) * plan.size : o.keys;
    const T* k = static_cast<const T*>(o.k) + batch * o.kBatch + head * o.kHead;
    const T* v = static_cast<const T*>(o.v) + batch * o.vBatch + head * o.vHead;
    const int column = thread % kColumns;
    const int group = thread / kColumns;
    float sums[kPerThread][kWidth / kColumns] = {};
    float total = 0.0F;  // of ρ, thread by row
    for (std::int64_t begin = piece * plan.size; begin < end; begin += kTokens) {
        __syncthreads();  // the last tile has been read
        {
            const int token = thread / (kRows / 2);
            const int pair = thread % (kRows / 2);
            FeaturePair features{};
            if (begin + token < end && firstRow + 2 * pair < width) {
                features = featuresAt(args, k + (begin + token) * o.kToken, begin + token, firstRow / 2 + pair);
            }
            for (int i = 0; i < 2; ++i) {
                turned[token][2 * pair + i] = features.turned[i];
                plain[token][2 * pair + i] = features.plain[i];
            }
        }
        for (int i = thread; i < kTokens * kWidth; i += kThreads) {
            const int token = i / kWidth;
            const int c = i % kWidth;
            values[token][c] = begin + token < end && c < width ? toFloat(v[(begin + token) * o.vToken + c]) : 0.0F;
        }
        __syncthreads();
        for (int token = 0; token < kTokens; ++token) {
#pragma unroll
            for (int i = 0; i < kWidth / kColumns; ++i) {
                const float value = values[token][column + i * kColumns];
#pragma unroll
                for (int row = 0; row < kPerThread; ++row) {
                    sums[row][i] += turned[token][group * kPerThread + row] * value;
                }
            }
            if (thread < kRows) {
                total += plain[token][thread];
            }
        }
    }
    float* state = states + ((batch * o.heads + head) * plan.pieces + piece) * stateFloats(width);
#pragma unroll
    for (int row = 0; row < kPerThread; ++row) {
        const int d = firstRow + group * kPerThread + row;
#pragma unroll
        for (int i = 0; i < kWidth / kColumns; ++i) {
            const int c = column + i * kColumns;
            if (d < width && c < width) {
                state[d * width + c] = sums[row][i];
            }
        }
    }
    if (thread < kRows && firstRow + thread < width) {
        state[width * width + firstRow + thread] = total;
    }
}

// The pieces of a head into its first one, in turn: blockIdx = {part of the state, head and batch}.
__global__ __launch_bounds__(kThreads) void addPieces(float* states, std::int64_t pieces, std::int64_t floats) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i < floats) {
        float* state = states + blockIdx.y * pieces * floats + i;
        float sum = 0.0F;
        for (std::int64_t piece = 0; piece < pieces; ++piece) {
            sum += state[piece * floats];
        }
        *state = sum;
    }
}

// kTokens rows of the result: blockIdx = {tile, head, batch}.
template <class T, int kWidth>
__global__ __launch_bounds__(kThreads) void readOutKernel(const LinearAttentionArgs args, const Plan plan,
                                                          const float* states) {
    constexpr int kPerThread = kTokens / kGroups;
    FW_DYNAMIC_SHARED(memory);
    float* turned = reinterpret_cast<float*>(memory);  // [kTokens][kWidth]
    float* divisors = turned + kTokens * kWidth;       // [kTokens]
    const AttentionArgs& o = args.operands;
    const int thread = static_cast<int>(threadIdx.x);
    const int width = static_cast<int>(o.headDim);
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * kTokens;
    const float* state = states + (batch * o.heads + head) * plan.pieces * stateFloats(width);
    const float* normaliser = state + width * width;
    const T* q = static_cast<const T*>(o.q) + batch * o.qBatch + head * o.qHead;
    {
        // Sixteen threads a token.
        const int token = thread / (kThreads / kTokens);
        float sum = 0.0F;
        for (int pair = thread % (kThreads / kTokens); pair < width / 2; pair += kThreads / kTokens) {
            FeaturePair features{};
            if (begin + token < o.queries) {
                features = featuresAt(args, q + (begin + token) * o.qToken, begin + token, pair);
            }
            for (int i = 0; i < 2; ++i) {
                turned[token * kWidth + 2 * pair + i] = features.turned[i];
                sum += features.plain[i] * normaliser[2 * pair + i];
            }
        }
        sum = groupSum<kThreads / kTokens>(sum, nullptr);
        divisors[token] = sum + args.eps;
    }
    __syncthreads();
    const int column = thread % kColumns;
    const int group = thread / kColumns;
    float sums[kPerThread][kWidth / kColumns] = {};
    for (int d = 0; d < width; ++d) {
#pragma unroll
        for (int i = 0; i < kWidth / kColumns; ++i) {
            const int c = column + i * kColumns;
            const float value = c < width ? state[d * width + c] : 0.0F;
#pragma unroll
            for (int row = 0; row < kPerThread; ++row) {
                sums[row][i] += turned[(group * kPerThread + row) * kWidth + d] * value;
            }
        }
    }
    for (int row = 0; row < kPerThread; ++row) {
        const std::int64_t token = begin + group * kPerThread + row;
        if (token >= o.queries) {
            return;
        }
        T* out = static_cast<T*>(o.out) + batch * o.outBatch + token * o.outToken + head * o.outHead;
        const float factor = 1.0F / divisors[group * kPerThread + row];
#pragma unroll
        for (int i = 0; i < kWidth / kColumns; ++i) {
            const int c = column + i * kColumns;
            if (c < width) {
                store(out + c, sums[row][i] * factor);
            }
        }
    }
}

template <class T, int kWidth>
Code launchLinear(Queue& queue, const LinearAttentionArgs& args, const Plan& plan, float* states) {
    const AttentionArgs& o = args.operands;
    const auto heads = static_cast<unsigned>(o.heads);
    const auto batch = static_cast<unsigned>(o.batch);
    LaunchShape shape;
    shape.threads = kThreads;
    shape.grid = dim3(static_cast<unsigned>(plan.pieces * ceilDiv(o.headDim, kRows)), heads, batch);
    Code code = launch(queue, stateKernel<T, kWidth>, shape, args, plan, states);
    if (code == Code::Ok) {
        code = addStates(queue, states, o.heads * o.batch, plan.pieces, stateFloats(o.headDim));
    }
    if (code == Code::Ok) {
        shape.grid = dim3(static_cast<unsigned>(ceilDiv(o.queries, kTokens)), heads, batch);
        shape.sharedBytes = static_cast<std::int64_t>(sizeof(float)) * kTokens * (kWidth + 1);
        const float* sums = states;
        code = launch(queue, readOutKernel<T, kWidth>, shape, args, plan, sums);
    }
    return code;
}

}  // namespace

Code addStates(Queue& queue, float* states, std::int64_t heads, std::int64_t pieces, std::int64_t floats) {
    if (pieces == 1) {
        return Code::Ok;
    }
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(floats, kThreads)), static_cast<unsigned>(heads));
    shape.threads = kThreads;
    return launch(queue, addPieces, shape, states, pieces, floats);
}

Code simpleLinearAttention(Queue& queue, const LinearAttentionArgs& args) {
    const AttentionArgs& o = args.operands;
    const Plan plan = planFor(o.keys);
    const std::int64_t bytes =
        o.batch * o.heads * plan.pieces * stateFloats(o.headDim) * static_cast<std::int64_t>(sizeof(float));
    auto* states = static_cast<float*>(queue.sparse.take(queue.stream, bytes));
    if (states == nullptr) {
        return queue.fail(Code::OutOfMemory, "no device memory for the states of linear attention");
    }
    return withAct(o.element, [&](auto t) {
        using T = decltype(t);
        return o.headDim <= 64    ? launchLinear<T, 64>(queue, args, plan, states)
               : o.headDim <= 128 ? launchLinear<T, 128>(queue, args, plan, states)
                                  : launchLinear<T, 512>(queue, args, plan, states);
    });
}

}  // namespace fw::kernels::cuda
