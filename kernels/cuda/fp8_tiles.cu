// Queries, keys and values as e4m3. A query has a scale of its own; keys, whose mean over all tokens is taken away
// first (the softmax does not see it: SageAttention, Zhang et al. 2024, https://arxiv.org/abs/2410.02367), and
// values have one for each head. Two passes: ranges of keys and values, then the tiles.
#include "kernels/cuda/fp8_tiles.h"

#include "kernels/cuda/fp8.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kTileThreads = 256;
constexpr int kChunkTokens = 256;
constexpr int kRangeThreads = 512;

// Where a token's head begins.
struct HeadRows {
    const Bf16* data;
    std::int64_t stride;
};
__device__ __forceinline__ HeadRows headRows(const void* data, std::int64_t batchStride, std::int64_t tokenStride,
                                             std::int64_t headStride) {
    return {static_cast<const Bf16*>(data) + blockIdx.z * batchStride + blockIdx.y * headStride, tokenStride};
}
__device__ __forceinline__ std::int64_t headIndex(const AttentionArgs& args) {
    return blockIdx.z * args.heads + blockIdx.y;
}

struct Range {
    float sum = 0.0F, least = INFINITY, greatest = -INFINITY, value = 0.0F;
    __device__ void add(const Range& other) {
        sum += other.sum;
        least = fminf(least, other.least);
        greatest = fmaxf(greatest, other.greatest);
        value = fmaxf(value, other.value);
    }
};

// A chunk of tokens of one head: a thread sees 8 channels of every 16th or 32nd token.
template <int kWidth>
__global__ __launch_bounds__(kTileThreads) void fp8RangesKernel(const AttentionArgs args,
                                                                const Fp8Operands operands) {
    constexpr int kLanes = kWidth / 8;
    constexpr int kRows = kTileThreads / kLanes;
    __shared__ float4 shared[kRows][kWidth];
    const int lane = static_cast<int>(threadIdx.x) % kLanes;
    const int row = static_cast<int>(threadIdx.x) / kLanes;
    const HeadRows k = headRows(args.k, args.kBatch, args.kToken, args.kHead);
    const HeadRows v = headRows(args.v, args.vBatch, args.vToken, args.vHead);
    const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * kChunkTokens;
    Range ranges[8];
    for (int i = row; i < kChunkTokens && begin + i < args.keys; i += kRows) {
        float keys[8];
        float values[8];
        load8(k.data + (begin + i) * k.stride + lane * 8, keys);
        load8(v.data + (begin + i) * v.stride + lane * 8, values);
#pragma unroll
        for (int j = 0; j < 8; ++j) {
            Range one;
            one.sum = one.least = one.greatest = keys[j];
            one.value = fabsf(values[j]);
            ranges[j].add(one);
        }
    }
#pragma unroll
    for (int j = 0; j < 8; ++j) {
        shared[row][lane * 8 + j] =
            make_float4(ranges[j].sum, ranges[j].least, ranges[j].greatest, ranges[j].value);
    }
    __syncthreads();
    if (threadIdx.x < kWidth) {
        Range all;
        for (int i = 0; i < kRows; ++i) {
            const float4 part = shared[i][threadIdx.x];
            Range one;
            one.sum = part.x, one.least = part.y, one.greatest = part.z, one.value = part.w;
            all.add(one);
        }
        const std::int64_t at = (headIndex(args) * operands.chunks + blockIdx.x) * kWidth + threadIdx.x;
        reinterpret_cast<float4*>(operands.ranges)[at] = make_float4(all.sum, all.least, all.greatest, all.value);
    }
}

// Means and scales of one head.
template <int kWidth>
__global__ __launch_bounds__(kRangeThreads) void fp8ScalesKernel(const AttentionArgs args,
                                                                 const Fp8Operands operands) {
    constexpr int kSlices = kRangeThreads / kWidth;
    __shared__ float4 shared[kSlices][kWidth];
    const int channel = static_cast<int>(threadIdx.x) % kWidth;
    const int slice = static_cast<int>(threadIdx.x) / kWidth;
    const float4* ranges =
        reinterpret_cast<const float4*>(operands.ranges) + headIndex(args) * operands.chunks * kWidth + channel;
    Range all;
    for (std::int64_t chunk = slice; chunk < operands.chunks; chunk += kSlices) {
        const float4 part = ranges[chunk * kWidth];
        Range one;
        one.sum = part.x, one.least = part.y, one.greatest = part.z, one.value = part.w;
        all.add(one);
    }
    shared[slice][channel] = make_float4(all.sum, all.least, all.greatest, all.value);
    __syncthreads();
    if (slice == 0) {
        for (int i = 1; i < kSlices; ++i) {
            const float4 part = shared[i][channel];
            Range one;
            one.sum = part.x, one.least = part.y, one.greatest = part.z, one.value = part.w;
            all.add(one);
        }
        const float mean = all.sum / static_cast<float>(args.keys);
        operands.means[headIndex(args) * kWidth + channel] = mean;
        shared[0][channel] = make_float4(fmaxf(all.greatest - mean, mean - all.least), all.value, 0.0F, 0.0F);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        float key = 0.0F;
        float value = 0.0F;
        for (int i = 0; i < kWidth; ++i) {
            key = fmaxf(key, shared[0][i].x);
            value = fmaxf(value, shared[0][i].y);
        }
        operands.scales[headIndex(args) * 2] = fp8Scale(key);
        operands.scales[headIndex(args) * 2 + 1] = fp8Scale(value);
    }
}

// Sixteen channels of a row, where it exists.
__device__ __forceinline__ void loadUnit(const HeadRows& rows, std::int64_t row, std::int64_t count, int channel,
                                         float (&values)[2][8]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        if (row < count) {
            load8(rows.data + row * rows.stride + channel + 8 * half, values[half]);
        } else {
#pragma unroll
            for (float& value : values[half]) {
                value = 0.0F;
            }
        }
    }
}
__device__ __forceinline__ uint4 packUnit(const float (&x)[2][8], float factor) {
    return make_uint4(packFp8(x[0][0] * factor, x[0][1] * factor, x[0][2] * factor, x[0][3] * factor),
                      packFp8(x[0][4] * factor, x[0][5] * factor, x[0][6] * factor, x[0][7] * factor),
                      packFp8(x[1][0] * factor, x[1][1] * factor, x[1][2] * factor, x[1][3] * factor),
                      packFp8(x[1][4] * factor, x[1][5] * factor, x[1][6] * factor, x[1][7] * factor));
}
// Sixteen elements from `column` on of row `row` in a tile of `rows` rows.
__device__ __forceinline__ void storeUnit(std::uint8_t* tile, int rows, int row, int column, uint4 unit) {
    const int within = fp8Swizzled(row * kFp8Column + column % kFp8Column);
    *reinterpret_cast<uint4*>(tile + column / kFp8Column * rows * kFp8Column + within) = unit;
}

template <int kWidth>
__global__ __launch_bounds__(kTileThreads) void fp8QueriesKernel(const AttentionArgs args,
                                                                 const Fp8Operands operands) {
    constexpr int kLanes = kWidth / 16;
    const HeadRows q = headRows(args.q, args.qBatch, args.qToken, args.qHead);
    const int channel = static_cast<int>(threadIdx.x) % kLanes * 16;
    const std::int64_t tile = headIndex(args) * operands.queryTiles + blockIdx.x;
    std::uint8_t* to = operands.q + tile * operands.tileQueries * kWidth;
    // Whole warps stay together: rows of a tile are a multiple of those that a pass takes.
    for (int row = static_cast<int>(threadIdx.x) / kLanes; row < operands.tileQueries;
         row += kTileThreads / kLanes) {
        float values[2][8];
        loadUnit(q, static_cast<std::int64_t>(blockIdx.x) * operands.tileQueries + row, args.queries, channel,
                 values);
        float largest = 0.0F;
#pragma unroll
        for (int i = 0; i < 16; ++i) {
            largest = fmaxf(largest, fabsf(values[i / 8][i % 8]));
        }
#pragma unroll
        for (int offset = kLanes / 2; offset > 0; offset /= 2) {
            largest = fmaxf(largest, __shfl_xor_sync(0xffffffffU, largest, offset));
        }
        const float scale = fp8Scale(largest);
        storeUnit(to, operands.tileQueries, row, channel, packUnit(values, 1.0F / scale));
        if (channel == 0) {
            operands.qScales[tile * operands.tileQueries + row] = scale;
        }
    }
}

// A tile of keys and one of values, the latter turned through shared memory.
template <int kWidth>
__global__ __launch_bounds__(kTileThreads) void fp8KeysKernel(const AttentionArgs args,
                                                              const Fp8Operands operands) {
    FW_DYNAMIC_SHARED(memory);
    constexpr int kLanes = kWidth / 16;
    constexpr int kPitch = kWidth + 4;  // units 16 keys apart in other banks
    const HeadRows k = headRows(args.k, args.kBatch, args.kToken, args.kHead);
    const HeadRows v = headRows(args.v, args.vBatch, args.vToken, args.vHead);
    const std::int64_t head = headIndex(args);
    const std::int64_t tile = head * operands.keyTiles + blockIdx.x;
    const int tileKeys = operands.tileKeys;
    const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * tileKeys;
    std::uint8_t* keys = operands.k + tile * tileKeys * kWidth;
    std::uint8_t* values = operands.v + tile * tileKeys * kWidth;
    const float keyFactor = 1.0F / operands.scales[head * 2];
    const float valueFactor = 1.0F / operands.scales[head * 2 + 1];
    const int channel = static_cast<int>(threadIdx.x) % kLanes * 16;
    const float* means = operands.means + head * kWidth + channel;
    for (int row = static_cast<int>(threadIdx.x) / kLanes; row < tileKeys; row += kTileThreads / kLanes) {
        float unit[2][8];
        loadUnit(k, begin + row, args.keys, channel, unit);
        if (begin + row < args.keys) {
#pragma unroll
            for (int i = 0; i < 16; ++i) {
                unit[i / 8][i % 8] -= means[i];
            }
        }
        storeUnit(keys, tileKeys, row, channel, packUnit(unit, keyFactor));
        loadUnit(v, begin + row, args.keys, channel, unit);
        const uint4 packed = packUnit(unit, valueFactor);
        auto* words = reinterpret_cast<std::uint32_t*>(memory + row * kPitch + channel);
        words[0] = packed.x, words[1] = packed.y, words[2] = packed.z, words[3] = packed.w;
    }
    __syncthreads();
    for (int unit = static_cast<int>(threadIdx.x); unit < tileKeys / 16 * kWidth; unit += kTileThreads) {
        const int half = unit % 2 * 16;
        const int row = unit / 2 % kWidth;
        const int group = unit / (2 * kWidth) * kFp8Column;
        std::uint32_t words[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            words[i] = 0;
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const int key = group + fp8KeyAt(half + 4 * i + j);
                words[i] |= static_cast<std::uint32_t>(memory[key * kPitch + row]) << (8 * j);
            }
        }
        storeUnit(values, kWidth, row, group + half, make_uint4(words[0], words[1], words[2], words[3]));
    }
}

template <int kWidth>
Code fillOperands(Queue& queue, const AttentionArgs& args, const Fp8Operands& operands) {
    const auto shapeOf = [&](std::int64_t blocks, int threads) {
        LaunchShape shape;
        shape.grid = dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(args.heads),
                          static_cast<unsigned>(args.batch));
        shape.threads = threads;
        return shape;
    };
    Code code = launch(queue, fp8RangesKernel<kWidth>, shapeOf(operands.chunks, kTileThreads), args, operands);
    if (code == Code::Ok) {
        code = launch(queue, fp8ScalesKernel<kWidth>, shapeOf(1, kRangeThreads), args, operands);
    }
    if (code == Code::Ok) {
        code = launch(queue, fp8QueriesKernel<kWidth>, shapeOf(operands.queryTiles, kTileThreads), args, operands);
    }
    if (code == Code::Ok) {
        LaunchShape shape = shapeOf(operands.keyTiles, kTileThreads);
        shape.sharedBytes = static_cast<std::int64_t>(operands.tileKeys) * (kWidth + 4);
        code = launch(queue, fp8KeysKernel<kWidth>, shape, args, operands);
    }
    return code;
}

}  // namespace

Code quantiseForAttention(Queue& queue, const AttentionArgs& args, int tileQueries, int tileKeys,
                          Fp8Operands& operands) {
    constexpr std::int64_t kAlignment = 256;
    const std::int64_t heads = args.batch * args.heads;
    operands.tileQueries = tileQueries;
    operands.tileKeys = tileKeys;
    operands.queryTiles = ceilDiv(args.queries, tileQueries);
    operands.keyTiles = ceilDiv(args.keys, tileKeys);
    operands.chunks = ceilDiv(args.keys, kChunkTokens);
    const std::int64_t queryRows = heads * operands.queryTiles * tileQueries;
    const std::int64_t keyBytes = heads * operands.keyTiles * tileKeys * args.headDim;
    const std::int64_t sizes[] = {queryRows * args.headDim,
                                  keyBytes,
                                  keyBytes,
                                  queryRows * 4,
                                  heads * 8,
                                  heads * args.headDim * 4,
                                  heads * operands.chunks * args.headDim * 16};
    std::int64_t offsets[8] = {};
    for (int i = 0; i < 7; ++i) {
        offsets[i + 1] = offsets[i] + ceilDiv(sizes[i], kAlignment) * kAlignment;
    }
    auto* base = static_cast<std::uint8_t*>(queue.fp8.take(queue.stream, offsets[7]));
    if (base == nullptr) {
        return queue.fail(Code::OutOfMemory, "no device memory for the operands of attention in fp8");
    }
    operands.q = base;
    operands.k = base + offsets[1];
    operands.v = base + offsets[2];
    operands.qScales = reinterpret_cast<float*>(base + offsets[3]);
    operands.scales = reinterpret_cast<float*>(base + offsets[4]);
    operands.means = reinterpret_cast<float*>(base + offsets[5]);
    operands.ranges = reinterpret_cast<float*>(base + offsets[6]);
    return args.headDim == 64 ? fillOperands<64>(queue, args, operands) : fillOperands<128>(queue, args, operands);
}

}  // namespace fw::kernels::cuda
