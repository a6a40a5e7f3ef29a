// Rows of the softmax that attention() never forms, for looking into it.
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kTileRows = 32;
constexpr int kTileKeys = 64;
constexpr int kChunk = 64;  // channels in shared memory at a time
constexpr int kPitch =
    kChunk + 4;  // four channels are read at once; eight lanes meet eight different groups of banks
constexpr int kRowsEach = kTileRows / (kThreads / 32);
constexpr int kKeysEach = kTileKeys / 32;

__device__ __forceinline__ float dot4(float4 a, float4 b, float sum) {
    sum = fmaf(a.x, b.x, sum);
    sum = fmaf(a.y, b.y, sum);
    sum = fmaf(a.z, b.z, sum);
    return fmaf(a.w, b.w, sum);
}

// Scores into out. blockIdx: {tile of keys, tile of rows, head}. A warp computes kRowsEach rows, a lane every 32nd
// key of the tile.
template <class T>
__global__ __launch_bounds__(kThreads) void rowScoresKernel(const AttentionRowsArgs args,
                                                            const std::int32_t* wanted) {
    __shared__ float4 queryGroups[kTileRows * kPitch / 4];
    __shared__ float4 keyGroups[kTileKeys * kPitch / 4];
    float* const queries = reinterpret_cast<float*>(queryGroups);
    float* const keys = reinterpret_cast<float*>(keyGroups);
    const auto width = static_cast<int>(args.headDim);
    const std::int64_t head = blockIdx.z;
    const std::int64_t firstKey = static_cast<std::int64_t>(blockIdx.x) * kTileKeys;
    const std::int64_t firstRow = static_cast<std::int64_t>(blockIdx.y) * kTileRows;
    const T* q = static_cast<const T*>(args.q) + head * args.qHead;
    const T* k = static_cast<const T*>(args.k) + head * args.kHead;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warp = static_cast<int>(threadIdx.x) / 32;
    float sums[kRowsEach][kKeysEach] = {};
    for (int first = 0; first < width; first += kChunk) {
        __syncthreads();  // the chunk before has been read
        for (int i = static_cast<int>(threadIdx.x); i < kTileRows * kChunk; i += kThreads) {
            const std::int64_t row = firstRow + i / kChunk;
            const int channel = first + i % kChunk;
            queries[i / kChunk * kPitch + i % kChunk] =
                row < args.rows && channel < width ? toFloat(q[wanted[row] * args.qToken + channel]) * args.scale
                                                   : 0.0F;
        }
        for (int i = static_cast<int>(threadIdx.x); i < kTileKeys * kChunk; i += kThreads) {
            const std::int64_t key = firstKey + i / kChunk;
            const int channel = first + i % kChunk;
            keys[i / kChunk * kPitch + i % kChunk] =
                key < args.keys && channel < width ? toFloat(k[key * args.kToken + channel]) : 0.0F;
        }
        __syncthreads();
        for (int i = 0; i < kChunk; i += 4) {
            float4 mine[kKeysEach];
#pragma unroll
            for (int j = 0; j < kKeysEach; ++j) {
                mine[j] = keyGroups[((lane + 32 * j) * kPitch + i) / 4];
            }
#pragma unroll
            for (int r = 0; r < kRowsEach; ++r) {
                const float4 query = queryGroups[((warp * kRowsEach + r) * kPitch + i) / 4];
#pragma unroll
                for (int j = 0; j < kKeysEach; ++j) {
                    sums[r][j] = dot4(query, mine[j], sums[r][j]);
                }
            }
        }
    }
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) {
        const std::int64_t row = firstRow + warp * kRowsEach + r;
#pragma unroll
        for (int j = 0; j < kKeysEach; ++j) {
            const std::int64_t key = firstKey + lane + 32 * j;
            if (row < args.rows && key < args.keys) {
                args.out[(head * args.rows + row) * args.keys + key] =
                    sums[r][j] + (key == 0 ? args.firstKeyRaise * args.scale : 0.0F);
            }
        }
    }
}

constexpr int kMmaKeysOfWarp = 64;
constexpr int kMmaKeys = kThreads / 32 * kMmaKeysOfWarp;

// kWords runs of eight channels, 32 apart, of a row of bf16; zeros where there is no row.
template <int kWords>
__device__ __forceinline__ void loadRuns(uint4 (&runs)[kWords], const Bf16* row, bool exists) {
#pragma unroll
    for (int i = 0; i < kWords; ++i) {
        runs[i] = exists ? *reinterpret_cast<const uint4*>(row + 32 * i) : uint4{0, 0, 0, 0};
    }
}

// The same scores of bf16 on tensor cores, whose products are exact in f32 as well. blockIdx: {tile of keys, tile
// of rows, head}; a warp computes all rows of the tile over kMmaKeysOfWarp keys. Which channel stands where in a
// product of 16 is free as long as both operands agree: lane l reads runs of eight channels, 16 bytes, from 8 (l %
// 4) on, and the words of a run are what the instruction wants of it in two products. Nothing passes through shared
// memory.
template <int kWidth>
__global__ __launch_bounds__(kThreads) void rowScoresMmaKernel(const AttentionRowsArgs args,
                                                               const std::int32_t* wanted) {
    constexpr int kRuns = kWidth / 32;
    const std::int64_t head = blockIdx.z;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warp = static_cast<int>(threadIdx.x) / 32;
    const int channel = lane % 4 * 8;
    const std::int64_t firstKey = static_cast<std::int64_t>(blockIdx.x) * kMmaKeys + warp * kMmaKeysOfWarp;
    const std::int64_t firstRow = static_cast<std::int64_t>(blockIdx.y) * kTileRows;
    if (firstKey >= args.keys) {
        return;
    }
    const Bf16* q = static_cast<const Bf16*>(args.q) + head * args.qHead + channel;
    const Bf16* k = static_cast<const Bf16*>(args.k) + head * args.kHead + channel;
    uint4 queries[kTileRows / 8][kRuns];
#pragma unroll
    for (int i = 0; i < kTileRows / 8; ++i) {
        const std::int64_t row = firstRow + 8 * i + lane / 4;
        loadRuns(queries[i], row < args.rows ? q + wanted[row] * args.qToken : q, row < args.rows);
    }
    const bool pairs = args.keys % 2 == 0;  // then two scores are aligned
#pragma unroll 2
    for (int tile = 0; tile < kMmaKeysOfWarp / 8; ++tile) {
        const std::int64_t key = firstKey + 8 * tile + lane / 4;
        uint4 keys[kRuns];
        loadRuns(keys, key < args.keys ? k + key * args.kToken : k, key < args.keys);
        const std::int64_t column = firstKey + 8 * tile + lane % 4 * 2;
#pragma unroll
        for (int half = 0; half < kTileRows / 16; ++half) {
            float sums[4] = {};
#pragma unroll
            for (int i = 0; i < kRuns; ++i) {
                const uint4 upper = queries[2 * half][i];
                const uint4 lower = queries[2 * half + 1][i];
                mmaBf16(sums, {upper.x, lower.x, upper.y, lower.y}, keys[i].x, keys[i].y);
                mmaBf16(sums, {upper.z, lower.z, upper.w, lower.w}, keys[i].z, keys[i].w);
            }
#pragma unroll
            for (int part = 0; part < 2; ++part) {
                const std::int64_t row = firstRow + 16 * half + 8 * part + lane / 4;
                if (row >= args.rows) {
                    continue;
                }
                const float first =
                    sums[2 * part] * args.scale + (column == 0 ? args.firstKeyRaise * args.scale : 0.0F);
                const float second = sums[2 * part + 1] * args.scale;
                float* const out = args.out + (head * args.rows + row) * args.keys + column;
                if (pairs && column + 1 < args.keys) {
                    *reinterpret_cast<float2*>(out) = {first, second};
                } else {
                    if (column < args.keys) {
                        out[0] = first;
                    }
                    if (column + 1 < args.keys) {
                        out[1] = second;
                    }
                }
            }
        }
    }
}

bool readsRuns(const AttentionRowsArgs& args) {
    const auto aligned = [](const void* data, std::int64_t token, std::int64_t head) {
        return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && token % 8 == 0 && head % 8 == 0;
    };
    return args.element == Element::Bf16 && aligned(args.q, args.qToken, args.qHead) &&
           aligned(args.k, args.kToken, args.kHead);
}

Code rowScores(Queue& queue, const AttentionRowsArgs& args, const std::int32_t* wanted) {
    LaunchShape shape;
    shape.threads = kThreads;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.keys, kMmaKeys)),
                      static_cast<unsigned>(ceilDiv(args.rows, kTileRows)), static_cast<unsigned>(args.heads));
    if (readsRuns(args) && args.headDim == 128) {
        return launch(queue, rowScoresMmaKernel<128>, shape, args, wanted);
    }
    if (readsRuns(args) && args.headDim == 64) {
        return launch(queue, rowScoresMmaKernel<64>, shape, args, wanted);
    }
    shape.grid.x = static_cast<unsigned>(ceilDiv(args.keys, kTileKeys));
    return withAct(args.element,
                   [&](auto t) { return launch(queue, rowScoresKernel<decltype(t)>, shape, args, wanted); });
}

// As groupSum(): of a warp, or of a whole block.
template <int kGroup>
__device__ __forceinline__ float groupMax(float value, float* shared) {
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, offset));
    }
    if constexpr (kGroup > 32) {
        __syncthreads();  // the last result has been read
        if (threadIdx.x % 32 == 0) {
            shared[threadIdx.x / 32] = value;
        }
        __syncthreads();
        for (int warp = 0; warp < kGroup / 32; ++warp) {
            value = fmaxf(value, shared[warp]);
        }
    }
    return value;
}

// Scores into their softmax in place; its entropy is ln Z + Σ p (max - s). kGroup threads for each row, a warp or a
// block; the row lies in their registers, kEach keys in each, or with kEach = 0 is read again for every pass.
template <int kGroup, int kEach>
__global__ __launch_bounds__(kGroup > 32 ? kGroup : kThreads) void rowSoftmaxKernel(const AttentionRowsArgs args) {
    __shared__ float shared[kGroup / 32];
    const int lane = static_cast<int>(threadIdx.x) % kGroup;
    const std::int64_t row =
        kGroup > 32 ? blockIdx.x
                    : static_cast<std::int64_t>(blockIdx.x) * (kThreads / kGroup) + threadIdx.x / kGroup;
    if (row >= args.heads * args.rows) {
        return;
    }
    float* scores = args.out + row * args.keys;
    const auto keys = static_cast<int>(args.keys);
    float mine[kEach > 0 ? kEach : 1];
    // body(key, value); what it leaves in the value is kept for the next pass.
    const auto forEachKey = [&](const auto& body) {
        if constexpr (kEach > 0) {
#pragma unroll
            for (int j = 0; j < kEach; ++j) {
                const int key = lane + j * kGroup;
                if (key < keys) {
                    body(key, mine[j]);
                }
            }
        } else {
            for (int key = lane; key < keys; key += kGroup) {
                body(key, scores[key]);
            }
        }
    };
    float most = -INFINITY;
    float strange = 0.0F;  // how many scores are not finite
    forEachKey([&](int key, float& value) {
        const float score = scores[key];
        if constexpr (kEach > 0) {
            value = score;
        }
        most = fmaxf(most, score);
        strange += fabsf(score) <= 3.402823466e38F ? 0.0F : 1.0F;
    });
    most = groupMax<kGroup>(most, shared);
    strange = groupSum<kGroup>(strange, shared);
    float weighted = 0.0F;
    float sum = 0.0F;
    forEachKey([&](int, float& value) {
        const float below = most - value;
        const float weight = expf(-below);
        sum += weight;
        weighted += weight > 0.0F ? weight * below : 0.0F;
        value = weight;
    });
    sum = groupSum<kGroup>(sum, shared);
    weighted = groupSum<kGroup>(weighted, shared);
    const float nothing = __int_as_float(0x7fc00000);
    const float factor = strange > 0.0F ? nothing : 1.0F / sum;
    forEachKey([&](int key, float& value) { scores[key] = value * factor; });
    if (lane == 0) {
        args.entropies[row] = strange > 0.0F ? nothing : logf(sum) + weighted / sum;
    }
}

template <int kGroup, int kEach>
Code rowSoftmax(Queue& queue, const AttentionRowsArgs& args) {
    LaunchShape shape;
    shape.threads = kGroup > 32 ? kGroup : kThreads;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.heads * args.rows, shape.threads / kGroup)));
    return launch(queue, rowSoftmaxKernel<kGroup, kEach>, shape, args);
}

}  // namespace

Code attentionRows(Queue* queue, const AttentionRowsArgs& args) {
    if (args.rows == 0 || args.heads == 0 || args.keys == 0) {
        return Code::Ok;
    }
    const auto bytes = args.rows * static_cast<std::int64_t>(sizeof(std::int32_t));
    auto* wanted = static_cast<std::int32_t*>(queue->wantedRows.take(queue->stream, bytes));
    if (wanted == nullptr) {
        return queue->fail(Code::OutOfMemory, "no device memory for the rows wanted of attention");
    }
    // The caller's list may go once this returns: small copies are taken at once, large ones through pinned memory.
    if (const Code code = queue->check(queue->staging.upload(queue->stream, args.wanted, wanted, bytes),
                                       "copying the rows wanted of attention");
        code != Code::Ok) {
        return code;
    }
    const Code code = rowScores(*queue, args, wanted);
    if (code != Code::Ok) {
        return code;
    }
    // A short prompt's keys, a long one's; a clip's at 480p; any.
    if (args.keys <= 128) {
        return rowSoftmax<32, 4>(*queue, args);
    }
    if (args.keys <= 512) {
        return rowSoftmax<128, 4>(*queue, args);
    }
    return args.keys <= 32768 ? rowSoftmax<1024, 32>(*queue, args) : rowSoftmax<kThreads, 0>(*queue, args);
}

}  // namespace fw::kernels::cuda
