// Dense attention over keys that are one tile, a prompt's for one: what FlashAttention-3's pass leaves without
// anything to overlap. A block keeps the keys and values of a head and walks over tiles of 64 queries, one at a time
// for each of its warpgroups, with the next ones on their way. What is left is memory: queries in, results out.
#include <algorithm>

#include "kernels/cuda/attention_wgmma.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kOneTileGroups = 2;  // warpgroups; of three each would have 168 registers, and their products be serialised
constexpr int kOneTileQueries = 64;  // of a warpgroup at a time
constexpr int kOneTileThreads = kOneTileGroups * kWarpgroup;
constexpr int kOneTileStages = 4;  // tiles of queries of a warpgroup, in flight or in use

struct OneTileBarriers {
    std::uint64_t operands;
    std::uint64_t queries[kOneTileGroups][kOneTileStages];
};

// In shared memory, each tile as columns of boxes of 64 channels.
template <int kWidth>
struct OneTile {
    static constexpr int kBoxes = kWidth / kTileColumns;
    static constexpr int kKeyBox = kWgmmaKeys<kWidth> * kTileRowBytes;
    static constexpr int kQueryBox = kOneTileQueries * kTileRowBytes;
    static constexpr int kBytes = kBoxes * (2 * kKeyBox + kOneTileGroups * kOneTileStages * kQueryBox);
    static constexpr int kSharedBytes = kTileAlignment + kBytes + static_cast<int>(sizeof(OneTileBarriers));
    unsigned char* base;
    __device__ unsigned char* keys() const { return base; }
    __device__ unsigned char* values() const { return base + kBoxes * kKeyBox; }
    __device__ unsigned char* queries(int group, int stage) const {
        return base + kBoxes * (2 * kKeyBox + (group * kOneTileStages + stage) * kQueryBox);
    }
    __device__ OneTileBarriers* barriers() const { return reinterpret_cast<OneTileBarriers*>(base + kBytes); }
};

// By one thread.
template <int kWidth>
__device__ __forceinline__ void loadTile(unsigned char* to, int boxBytes, const TensorMap& map,
                                         std::uint64_t* barrier, int token, int head, int batch) {
#pragma unroll
    for (int box = 0; box < kWidth / kTileColumns; ++box) {
        loadBox(to + box * boxBytes, map, barrier, box * kTileColumns, token, head, batch);
    }
}

// This thread's parts of two queries, in units of 16 bytes.
template <int kWidth>
__device__ __forceinline__ void writeRows(const AttentionArgs& args, const SoftmaxState& state,
                                          const float (&result)[kWidth / 2], std::int64_t firstRow, int head,
                                          int batch) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const float sum = sumOfWeights(state, half);
        const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;
        const std::int64_t query = firstRow + lane / 4 + half * 8;
        Bf16* out = static_cast<Bf16*>(args.out) + batch * args.outBatch + query * args.outToken +
                    head * args.outHead + lane % 4 * 8;
#pragma unroll
        for (int group = 0; group < kWidth / 32; ++group) {
            std::uint32_t words[4];
            packChannels(words, result, factor, group, half);
            if (query < args.queries) {
                *reinterpret_cast<uint4*>(out + group * 32) = make_uint4(words[0], words[1], words[2], words[3]);
            }
        }
    }
}

// `chunks` blocks share the queries of a head. Other architectures compile an empty body.
template <int kWidth>
__global__ __launch_bounds__(kOneTileThreads, 1) void oneTileKernel(const __grid_constant__ WgmmaMaps maps,
                                                                    const AttentionArgs args, int chunks) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    using Tile = OneTile<kWidth>;
    constexpr int kKeys = kWgmmaKeys<kWidth>;
    FW_DYNAMIC_SHARED(memory);
    const int misaligned = static_cast<int>(sharedAddressOf(memory) % kTileAlignment);
    const Tile shared{memory + (kTileAlignment - misaligned) % kTileAlignment};
    OneTileBarriers* barriers = shared.barriers();
    const int block = static_cast<int>(blockIdx.x);
    const int chunk = block % chunks;
    const int head = block / chunks % static_cast<int>(args.heads);
    const int batch = block / chunks / static_cast<int>(args.heads);
    const std::int64_t tiles = ceilDiv(args.queries, kOneTileQueries);
    const int first = static_cast<int>(tiles * chunk / chunks);
    const int end = static_cast<int>(tiles * (chunk + 1) / chunks);
    if (threadIdx.x == 0) {
        initBarrier(&barriers->operands, 1);
        for (auto& group : barriers->queries) {
            for (std::uint64_t& barrier : group) {
                initBarrier(&barrier, 1);
            }
        }
        publishBarriers();
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        arriveExpecting(&barriers->operands, 2 * Tile::kBoxes * Tile::kKeyBox);
        loadTile<kWidth>(shared.keys(), Tile::kKeyBox, maps.k, &barriers->operands, 0, head, batch);
        loadTile<kWidth>(shared.values(), Tile::kKeyBox, maps.v, &barriers->operands, 0, head, batch);
    }
    // The same in every lane, which the compiler sees only so: operands are described in uniform registers.
    const int group = __shfl_sync(0xffffffffU, static_cast<int>(threadIdx.x) / kWarpgroup, 0);
    const bool leads = threadIdx.x % kWarpgroup == 0;
    const int warp = static_cast<int>(threadIdx.x) % kWarpgroup / 32;
    const auto tileOf = [&](int round) { return first + round * kOneTileGroups + group; };
    const auto load = [&](int round) {
        if (leads && tileOf(round) < end) {
            const int stage = round % kOneTileStages;
            std::uint64_t* barrier = &barriers->queries[group][stage];
            arriveExpecting(barrier, Tile::kBoxes * Tile::kQueryBox);
            loadTile<kWidth>(shared.queries(group, stage), Tile::kQueryBox, maps.q, barrier,
                             tileOf(round) * kOneTileQueries, head, batch);
        }
    };
    for (int round = 0; round < kOneTileStages; ++round) {
        load(round);
    }
    const float scale = args.scale * 1.4426950408889634F;  // scores in units of log 2
    waitFor(&barriers->operands, 0);
    for (int round = 0; tileOf(round) < end; ++round) {
        const int stage = round % kOneTileStages;
        waitFor(&barriers->queries[group][stage], round / kOneTileStages % 2);
        SoftmaxState state;
        std::uint32_t weights[kKeys / 16][4];
        {
            float scores[kKeys / 2];
            startScores<kWidth, Tile::kQueryBox>(scores, shared.queries(group, stage), shared.keys());
            waitForProducts<0>();
            claim(scores);
            waitForTurn(1 + group, kWarpgroup);  // every warp has read its queries
            load(round + kOneTileStages);
            // The first column lies in every fourth lane, with two queries.
            const float raised = threadIdx.x % 4 == 0 ? args.firstKeyRaise : 0.0F;
            scores[0] += raised;
            scores[2] += raised;
            softmaxStep<true>(scores, state, scale, static_cast<int>(args.keys));
            packWeights(weights, scores);
        }
        float result[kWidth / 2];
#pragma unroll
        for (float& value : result) {
            value = 0.0F;
        }
        startResult<kWidth>(result, weights, shared.values());
        waitForProducts<0>();
        claim(result);
        writeRows<kWidth>(args, state, result, static_cast<std::int64_t>(tileOf(round)) * kOneTileQueries + warp * 16,
                          head, batch);
    }
#endif
}

// How many blocks share the queries of a head, so that the last round of blocks, one to a multiprocessor, is nearly
// full. Few are better: each fetches the head's keys and values.
std::int64_t chunksOf(std::int64_t heads, std::int64_t multiprocessors, std::int64_t most) {
    constexpr std::int64_t kMostRounds = 8;
    std::int64_t best = 1;
    double bestShare = 0.0;  // of the rounds that have work
    for (std::int64_t rounds = 1; rounds <= kMostRounds; ++rounds) {
        const std::int64_t chunks = std::clamp<std::int64_t>(rounds * multiprocessors / heads, 1, most);
        const std::int64_t slots = ceilDiv(chunks * heads, multiprocessors) * multiprocessors;
        const double share = static_cast<double>(chunks * heads) / static_cast<double>(slots);
        if (share > bestShare + 0.05) {
            best = chunks;
            bestShare = share;
        }
    }
    return best;
}

template <int kWidth>
Code launchOneTile(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps) {
    const std::int64_t heads = args.heads * args.batch;
    const std::int64_t tiles = ceilDiv(args.queries, kOneTileQueries);
    const std::int64_t chunks = chunksOf(heads, queue.multiprocessors, ceilDiv(tiles, kOneTileGroups));
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(heads * chunks));
    shape.threads = kOneTileThreads;
    shape.sharedBytes = OneTile<kWidth>::kSharedBytes;
    return launch(queue, oneTileKernel<kWidth>, shape, maps, args, static_cast<int>(chunks));
}

}  // namespace

bool oneTileAttentionApplies(const Queue& queue, const AttentionArgs& args) {
    return wgmmaAttentionApplies(queue, args) && args.keys <= (args.headDim == 64 ? kWgmmaKeys<64> : kWgmmaKeys<128>);
}

Code oneTileAttention(Queue& queue, const AttentionArgs& args) {
    WgmmaMaps maps{};
    const Code code = makeWgmmaMaps(queue, args, kOneTileQueries, maps);
    if (code != Code::Ok) {
        return code;
    }
    return args.headDim == 64 ? launchOneTile<64>(queue, args, maps) : launchOneTile<128>(queue, args, maps);
}

}  // namespace fw::kernels::cuda
