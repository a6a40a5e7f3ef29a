// The result of linear attention on Hopper: features of 64 queries in a warpgroup's registers times the summed
// state in shared memory, lower and upper bits one after the other as in linear_mma.cuh.
//
// Channels are numbered anew on either side of the product, so that a thread reads and writes 16 bytes of a row at
// a time and what it reads is its own part of the operand: no query passes through shared memory, and behind the
// state no barrier follows. A tile's queries and tables are on their way while the tile before is computed.
#pragma once

#include "kernels/cuda/linear_mma.cuh"
#include "kernels/cuda/wgmma.cuh"

namespace fw::kernels::cuda {

inline constexpr int kResultThreads = 128;    // a warpgroup
inline constexpr int kResultTokens = 64;      // of a tile
inline constexpr int kStateAlignment = 1024;  // after which the pattern of exchanged units repeats

template <int kWidth>
struct ResultShape {
    static constexpr int kUnits = kWidth / 32;  // of 16 bytes, a thread's of a row
    static constexpr int kSteps = kWidth / 16;
    static constexpr int kBox = kWidth * kTileRowBytes;  // 64 columns of the state
    static constexpr int kStateBytes = kWidth / kTileColumns * kBox;
    static constexpr int kGroup = 8 * kTileRowBytes;
};

// Where a channel stands within the product. Thread c of four holds the columns 8j + 2c and the next, for every j,
// of an operand and of the sums; they are its channels 32u + 8c … + 7, four values of j a unit.
__device__ __forceinline__ int placeOf(int channel) {
    return channel / 32 * 32 + channel % 8 / 2 * 8 + channel % 32 / 8 * 2 + channel % 2;
}

// A thread's parts of two rows, eight apart.
template <int kWidth>
struct QueryRows {
    uint4 raw[2][ResultShape<kWidth>::kUnits];
    Rotation rotations[2][ResultShape<kWidth>::kUnits];
};

// Splits the state into upper and lower bits, rows of neighbouring columns in 128-byte swizzle.
template <int kWidth>
__device__ __forceinline__ void splitState(unsigned char* upper, unsigned char* lower, const float* state) {
    using Shape = ResultShape<kWidth>;
#pragma unroll 8
    for (int i = static_cast<int>(threadIdx.x); i < kWidth * kWidth / 4; i += kResultThreads) {
        const float4 four = reinterpret_cast<const float4*>(state)[i];
        const int row = placeOf(i / (kWidth / 4));
        const float values[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
        for (int pair = 0; pair < 2; ++pair) {
            const int column = placeOf(i % (kWidth / 4) * 4 + pair * 2);
            const int at = column / kTileColumns * Shape::kBox + row * kTileRowBytes +
                           (column % kTileColumns / 8 ^ row % 8) * 16 + column % 8 * 2;
            const std::uint32_t word = packBf16(values[2 * pair], values[2 * pair + 1]);
            float low;
            float high;
            unpackBf16(word, low, high);
            *reinterpret_cast<std::uint32_t*>(upper + at) = word;
            *reinterpret_cast<std::uint32_t*>(lower + at) =
                packBf16(values[2 * pair] - low, values[2 * pair + 1] - high);
        }
    }
}

// One piece of one head: blockIdx = {head and batch, piece}.
template <int kWidth, bool kRotated>
__global__ __launch_bounds__(kResultThreads, 2) void wgmmaLinearResultKernel(const LinearAttentionArgs args,
                                                                             const LinearPieces pieces,
                                                                             const float* sums,
                                                                             std::int64_t sumStep) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    using Shape = ResultShape<kWidth>;
    FW_DYNAMIC_SHARED(memory);
    const int misaligned = static_cast<int>(sharedAddressOf(memory) % kStateAlignment);
    unsigned char* upper = memory + (kStateAlignment - misaligned) % kStateAlignment;
    unsigned char* lower = upper + Shape::kStateBytes;
    float* normaliser = reinterpret_cast<float*>(lower + Shape::kStateBytes);  // [kWidth]
    const AttentionArgs& o = args.operands;
    const int thread = static_cast<int>(threadIdx.x);
    const int lane = thread % 32;
    const std::int64_t head = blockIdx.x % o.heads;
    const std::int64_t batch = blockIdx.x / o.heads;
    const int begin = static_cast<int>(blockIdx.y) * pieces.size;
    const int tokens = static_cast<int>(o.queries);
    const int end = begin + pieces.size < tokens ? begin + pieces.size : tokens;
    const int row = thread / 32 * 16 + lane / 4;  // of a tile, and eight below
    const int within = lane % 4 * 8;              // the channel of a group of 32
    const Bf16* q = static_cast<const Bf16*>(o.q) + batch * o.qBatch + head * o.qHead + within;
    QueryRows<kWidth> rows;
    // Past the end: the last row once more, which is not written.
    const auto fetch = [&](int first) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int wanted = first + row + half * 8;
            const int token = wanted < end ? wanted : end - 1;
#pragma unroll
            for (int unit = 0; unit < Shape::kUnits; ++unit) {
                rows.raw[half][unit] = *reinterpret_cast<const uint4*>(q + token * o.qToken + unit * 32);
            }
            if constexpr (kRotated) {
#pragma unroll
                for (int unit = 0; unit < Shape::kUnits; ++unit) {
                    rows.rotations[half][unit] = readRotation(args, token, unit * 4 + lane % 4);
                }
            }
        }
    };
    fetch(begin);
    const float* state = sums + blockIdx.x * sumStep;
    splitState<kWidth>(upper, lower, state);
    if (thread < kWidth) {
        normaliser[thread] = state[kWidth * kWidth + thread];
    }
    publishToProducts();
    __syncthreads();
    const std::uint64_t states[2] = {operandAt(lower, Shape::kBox, Shape::kGroup),
                                     operandAt(upper, Shape::kBox, Shape::kGroup)};
    for (int first = begin; first < end; first += kResultTokens) {
        std::uint32_t features[Shape::kSteps][4];
        float divisors[2] = {0.0F, 0.0F};
#pragma unroll
        for (int unit = 0; unit < Shape::kUnits; ++unit) {
            float weights[8];
            load8(normaliser + unit * 32 + within, weights);
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                float plain[8];
                const uint4 turned =
                    featuresOfUnit<kRotated>(rows.raw[half][unit], rows.rotations[half][unit], plain);
                features[2 * unit][half] = turned.x;
                features[2 * unit][half + 2] = turned.y;
                features[2 * unit + 1][half] = turned.z;
                features[2 * unit + 1][half + 2] = turned.w;
#pragma unroll
                for (int i = 0; i < 8; ++i) {
                    divisors[half] += plain[i] * weights[i];
                }
            }
        }
        float result[kWidth / 2];
#pragma unroll
        for (float& value : result) {
            value = 0.0F;
        }
        beginProducts();
#pragma unroll
        for (const std::uint64_t& part : states) {
#pragma unroll
            for (int step = 0; step < Shape::kSteps; ++step) {
                wgmmaFromRegisters(result, features[step], advanced(part, step * 2 * Shape::kGroup));
            }
        }
        commitProducts();
        if (first + kResultTokens < end) {
            fetch(first + kResultTokens);
        }
        waitForProducts<0>();
        claim(result);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const float factor = 1.0F / (groupSum<4>(divisors[half], nullptr) + args.eps);
            const int token = first + row + half * 8;
            if (token < end) {
                Bf16* out =
                    static_cast<Bf16*>(o.out) + batch * o.outBatch + token * o.outToken + head * o.outHead + within;
#pragma unroll
                for (int unit = 0; unit < Shape::kUnits; ++unit) {
                    std::uint32_t words[4];
#pragma unroll
                    for (int pair = 0; pair < 4; ++pair) {
                        const int at = 4 * (4 * unit + pair) + 2 * half;
                        words[pair] = packBf16(result[at] * factor, result[at + 1] * factor);
                    }
                    *reinterpret_cast<uint4*>(out + unit * 32) = make_uint4(words[0], words[1], words[2], words[3]);
                }
            }
        }
    }
#endif
}

template <int kWidth, bool kRotated>
Code launchWgmmaLinearResult(Queue& queue, const LinearCall& call) {
    LaunchShape shape = linearShape<kWidth>(call, 0);
    shape.threads = kResultThreads;
    shape.sharedBytes =
        kStateAlignment + 2 * ResultShape<kWidth>::kStateBytes + kWidth * static_cast<int>(sizeof(float));
    const float* sums = call.states;
    return launch(queue, wgmmaLinearResultKernel<kWidth, kRotated>, shape, call.args, call.pieces, sums,
                  call.pieces.count * stateFloats(kWidth));
}

}  // namespace fw::kernels::cuda
