// Choosing key blocks for block-sparse attention: mean queries and mean keys of all blocks, their products, and the
// largest of each row, in two kernels. Sums and products in f32, so that the choice is the reference's but for ties
// within rounding.
#include "kernels/cuda/sparse_walk.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kRows = kThreads / 32;  // query blocks of a thread block, one for each warp's choice

// Where the means lie: queries as rows, keys as columns, so that neighbouring threads read neighbouring key blocks.
struct Means {
    float* queries;  // [batch, heads, blocks, headDim]
    float* keys;     // [batch, heads, headDim, blocks]
};

template <int kWide, class T>
__device__ __forceinline__ void loadWide(const T* from, float (&values)[kWide]) {
    if constexpr (kWide == 8) {
        load8(from, values);
    } else {
#pragma unroll
        for (int i = 0; i < kWide; ++i) {
            values[i] = toFloat(from[i]);
        }
    }
}

// The mean of one block of one head: blockIdx = {2 · head + is key, block, batch}. kWide: channels of a thread. A
// team of threads reads a row; the teams' sums meet in shared memory.
template <class T, int kWide>
__global__ __launch_bounds__(kThreads) void meansOfBlocks(const SelectBlocksArgs args, const Means means) {
    FW_DYNAMIC_SHARED(memory);
    float* shared = reinterpret_cast<float*>(memory);  // [kThreads][kWide]
    const AttentionArgs& o = args.operands;
    const int thread = static_cast<int>(threadIdx.x);
    const int width = static_cast<int>(o.headDim);
    const bool isKey = blockIdx.x % 2 == 1;
    const std::int64_t head = blockIdx.x / 2;
    const int block = static_cast<int>(blockIdx.y);
    const std::int64_t batch = blockIdx.z;
    const int team = width / kWide;
    const int teams = kThreads / team;
    const int channel = thread % team * kWide;
    const T* rows = static_cast<const T*>(isKey ? o.k : o.q) +
                    (isKey ? batch * o.kBatch + head * o.kHead : batch * o.qBatch + head * o.qHead) + channel;
    const std::int64_t step = isKey ? o.kToken : o.qToken;
    const Run run = blockRun(args.cut, block, static_cast<int>(o.keys));
    float sums[kWide] = {};
    // Several loads under way at a time; rows past the end add nothing.
    constexpr int kBatch = 4;
    const int begin = thread < teams * team ? run.first + thread / team : run.end;
    for (int position = begin; position < run.end; position += kBatch * teams) {
        float values[kBatch][kWide];
#pragma unroll
        for (int i = 0; i < kBatch; ++i) {
            const int at = position + i * teams;
            loadWide<kWide>(rows + tokenAt(args.cut, at < run.end ? at : position) * step, values[i]);
        }
#pragma unroll
        for (int i = 0; i < kBatch; ++i) {
#pragma unroll
            for (int c = 0; c < kWide; ++c) {
                sums[c] += position + i * teams < run.end ? values[i][c] : 0.0F;
            }
        }
    }
#pragma unroll
    for (int i = 0; i < kWide; ++i) {
        shared[thread * kWide + i] = sums[i];
    }
    __syncthreads();
    for (int c = thread; c < width; c += kThreads) {
        float sum = 0.0F;
        for (int i = 0; i < teams; ++i) {
            sum += shared[i * width + c];
        }
        const float mean = sum / static_cast<float>(run.end - run.first);
        const std::int64_t own = batch * o.heads + head;
        if (isKey) {
            means.keys[(own * width + c) * args.cut.blocks + block] = mean;
        } else {
            means.queries[(own * args.cut.blocks + block) * width + c] = mean;
        }
    }
}

// Larger scores have larger ranks; NaN has that of minus infinity, zeros of both signs are equal.
__device__ __forceinline__ std::uint32_t rankOf(float score) {
    const std::uint32_t bits = __float_as_uint(score == score ? score + 0.0F : -INFINITY);
    return (bits & 0x80000000U) != 0U ? ~bits : bits | 0x80000000U;
}

__device__ __forceinline__ int warpCount(int count) {
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) {
        count += __shfl_xor_sync(0xffffffffU, count, offset);
    }
    return count;
}

// The warp's row of ranks becomes a list: the first `forced` blocks and the `wanted` of the largest rank after
// them.
__device__ void chooseBlocks(const std::uint32_t* ranks, int blocks, int forced, int wanted, std::int32_t* list) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    // The rank of the last one wanted, bit by bit: the largest that at least `wanted` blocks reach.
    std::uint32_t border = 0;
    for (int bit = 31; bit >= 0 && wanted > 0; --bit) {
        const std::uint32_t higher = border | 1U << static_cast<unsigned>(bit);
        int reached = 0;
        for (int block = forced + lane; block < blocks; block += 32) {
            reached += ranks[block] >= higher ? 1 : 0;
        }
        border = warpCount(reached) >= wanted ? higher : border;
    }
    int above = 0;
    for (int block = forced + lane; block < blocks; block += 32) {
        above += ranks[block] > border ? 1 : 0;
    }
    int equal = wanted - warpCount(above);  // of the border's rank, so many from the lowest on
    int written = 0;
    for (int first = 0; first < blocks; first += 32) {
        const int block = first + lane;
        const bool candidate = block >= forced && block < blocks && wanted > 0;
        const bool onBorder = candidate && ranks[block] == border;
        const unsigned tied = __ballot_sync(0xffffffffU, onBorder);
        const unsigned before = (1U << static_cast<unsigned>(lane)) - 1U;
        const bool kept =
            block < forced || (candidate && ranks[block] > border) || (onBorder && __popc(tied & before) < equal);
        const unsigned chosen = __ballot_sync(0xffffffffU, kept);
        if (kept) {
            list[written + __popc(chosen & before)] = block;
        }
        written += __popc(chosen);
        equal -= __popc(tied);
    }
}

// Scores of kRows query blocks against every key block, then each warp chooses for one.
__global__ __launch_bounds__(kThreads) void chooseKernel(const SelectBlocksArgs args, const Means means) {
    FW_DYNAMIC_SHARED(memory);
    const AttentionArgs& o = args.operands;
    const int thread = static_cast<int>(threadIdx.x);
    const int width = static_cast<int>(o.headDim);
    const int blocks = static_cast<int>(args.cut.blocks);
    const std::int64_t head = blockIdx.y;
    const std::int64_t batch = blockIdx.z;
    const std::int64_t own = batch * o.heads + head;
    const int firstRow = static_cast<int>(blockIdx.x) * kRows;
    float* queries = reinterpret_cast<float*>(memory);                                 // [width][kRows]
    std::uint32_t* ranks = reinterpret_cast<std::uint32_t*>(queries + width * kRows);  // [kRows][blocks]
    for (int i = thread; i < width * kRows; i += kThreads) {
        const int row = firstRow + i % kRows;
        queries[i] = row < blocks ? means.queries[(own * blocks + row) * width + i / kRows] : 0.0F;
    }
    __syncthreads();
    const float* keys = means.keys + own * width * blocks;
    for (int block = thread; block < blocks; block += kThreads) {
        float scores[kRows] = {};
#pragma unroll 16
        for (int c = 0; c < width; ++c) {
            const float key = keys[static_cast<std::int64_t>(c) * blocks + block];
#pragma unroll
            for (int row = 0; row < kRows; ++row) {
                scores[row] += queries[c * kRows + row] * key;
            }
        }
#pragma unroll
        for (int row = 0; row < kRows; ++row) {
            ranks[row * blocks + block] = rankOf(scores[row]);
        }
    }
    __syncthreads();
    const int warp = thread / 32;
    const int row = firstRow + warp;
    if (row >= blocks) {
        return;
    }
    const int kept = static_cast<int>(args.kept);
    const int forced = static_cast<int>(args.forced < args.kept ? args.forced : args.kept);
    chooseBlocks(ranks + warp * blocks, blocks, forced, kept - forced,
                 args.lists + batch * args.listSteps.batch + head * args.listSteps.head + row * args.listSteps.row);
    if (thread % 32 == 0) {
        args.counts[batch * args.countSteps.batch + head * args.countSteps.head + row * args.countSteps.row] = kept;
    }
}

bool isWide(const AttentionArgs& o) {
    const auto aligned = [](const void* data, std::int64_t batch, std::int64_t token, std::int64_t head) {
        return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && batch % 8 == 0 && token % 8 == 0 &&
               head % 8 == 0;
    };
    return o.headDim % 8 == 0 && aligned(o.q, o.qBatch, o.qToken, o.qHead) &&
           aligned(o.k, o.kBatch, o.kToken, o.kHead);
}

template <class T>
Code launchMeans(Queue& queue, const SelectBlocksArgs& args, const Means& means) {
    const AttentionArgs& o = args.operands;
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(2 * o.heads), static_cast<unsigned>(args.cut.blocks),
                      static_cast<unsigned>(o.batch));
    shape.threads = kThreads;
    // A team of threads holds a head, which has at most 512 channels.
    constexpr int kNarrow = 2;
    const bool wide = isWide(o);
    shape.sharedBytes = static_cast<std::int64_t>(sizeof(float)) * kThreads * (wide ? 8 : kNarrow);
    return wide ? launch(queue, meansOfBlocks<T, 8>, shape, args, means)
                : launch(queue, meansOfBlocks<T, kNarrow>, shape, args, means);
}

}  // namespace

Code selectBlocks(Queue* queue, const SelectBlocksArgs& args) {
    const AttentionArgs& o = args.operands;
    const std::int64_t floats = o.batch * o.heads * args.cut.blocks * o.headDim;
    auto* memory = static_cast<float*>(
        queue->sparse.take(queue->stream, 2 * floats * static_cast<std::int64_t>(sizeof(float))));
    if (memory == nullptr) {
        return queue->fail(Code::OutOfMemory, "no device memory for the means of blocks");
    }
    const Means means{memory, memory + floats};
    const Code code = withAct(o.element, [&](auto t) { return launchMeans<decltype(t)>(*queue, args, means); });
    if (code != Code::Ok) {
        return code;
    }
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.cut.blocks, kRows)), static_cast<unsigned>(o.heads),
                      static_cast<unsigned>(o.batch));
    shape.threads = kThreads;
    shape.sharedBytes = static_cast<std::int64_t>(sizeof(float)) * kRows * (o.headDim + args.cut.blocks);
    return launch(*queue, chooseKernel, shape, args, means);
}

}  // namespace fw::kernels::cuda
