// Linear attention on tensor cores by mma.sync: features in bf16, states and normalisers in f32. Every operand is
// read once; three kernels: states of pieces of the sequence, their sum, the result (on Hopper that of
// linear_wgmma.cuh). The summed state is split into two bf16 numbers an element, so that only the features are
// rounded.
//
// A thread block streams tiles of 32 tokens of one head through shared memory, kLinearStages - 1 ahead. A thread
// turns those 16-byte units into features that it has fetched itself; rotary tables come straight into registers, a
// tile ahead.
#pragma once

#include "kernels/cuda/attention_mma.cuh"
#include "kernels/cuda/linear_attention.h"
#include "kernels/cuda/linear_features.cuh"

namespace fw::kernels::cuda {

inline constexpr int kLinearThreads = 256;
inline constexpr int kLinearTokens = 32;
inline constexpr int kLinearStages = 3;

// Pieces of the sequence, multiples of kLinearTokens.
struct LinearPieces {
    int count, size;
};

// Who does what with a tile of kLinearTokens rows of kWidth channels.
template <int kWidth>
struct LinearShape {
    static constexpr int kUnits = kWidth / 8;              // of 16 bytes, a row
    static constexpr int kRows = kLinearThreads / kUnits;  // at a time
    static constexpr int kPasses = kLinearTokens / kRows;
    static constexpr int kTile = kLinearTokens * kWidth;  // elements
    static_assert(kPasses * kRows == kLinearTokens);
};

// Four pairs' rotation.
struct Rotation {
    float4 cosine, sine;
};
__device__ __forceinline__ Rotation readRotation(const LinearAttentionArgs& args, int token, int unit) {
    return {*reinterpret_cast<const float4*>(args.cosine + token * args.cosineRow + unit * 4),
            *reinterpret_cast<const float4*>(args.sine + token * args.sineRow + unit * 4)};
}
template <bool kRotated>
__device__ __forceinline__ Rotation rotationAt(const LinearAttentionArgs& args, int token, int unit) {
    if constexpr (kRotated) {
        if (token < args.operands.keys) {
            return readRotation(args, token, unit);
        }
    }
    return {make_float4(1.0F, 1.0F, 1.0F, 1.0F), make_float4(0.0F, 0.0F, 0.0F, 0.0F)};
}

// ρ of eight channels in `plain`, φ as bf16.
template <bool kRotated>
__device__ __forceinline__ uint4 featuresOfUnit(const uint4& raw, const Rotation& rotation, float (&plain)[8]) {
    float values[8];
    unpackBf16(raw.x, values[0], values[1]);
    unpackBf16(raw.y, values[2], values[3]);
    unpackBf16(raw.z, values[4], values[5]);
    unpackBf16(raw.w, values[6], values[7]);
    const float cosine[4] = {rotation.cosine.x, rotation.cosine.y, rotation.cosine.z, rotation.cosine.w};
    const float sine[4] = {rotation.sine.x, rotation.sine.y, rotation.sine.z, rotation.sine.w};
    std::uint32_t words[4];
#pragma unroll
    for (int pair = 0; pair < 4; ++pair) {
        if constexpr (kRotated) {
            const FeaturePair features =
                featuresOf(values[2 * pair], values[2 * pair + 1], cosine[pair], sine[pair]);
            plain[2 * pair] = features.plain[0];
            plain[2 * pair + 1] = features.plain[1];
            words[pair] = packBf16(features.turned[0], features.turned[1]);
        } else {
            plain[2 * pair] = rectified(values[2 * pair]);
            plain[2 * pair + 1] = rectified(values[2 * pair + 1]);
            words[pair] = packBf16(plain[2 * pair], plain[2 * pair + 1]);
        }
    }
    return make_uint4(words[0], words[1], words[2], words[3]);
}

// Rows [first, first + kLinearTokens) into a tile, by the threads that will use them; zeros from `end` on.
template <int kWidth>
__device__ __forceinline__ void fetchTile(Bf16* tile, const Bf16* from, std::int64_t step, int first, int end) {
    using Shape = LinearShape<kWidth>;
    const int unit = static_cast<int>(threadIdx.x) % Shape::kUnits;
#pragma unroll
    for (int pass = 0; pass < Shape::kPasses; ++pass) {
        const int row = pass * Shape::kRows + static_cast<int>(threadIdx.x) / Shape::kUnits;
        const bool exists = first + row < end;
        copyAsync16(tile + swizzled<Shape::kUnits>(row, unit), from + (exists ? first + row : 0) * step + unit * 8,
                    exists);
    }
}

// The state of one piece: blockIdx = {head and batch, piece}. Eight warps, 4 by 2, share the D x D sums.
template <int kWidth, bool kRotated>
__global__ __launch_bounds__(kLinearThreads, 2) void linearStateKernel(const LinearAttentionArgs args,
                                                                       const LinearPieces pieces, float* states) {
    using Shape = LinearShape<kWidth>;
    constexpr int kRowTiles = kWidth / 64;     // of 16 rows, a warp
    constexpr int kColumnTiles = kWidth / 16;  // of 8 columns, a warp
    FW_DYNAMIC_SHARED(memory);
    Bf16* keys = reinterpret_cast<Bf16*>(memory);          // [stages][tile]
    Bf16* values = keys + kLinearStages * Shape::kTile;    // [stages][tile]
    Bf16* turned = values + kLinearStages * Shape::kTile;  // [tile]
    const AttentionArgs& o = args.operands;
    const int thread = static_cast<int>(threadIdx.x);
    const int lane = thread % 32;
    const int warp = thread / 32;
    const int unit = thread % Shape::kUnits;
    const std::int64_t head = blockIdx.x % o.heads;
    const std::int64_t batch = blockIdx.x / o.heads;
    const int begin = static_cast<int>(blockIdx.y) * pieces.size;
    const int tokens = static_cast<int>(o.keys);
    const int end = begin + pieces.size < tokens ? begin + pieces.size : tokens;
    const int tiles = static_cast<int>(ceilDiv(end - begin, kLinearTokens));
    const Bf16* k = static_cast<const Bf16*>(o.k) + batch * o.kBatch + head * o.kHead;
    const Bf16* v = static_cast<const Bf16*>(o.v) + batch * o.vBatch + head * o.vHead;
    const auto fetch = [&](int tile) {
        if (tile < tiles) {
            const int stage = tile % kLinearStages;
            fetchTile<kWidth>(keys + stage * Shape::kTile, k, o.kToken, begin + tile * kLinearTokens, end);
            fetchTile<kWidth>(values + stage * Shape::kTile, v, o.vToken, begin + tile * kLinearTokens, end);
        }
        commitCopies();
    };
    Rotation rotations[Shape::kPasses];
    const auto fetchRotations = [&](int tile) {
#pragma unroll
        for (int pass = 0; pass < Shape::kPasses; ++pass) {
            rotations[pass] = rotationAt<kRotated>(
                args, begin + tile * kLinearTokens + pass * Shape::kRows + thread / Shape::kUnits, unit);
        }
    };
#pragma unroll
    for (int tile = 0; tile < kLinearStages - 1; ++tile) {
        fetch(tile);
    }
    fetchRotations(0);
    float sums[kRowTiles][kColumnTiles][4] = {};
    float totals[8] = {};  // of ρ, of this thread's unit
    for (int tile = 0; tile < tiles; ++tile) {
        fetch(tile + kLinearStages - 1);
        waitForCopies<kLinearStages - 1>();
        const Bf16* raw = keys + tile % kLinearStages * Shape::kTile;
        const Bf16* value = values + tile % kLinearStages * Shape::kTile;
#pragma unroll
        for (int pass = 0; pass < Shape::kPasses; ++pass) {
            const int at = swizzled<Shape::kUnits>(pass * Shape::kRows + thread / Shape::kUnits, unit);
            float plain[8];
            *reinterpret_cast<uint4*>(turned + at) =
                featuresOfUnit<kRotated>(*reinterpret_cast<const uint4*>(raw + at), rotations[pass], plain);
#pragma unroll
            for (int i = 0; i < 8; ++i) {
                totals[i] += plain[i];
            }
        }
        fetchRotations(tile + 1);
        __syncthreads();  // features and values are there
#pragma unroll
        for (int step = 0; step < kLinearTokens / 16; ++step) {
            std::uint32_t a[kRowTiles][4];
#pragma unroll
            for (int m = 0; m < kRowTiles; ++m) {
                // Rows of the state are channels of φ: tokens 0..7 and 8..15, each in two halves of channels.
                loadMatricesTransposed(
                    a[m], turned + swizzled<Shape::kUnits>(step * 16 + lane / 16 * 8 + lane % 8,
                                                           (warp / 2 * kRowTiles + m) * 2 + lane / 8 % 2));
            }
#pragma unroll
            for (int pair = 0; pair < kColumnTiles / 2; ++pair) {
                std::uint32_t b[4];
                loadMatricesTransposed(
                    b, value + swizzled<Shape::kUnits>(step * 16 + lane % 16,
                                                       warp % 2 * kColumnTiles + 2 * pair + lane / 16));
#pragma unroll
                for (int m = 0; m < kRowTiles; ++m) {
                    mmaBf16(sums[m][2 * pair], a[m], b[0], b[1]);
                    mmaBf16(sums[m][2 * pair + 1], a[m], b[2], b[3]);
                }
            }
        }
        __syncthreads();  // and have been read
    }
    waitForCopies<0>();
    float* state =
        states + (static_cast<std::int64_t>(blockIdx.x) * pieces.count + blockIdx.y) * stateFloats(kWidth);
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
        for (int n = 0; n < kColumnTiles; ++n) {
            const int row = (warp / 2 * kRowTiles + m) * 16 + lane / 4;
            float* to = state + row * kWidth + (warp % 2 * kColumnTiles + n) * 8 + lane % 4 * 2;
            *reinterpret_cast<float2*>(to) = make_float2(sums[m][n][0], sums[m][n][1]);
            *reinterpret_cast<float2*>(to + 8 * kWidth) = make_float2(sums[m][n][2], sums[m][n][3]);
        }
    }
    // The threads' totals meet in the memory of the keys.
    float* shared = reinterpret_cast<float*>(memory);  // [kRows][kWidth]
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        shared[thread * 8 + i] = totals[i];
    }
    __syncthreads();
    if (thread < kWidth) {
        float total = 0.0F;
        for (int row = 0; row < Shape::kRows; ++row) {
            total += shared[row * kWidth + thread];
        }
        state[kWidth * kWidth + thread] = total;
    }
}

// The result of one piece: blockIdx = {head and batch, piece}. Each of eight warps computes kWidth / 8 columns, the
// state's part for them in its registers.
template <int kWidth, bool kRotated>
__global__ __launch_bounds__(kLinearThreads, 2) void linearResultKernel(const LinearAttentionArgs args,
                                                                        const LinearPieces pieces,
                                                                        const float* sums, std::int64_t sumStep) {
    using Shape = LinearShape<kWidth>;
    constexpr int kColumnTiles = kWidth / 64;  // of 8 columns, a warp
    constexpr int kSteps = kWidth / 16;
    constexpr int kRowTiles = kLinearTokens / 16;
    FW_DYNAMIC_SHARED(memory);
    Bf16* queries = reinterpret_cast<Bf16*>(memory);                    // [stages][tile]
    Bf16* turned = queries + kLinearStages * Shape::kTile;              // [tile]
    float* divisors = reinterpret_cast<float*>(turned + Shape::kTile);  // [kLinearTokens]
    float* normaliser = divisors + kLinearTokens;                       // [kWidth]
    const AttentionArgs& o = args.operands;
    const int thread = static_cast<int>(threadIdx.x);
    const int lane = thread % 32;
    const int warp = thread / 32;
    const int unit = thread % Shape::kUnits;
    const std::int64_t head = blockIdx.x % o.heads;
    const std::int64_t batch = blockIdx.x / o.heads;
    const int begin = static_cast<int>(blockIdx.y) * pieces.size;
    const int tokens = static_cast<int>(o.queries);
    const int end = begin + pieces.size < tokens ? begin + pieces.size : tokens;
    const int tiles = static_cast<int>(ceilDiv(end - begin, kLinearTokens));
    const Bf16* q = static_cast<const Bf16*>(o.q) + batch * o.qBatch + head * o.qHead;
    const auto fetch = [&](int tile) {
        if (tile < tiles) {
            fetchTile<kWidth>(queries + tile % kLinearStages * Shape::kTile, q, o.qToken,
                              begin + tile * kLinearTokens, end);
        }
        commitCopies();
    };
    Rotation rotations[Shape::kPasses];
    const auto fetchRotations = [&](int tile) {
#pragma unroll
        for (int pass = 0; pass < Shape::kPasses; ++pass) {
            rotations[pass] = rotationAt<kRotated>(
                args, begin + tile * kLinearTokens + pass * Shape::kRows + thread / Shape::kUnits, unit);
        }
    };
#pragma unroll
    for (int tile = 0; tile < kLinearStages - 1; ++tile) {
        fetch(tile);
    }
    fetchRotations(0);
    const float* state = sums + blockIdx.x * sumStep;
    // The operand's layout: rows 16 step + 2 (lane%4) + 0, 1 and 8 below, column lane/4; upper and lower bits.
    std::uint32_t upper[kSteps][kColumnTiles][2];
    std::uint32_t lower[kSteps][kColumnTiles][2];
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
        for (int n = 0; n < kColumnTiles; ++n) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const float* at = state + (step * 16 + lane % 4 * 2 + half * 8) * kWidth +
                                  (warp * kColumnTiles + n) * 8 + lane / 4;
                const float first = at[0];
                const float second = at[kWidth];
                const std::uint32_t word = packBf16(first, second);
                float roundedFirst;
                float roundedSecond;
                unpackBf16(word, roundedFirst, roundedSecond);
                upper[step][n][half] = word;
                lower[step][n][half] = packBf16(first - roundedFirst, second - roundedSecond);
            }
        }
    }
    if (thread < kWidth) {
        normaliser[thread] = state[kWidth * kWidth + thread];
    }
    __syncthreads();
    for (int tile = 0; tile < tiles; ++tile) {
        fetch(tile + kLinearStages - 1);
        waitForCopies<kLinearStages - 1>();
        const Bf16* raw = queries + tile % kLinearStages * Shape::kTile;
#pragma unroll
        for (int pass = 0; pass < Shape::kPasses; ++pass) {
            const int row = pass * Shape::kRows + thread / Shape::kUnits;
            const int at = swizzled<Shape::kUnits>(row, unit);
            float plain[8];
            *reinterpret_cast<uint4*>(turned + at) =
                featuresOfUnit<kRotated>(*reinterpret_cast<const uint4*>(raw + at), rotations[pass], plain);
            float divisor = 0.0F;
#pragma unroll
            for (int i = 0; i < 8; ++i) {
                divisor += plain[i] * normaliser[unit * 8 + i];
            }
            divisor = groupSum<Shape::kUnits>(divisor, nullptr);
            if (unit == 0) {
                divisors[row] = divisor + args.eps;
            }
        }
        fetchRotations(tile + 1);
        __syncthreads();  // features and divisors are there
        float results[kRowTiles][kColumnTiles][4] = {};
#pragma unroll
        for (int step = 0; step < kSteps; ++step) {
#pragma unroll
            for (int m = 0; m < kRowTiles; ++m) {
                std::uint32_t a[4];
                loadMatrices(a, turned + swizzled<Shape::kUnits>(m * 16 + lane % 16, 2 * step + lane / 16));
#pragma unroll
                for (int n = 0; n < kColumnTiles; ++n) {
                    mmaBf16(results[m][n], a, lower[step][n][0], lower[step][n][1]);
                    mmaBf16(results[m][n], a, upper[step][n][0], upper[step][n][1]);
                }
            }
        }
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int row = m * 16 + lane / 4 + half * 8;
                const int token = begin + tile * kLinearTokens + row;
                if (token < end) {
                    const float factor = 1.0F / divisors[row];
                    Bf16* out = static_cast<Bf16*>(o.out) + batch * o.outBatch + token * o.outToken +
                                head * o.outHead + lane % 4 * 2;
#pragma unroll
                    for (int n = 0; n < kColumnTiles; ++n) {
                        *reinterpret_cast<std::uint32_t*>(out + (warp * kColumnTiles + n) * 8) =
                            packBf16(results[m][n][2 * half] * factor, results[m][n][2 * half + 1] * factor);
                    }
                }
            }
        }
        __syncthreads();  // and have been read
    }
    waitForCopies<0>();
}

// What states computes, [heads · batch, pieces.count, stateFloats(kWidth)], and what becomes a result of their
// sums.
struct LinearCall {
    const LinearAttentionArgs& args;
    LinearPieces pieces;
    float* states;
};

template <int kWidth>
LaunchShape linearShape(const LinearCall& call, int tiles) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(call.args.operands.heads * call.args.operands.batch),
                      static_cast<unsigned>(call.pieces.count));
    shape.threads = kLinearThreads;
    shape.sharedBytes = tiles * 2 * LinearShape<kWidth>::kTile;
    return shape;
}

template <int kWidth, bool kRotated>
Code launchLinearStates(Queue& queue, const LinearCall& call) {
    const LaunchShape shape = linearShape<kWidth>(call, 2 * kLinearStages + 1);
    const Code code =
        launch(queue, linearStateKernel<kWidth, kRotated>, shape, call.args, call.pieces, call.states);
    const AttentionArgs& o = call.args.operands;
    return code == Code::Ok
               ? addStates(queue, call.states, o.heads * o.batch, call.pieces.count, stateFloats(kWidth))
               : code;
}

template <int kWidth, bool kRotated>
Code launchLinearResult(Queue& queue, const LinearCall& call) {
    LaunchShape shape = linearShape<kWidth>(call, kLinearStages + 1);
    shape.sharedBytes += (kLinearTokens + kWidth) * static_cast<int>(sizeof(float));
    const float* sums = call.states;
    return launch(queue, linearResultKernel<kWidth, kRotated>, shape, call.args, call.pieces, sums,
                  call.pieces.count * stateFloats(kWidth));
}

// One width a file, so that they compile side by side.
[[nodiscard]] Code linearStates64(Queue& queue, const LinearCall& call);
[[nodiscard]] Code linearStates128(Queue& queue, const LinearCall& call);
[[nodiscard]] Code linearResult64(Queue& queue, const LinearCall& call);
[[nodiscard]] Code linearResult128(Queue& queue, const LinearCall& call);
[[nodiscard]] Code wgmmaLinearResult64(Queue& queue, const LinearCall& call);
[[nodiscard]] Code wgmmaLinearResult128(Queue& queue, const LinearCall& call);

}  // namespace fw::kernels::cuda
