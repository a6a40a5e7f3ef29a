// Dense attention on Hopper in e4m3: the kernel of attention_wgmma.cuh with operands of a byte, which have twice
// the speed on the tensor cores. Sums and softmax are f32; probabilities are 64 times as large in e4m3, so that
// their small ones keep their bits. A tile is one plain copy of what fp8_tiles.h prepared.
#pragma once

#include "kernels/cuda/attention_wgmma.cuh"
#include "kernels/cuda/fp8.cuh"
#include "kernels/cuda/fp8_tiles.h"

namespace fw::kernels::cuda {

template <int kWidth>
struct Fp8Shape;
template <>
struct Fp8Shape<128> {
    static constexpr int kComputing = 2;  // warpgroups
    static constexpr int kKeys = 224;     // of a tile, as FlashAttention-3's
    static constexpr int kStages = 3;
    static constexpr int kRegisters = 240;
};
template <>
struct Fp8Shape<64> {
    static constexpr int kComputing = 3;
    static constexpr int kKeys = 128;
    static constexpr int kStages = 3;
    static constexpr int kRegisters = 160;
};

// At most 2^(kRaise + kSlack) = 256 of 448.
struct Fp8Weights {
    static constexpr float kSlack = 2.0F;
    static constexpr float kRaise = 6.0F;
};

// Sizes, and tiles in shared memory.
template <int kWidth>
struct Fp8Tiles {
    using Shape = Fp8Shape<kWidth>;
    static constexpr int kStages = Shape::kStages;
    static constexpr int kKeys = Shape::kKeys;
    static constexpr int kQueries = Shape::kComputing * 64;
    static constexpr int kThreads = (Shape::kComputing + 1) * kWarpgroup;
    static constexpr int kQueryBytes = kQueries * kWidth;
    static constexpr int kKeyBytes = kKeys * kWidth;
    static constexpr int kBytes = kQueryBytes + 2 * kStages * kKeyBytes;
    using Barriers = WgmmaBarriers<kStages>;
    static constexpr int kSharedBytes = kTileAlignment + kBytes + static_cast<int>(sizeof(Barriers));
    unsigned char* base;
    __device__ unsigned char* queries() const { return base; }
    __device__ unsigned char* keys(int stage) const { return base + kQueryBytes + stage * kKeyBytes; }
    __device__ unsigned char* values(int stage) const { return keys(kStages + stage); }
    __device__ Barriers* barriers() const { return reinterpret_cast<Barriers*>(base + kBytes); }
};

// As feedTiles().
template <int kWidth>
__device__ void feedFp8Tiles(const AttentionArgs& args, const Fp8Operands& operands, const Fp8Tiles<kWidth>& tiles,
                             const WgmmaWork& work) {
    using Tiles = Fp8Tiles<kWidth>;
    typename Tiles::Barriers* barriers = tiles.barriers();
    const std::int64_t head = work.batch * args.heads + work.head;
    const auto load = [&](unsigned char* to, const std::uint8_t* from, int bytes, std::uint64_t* barrier) {
        arriveExpecting(barrier, bytes);
        loadBytes(to, from, bytes, barrier);
    };
    const std::int64_t queryTile = head * operands.queryTiles + work.firstQuery / Tiles::kQueries;
    const std::int64_t firstTile = head * operands.keyTiles + work.firstTile;
    const std::uint8_t* keys = operands.k + firstTile * Tiles::kKeyBytes;
    const std::uint8_t* values = operands.v + firstTile * Tiles::kKeyBytes;
    const auto loadKeys = [&](int tile) {
        const int stage = tile % Tiles::kStages;
        waitFor(&barriers->keysFree[stage], tile / Tiles::kStages % 2 ^ 1);
        load(tiles.keys(stage), keys + static_cast<std::int64_t>(tile) * Tiles::kKeyBytes, Tiles::kKeyBytes,
             &barriers->keysFull[stage]);
    };
    load(tiles.queries(), operands.q + queryTile * Tiles::kQueryBytes, Tiles::kQueryBytes, &barriers->queries);
    loadKeys(0);
    for (int tile = 0; tile < work.keyTiles; ++tile) {
        if (tile + 1 < work.keyTiles) {
            loadKeys(tile + 1);
        }
        const int stage = tile % Tiles::kStages;
        waitFor(&barriers->valuesFree[stage], tile / Tiles::kStages % 2 ^ 1);
        load(tiles.values(stage), values + static_cast<std::int64_t>(tile) * Tiles::kKeyBytes, Tiles::kKeyBytes,
             &barriers->valuesFull[stage]);
    }
}

// scores = q kᵀ for 64 queries and a tile of keys; `queries` are the first of their tile's rows.
template <int kWidth>
__device__ __forceinline__ void startFp8Scores(float (&scores)[Fp8Shape<kWidth>::kKeys / 2],
                                               const unsigned char* queries, const unsigned char* keys) {
    const std::uint64_t q = operandOfColumn(queries);
    const std::uint64_t k = operandOfColumn(keys);
    beginProducts();
#pragma unroll
    for (int column = 0; column < kWidth / kFp8Column; ++column) {
        wgmmaFp8FromShared(scores, advanced(q, column * Fp8Tiles<kWidth>::kQueries * kFp8Column),
                           advanced(k, column * Fp8Tiles<kWidth>::kKeys * kFp8Column), column > 0);
    }
    commitProducts();
}

// result += weights · v for a tile of keys.
template <int kWidth>
__device__ __forceinline__ void startFp8Result(
    float (&result)[kWidth / 2], const std::uint32_t (&weights)[Fp8Shape<kWidth>::kKeys / kFp8Column][4],
    const unsigned char* values) {
    const std::uint64_t v = operandOfColumn(values);
    beginProducts();
#pragma unroll
    for (int column = 0; column < Fp8Shape<kWidth>::kKeys / kFp8Column; ++column) {
        wgmmaFp8FromRegisters(result, weights[column], advanced(v, column * kWidth * kFp8Column));
    }
    commitProducts();
}

// The sums' layout of four neighbouring score tiles is the operand's layout of one, with keys as fp8KeyAt() says.
template <int kColumns>
__device__ __forceinline__ void packFp8Weights(std::uint32_t (&weights)[kColumns][4],
                                               const float (&scores)[16 * kColumns]) {
#pragma unroll
    for (int column = 0; column < kColumns; ++column) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int first = 16 * column + i / 2 * 8 + i % 2 * 2;
            weights[column][i] = packFp8(scores[first], scores[first + 1], scores[first + 4], scores[first + 5]);
        }
    }
}

// 64 queries against the keys of its block's work, by one warpgroup; `self` is its number.
template <int kWidth>
__device__ __forceinline__ void computeFp8Queries(const AttentionArgs& args, const Fp8Operands& operands,
                                                  const Fp8Tiles<kWidth>& tiles, int self, const WgmmaWork& work) {
    using Tiles = Fp8Tiles<kWidth>;
    constexpr int kKeys = Tiles::kKeys;
    const unsigned char* queries = tiles.queries() + self * 64 * kFp8Column;
    const int warp = static_cast<int>(threadIdx.x) % kWarpgroup / 32;
    const int firstRow = self * 64 + warp * 16;
    const std::int64_t head = work.batch * args.heads + work.head;
    const float* queryScales = operands.qScales + head * operands.queryTiles * Tiles::kQueries + work.firstQuery +
                               firstRow + static_cast<int>(threadIdx.x) % 32 / 4;
    // Scores in units of log 2.
    const float common = args.scale * 1.4426950408889634F * operands.scales[head * 2];
    const float scales[2] = {queryScales[0] * common, queryScales[8] * common};
    float result[kWidth / 2];
    std::uint32_t weights[kKeys / kFp8Column][4];
    SoftmaxState state;
    attendTiles<Fp8Weights, Fp8Shape<kWidth>::kComputing, kKeys>(
        result, weights, state, tiles, self, work.keyTiles, keysOfLastTile<kKeys>(args, work), scales,
        [&](auto& scores, const unsigned char* keys) { startFp8Scores<kWidth>(scores, queries, keys); },
        [](auto& sums, const auto& operand, const unsigned char* values) {
            startFp8Result<kWidth>(sums, operand, values);
        },
        [](auto& operand, const auto& scores) { packFp8Weights(operand, scores); }, [](auto&) {});
    writeResult<kWidth, Tiles::kQueries>(args, work, state, result, scales, operands.scales[head * 2 + 1],
                                         firstRow);
}

// Other architectures compile an empty body; fp8AttentionApplies() keeps them away from it.
template <int kWidth>
__global__ __launch_bounds__(Fp8Tiles<kWidth>::kThreads, 1) void fp8AttentionKernel(const Fp8Operands operands,
                                                                                    const AttentionArgs args,
                                                                                    const WgmmaSplit split) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    FW_DYNAMIC_SHARED(memory);
    const int misaligned = static_cast<int>(sharedAddressOf(memory) % kTileAlignment);
    using Tiles = Fp8Tiles<kWidth>;
    constexpr int kFreeing = Fp8Shape<kWidth>::kComputing * kWarpgroup / 32;  // warps
    const Tiles tiles{memory + (kTileAlignment - misaligned) % kTileAlignment};
    typename Tiles::Barriers* barriers = tiles.barriers();
    if (threadIdx.x == 0) {
        startBarriers(*barriers, kFreeing);
    }
    __syncthreads();
    const WgmmaWork work =
        wgmmaWorkOf<kWidth, Tiles::kQueries, Tiles::kKeys>(args, split, static_cast<int>(blockIdx.x));
    if (threadIdx.x < kWarpgroup) {
        giveRegisters<24>();
        if (threadIdx.x == 0) {
            feedFp8Tiles<kWidth>(args, operands, tiles, work);
        }
    } else {
        takeRegisters<Fp8Shape<kWidth>::kRegisters>();
        const int warpgroup = __shfl_sync(0xffffffffU, static_cast<int>(threadIdx.x) / kWarpgroup, 0);
        computeFp8Queries<kWidth>(args, operands, tiles, warpgroup - 1, work);
    }
#endif
}

template <int kWidth>
Code launchFp8(Queue& queue, const AttentionArgs& args) {
    using Tiles = Fp8Tiles<kWidth>;
    Fp8Operands operands{};
    Code code = quantiseForAttention(queue, args, Tiles::kQueries, Tiles::kKeys, operands);
    if (code != Code::Ok) {
        return code;
    }
    const WgmmaSplit split = wgmmaSplitOf(queue, args, Tiles::kQueries, Tiles::kKeys);
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(split.whole + split.divided * split.parts));
    shape.threads = Tiles::kThreads;
    shape.sharedBytes = Tiles::kSharedBytes;
    code = launch(queue, fp8AttentionKernel<kWidth>, shape, operands, args, split);
    return code == Code::Ok && split.divided > 0 ? addParts(queue, args, split, Tiles::kQueries) : code;
}

// One width a file, so that they compile side by side.
[[nodiscard]] Code fp8Attention64(Queue& queue, const AttentionArgs& args);
[[nodiscard]] Code fp8Attention128(Queue& queue, const AttentionArgs& args);

}  // namespace fw::kernels::cuda
