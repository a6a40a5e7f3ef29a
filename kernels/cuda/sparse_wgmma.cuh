// Sparse bf16 attention on Hopper: attention_wgmma.cuh over the tiles of keys a walk gives, in thread blocks that
// stay on their processor and compute one tile of queries after another.
//
// One warpgroup only asks the tensor memory accelerator for tiles, kStages of keys and of values ahead and across
// the border of two tiles of queries; two compute 64 queries each. With tiles of 128 keys both follow one list and
// take turns; with 64 each follows its own (a stream), since neighbouring blocks of 64 queries have lists of their
// own.
#pragma once

#include "kernels/cuda/attention_wgmma.cuh"
#include "kernels/cuda/sparse_branch.cuh"
#include "kernels/cuda/sparse_tiles.cuh"

namespace fw::kernels::cuda {

inline constexpr int kSparseComputing = 2;  // warpgroups
inline constexpr int kSparseThreads = (kSparseComputing + 1) * kWarpgroup;
inline constexpr int kSparseProducerRegisters = 56;
inline constexpr int kSparseComputeRegisters = 224;

// The geometry of a kernel: tiles of 128 keys: one stream of 128 queries; of 64: two of 64.
template <int kWidth, class Walk>
struct SparseShape {
    static constexpr int kKeys = Walk::kKeys;
    static constexpr int kStreams = kKeys == 64 ? 2 : 1;
    static constexpr int kQueries = 128 / kStreams;                 // of a stream
    static constexpr int kWarps = kSparseComputing * 4 / kStreams;  // that read a stream's tiles
    static constexpr int kColumns = kWidth / kTileColumns;          // boxes side by side
    // Tiles of queries: two, and the next item's come while this one is computed, for a stage of keys and values.
    static constexpr int kQueryStages = kWidth == 128 && Walk::kQueriesAhead ? 2 : 1;
    static constexpr int kStages = (kWidth == 64 ? 5 : 4) - kQueryStages;
    static constexpr int kQueryBox = kQueries * kTileRowBytes;  // bytes
    static constexpr int kKeyBox = kKeys * kTileRowBytes;
    static constexpr int kStreamBytes = kColumns * (kQueryStages * kQueryBox + 2 * kStages * kKeyBox);
};

// Columns of a tile of scores that a thread holds as its last four: always looked at, so that tiles of nearly all
// rows need no mask.
inline constexpr int kTailColumns = 8;

// What the computing warpgroups must know of a tile of keys.
struct TileNote {
    int first, end;  // positions; of the first frame: tokens
    bool isLast, inSink;
    bool isMasked;  // otherwise every query sees every key, but for the last few columns past `end`
};

template <class Shape>
struct StreamState {
    std::uint64_t queriesFull[Shape::kQueryStages], queriesFree[Shape::kQueryStages];
    std::uint64_t keysFull[Shape::kStages], keysFree[Shape::kStages];
    std::uint64_t valuesFull[Shape::kStages], valuesFree[Shape::kStages];
    TileNote notes[Shape::kStages];      // beside the keys
    bool hasTiles[Shape::kQueryStages];  // beside the queries
};

template <class Shape>
inline constexpr int kSparseSharedBytes = kTileAlignment +
                                          Shape::kStreams*(Shape::kStreamBytes +
                                                           static_cast<int>(sizeof(StreamState<Shape>)));

// The shared memory of one stream.
template <class Shape>
struct Stream {
    unsigned char* base;
    int self;

    __device__ unsigned char* tiles() const { return base + self * Shape::kStreamBytes; }
    __device__ unsigned char* queries(int stage) const {
        return tiles() + stage * Shape::kColumns * Shape::kQueryBox;
    }
    __device__ unsigned char* keys(int stage) const {
        return tiles() + Shape::kColumns * (Shape::kQueryStages * Shape::kQueryBox + stage * Shape::kKeyBox);
    }
    __device__ unsigned char* values(int stage) const { return keys(Shape::kStages + stage); }
    __device__ StreamState<Shape>* state() const {
        return reinterpret_cast<StreamState<Shape>*>(base + Shape::kStreams * Shape::kStreamBytes) + self;
    }
};

// A place in a ring of stages and the parity of its round.
template <int kStages>
struct RingPosition {
    int stage = 0, parity = 0;
    __device__ __forceinline__ void advance() {
        if (++stage == kStages) {
            stage = 0;
            parity ^= 1;
        }
    }
};

// --- the producer

// The work of a thread block: items blockIdx.x, blockIdx.x + gridDim.x …; head by head, so that the keys of one
// stay in the second-level cache.
struct SparseItems {
    int tiles, heads, count;  // tiles: of all streams together, for one head
};

// One thread keeps a stream's copies ahead of the warpgroups that compute it.
template <int kWidth, class Walk>
__device__ void feedStream(const SparseMaps& maps, const typename Walk::Args& args,
                           const Stream<SparseShape<kWidth, Walk>>& stream, const SparseItems& items) {
    using Shape = SparseShape<kWidth, Walk>;
    auto* state = stream.state();
    RingPosition<Shape::kStages> ring;
    RingPosition<Shape::kQueryStages> round;
    for (int item = static_cast<int>(blockIdx.x); item < items.count;
         item += static_cast<int>(gridDim.x), round.advance()) {
        const int tile = item % items.tiles * Shape::kStreams + stream.self;
        const int head = item / items.tiles % items.heads;
        const int batch = item / items.tiles / items.heads;
        std::uint64_t* full = &state->queriesFull[round.stage];
        waitFor(&state->queriesFree[round.stage], round.parity ^ 1);  // the first round finds everything free
        const Run own = Walk::queriesOf(args, tile, head, batch);
        if (own.first >= own.end) {
            state->hasTiles[round.stage] = false;
            arrive(full);
            continue;
        }
        Walk walk(args, tile, head, batch);
        state->hasTiles[round.stage] = !walk.isDone();
        if (walk.isDone()) {
            arrive(full);
            continue;
        }
        Walk::template load<Shape::kColumns>(args, {stream.queries(round.stage), full, head, batch}, maps.q,
                                             maps.gridQ, own.first, false);
        while (!walk.isDone()) {
            const Run run = walk.keys();
            const bool inSink = walk.isInSink();
            const bool isFull = run.end - run.first >= Walk::kKeys - kTailColumns;
            TileNote note{run.first, run.end, false, inSink, !isFull || !walk.isSeenByAll()};
            walk.advance();
            note.isLast = walk.isDone();
            waitFor(&state->keysFree[ring.stage], ring.parity ^ 1);
            state->notes[ring.stage] = note;
            Walk::template load<Shape::kColumns>(
                args, {stream.keys(ring.stage), &state->keysFull[ring.stage], head, batch}, maps.k, maps.gridK,
                run.first, inSink);
            waitFor(&state->valuesFree[ring.stage], ring.parity ^ 1);
            Walk::template load<Shape::kColumns>(
                args, {stream.values(ring.stage), &state->valuesFull[ring.stage], head, batch}, maps.v, maps.gridV,
                run.first, inSink);
            ring.advance();
        }
    }
}

// --- the computing warpgroups

// scores = q kᵀ for 64 queries and kKeys keys.
template <class Shape>
__device__ __forceinline__ void startSparseScores(float (&scores)[Shape::kKeys / 2], const unsigned char* queries,
                                                  const unsigned char* keys) {
    const std::uint64_t q = operandAt(queries, 0, kGroupBytes);
    const std::uint64_t k = operandAt(keys, 0, kGroupBytes);
    beginProducts();
#pragma unroll
    for (int step = 0; step < Shape::kColumns * kTileColumns / 16; ++step) {
        // 16 channels are 32 bytes of a box; the next box begins after 64.
        wgmmaFromShared(scores, advanced(q, step / 4 * Shape::kQueryBox + step % 4 * 32),
                        advanced(k, step / 4 * Shape::kKeyBox + step % 4 * 32), step > 0);
    }
    commitProducts();
}

// result += weights · v for kKeys keys.
template <class Shape, int kResult>
__device__ __forceinline__ void startSparseResult(float (&result)[kResult],
                                                  const std::uint32_t (&weights)[Shape::kKeys / 16][4],
                                                  const unsigned char* values) {
    const std::uint64_t v = operandAt(values, Shape::kKeyBox, kGroupBytes);
    beginProducts();
#pragma unroll
    for (int step = 0; step < Shape::kKeys / 16; ++step) {
        wgmmaFromRegisters(result, weights[step], advanced(v, step * 2 * kGroupBytes));
    }
    commitProducts();
}

// Every lane of a warp sees the same note, and has read it before the warp frees the tile.
__device__ __forceinline__ TileNote readNote(const TileNote& shared) {
    TileNote note{};
    note.first = __shfl_sync(0xffffffffU, shared.first, 0);
    note.end = __shfl_sync(0xffffffffU, shared.end, 0);
    const int flags = (shared.isLast ? 1 : 0) + (shared.isMasked ? 2 : 0) + (shared.inSink ? 4 : 0);
    const int same = __shfl_sync(0xffffffffU, flags, 0);
    note.isLast = (same & 1) != 0;
    note.isMasked = (same & 2) != 0;
    note.inSink = (same & 4) != 0;
    return note;
}

// One step of the softmax; scores of what a query does not see become minus infinity before. `query`: the position
// of this thread's first row. The step stands in both branches: after them begins a block of instructions that the
// assembler does not move the wait for the other product out of, to before the exponentials that hide it.
template <int kCount, class Mask>
__device__ __forceinline__ void softmaxOfTile(float (&scores)[kCount], SoftmaxState& state, float scale,
                                              const TileNote& note, const Mask& mask, int query) {
    const auto keyOf = [&](int i) {
        return note.first + i / 4 * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + i % 2;
    };
    if (note.isMasked) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int first = keyOf(0);
            const std::uint32_t seen =
                mask.seen(query + half * 8, first, note.inSink) & columnsBelow(note.end - first);
#pragma unroll
            for (int i = 0; i < kCount / 2; ++i) {
                float& score = scores[i / 2 * 4 + half * 2 + i % 2];
                score = (seen >> i & 1) != 0 ? score : -INFINITY;
            }
        }
        softmaxStep<false>(scores, state, scale, 0);
    } else {
#pragma unroll
        for (int i = kCount - 4; i < kCount; ++i) {
            scores[i] = keyOf(i) < note.end ? scores[i] : -INFINITY;
        }
        softmaxStep<false>(scores, state, scale, 0);
    }
}

// 64 queries of every item, by one warpgroup; `self` is its number.
template <int kWidth, class Walk>
__device__ __forceinline__ void computeStream(const typename Walk::Args& all,
                                              const Stream<SparseShape<kWidth, Walk>>& stream, int self,
                                              const SparseItems& items) {
    constexpr int kKeys = Walk::kKeys;
    using Shape = SparseShape<kWidth, Walk>;
    constexpr bool kTakesTurns = Shape::kStreams == 1;
    constexpr int kTurns = 1;  // the first barrier of the turns; 0 is __syncthreads()
    constexpr int kTurnThreads = kSparseComputing * kWarpgroup;
    const AttentionArgs& args = all.operands;
    auto* state = stream.state();
    const int rowsBefore = kTakesTurns ? self * 64 : 0;    // of the stream, by the other warpgroup
    const float scale = args.scale * 1.4426950408889634F;  // scores in units of log 2
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = rowsBefore + static_cast<int>(threadIdx.x) % kWarpgroup / 32 * 16 + lane / 4;
    RingPosition<Shape::kStages> ring;
    RingPosition<Shape::kQueryStages> round;
    if (kTakesTurns && self == 1) {
        giveTurn(kTurns, kTurnThreads);  // the first warpgroup begins
    }
    for (int item = static_cast<int>(blockIdx.x); item < items.count;
         item += static_cast<int>(gridDim.x), round.advance()) {
        const unsigned char* queries = stream.queries(round.stage) + rowsBefore * kTileRowBytes;
        const int tile = item % items.tiles * Shape::kStreams + stream.self;
        const int head = item / items.tiles % items.heads;
        const int batch = item / items.tiles / items.heads;
        const Run own = Walk::queriesOf(all, tile, head, batch);
        const typename Walk::Mask mask(all, head, batch);
        float result[kWidth / 2];
#pragma unroll
        for (float& value : result) {
            value = 0.0F;
        }
        SoftmaxState softmax;
        waitFor(&state->queriesFull[round.stage], round.parity);
        if (__shfl_sync(0xffffffffU, state->hasTiles[round.stage] ? 1 : 0, 0) == 0) {
            freeTile(&state->queriesFree[round.stage]);
        } else {
            std::uint32_t weights[kKeys / 16][4];
            bool isLast;
            {
                float scores[kKeys / 2];
                waitFor(&state->keysFull[ring.stage], ring.parity);
                const TileNote note = readNote(state->notes[ring.stage]);
                isLast = note.isLast;
                startSparseScores<Shape>(scores, queries, stream.keys(ring.stage));
                waitForProducts<0>();
                claim(scores);
                freeTile(&state->keysFree[ring.stage]);
                softmaxOfTile(scores, softmax, scale, note, mask, own.first + row);
                packWeights(weights, scores);
            }
            while (!isLast) {
                const RingPosition<Shape::kStages> before = ring;
                ring.advance();
                float scores[kKeys / 2];
                waitFor(&state->keysFull[ring.stage], ring.parity);
                const TileNote note = readNote(state->notes[ring.stage]);
                isLast = note.isLast;
                if constexpr (kTakesTurns) {
                    waitForTurn(kTurns + self, kTurnThreads);
                }
                startSparseScores<Shape>(scores, queries, stream.keys(ring.stage));
                waitFor(&state->valuesFull[before.stage], before.parity);
                startSparseResult<Shape>(result, weights, stream.values(before.stage));
                if constexpr (kTakesTurns) {
                    giveTurn(kTurns + (self ^ 1), kTurnThreads);
                }
                waitForProducts<1>();
                claim(scores);
                freeTile(&state->keysFree[ring.stage]);
                softmaxOfTile(scores, softmax, scale, note, mask, own.first + row);
                waitForProducts<0>();
                claim(result);
                freeTile(&state->valuesFree[before.stage]);
                shrinkResult(result, softmax);
                packWeights(weights, scores);
            }
            freeTile(&state->queriesFree[round.stage]);  // others may come
            waitFor(&state->valuesFull[ring.stage], ring.parity);
            startSparseResult<Shape>(result, weights, stream.values(ring.stage));
            waitForProducts<0>();
            claim(result);
            freeTile(&state->valuesFree[ring.stage]);
            ring.advance();
        }
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const float sum = sumOfWeights(softmax, half);
            const float factor = sum == 0.0F ? 0.0F : 1.0F / sum;
            const int query = own.first + row + half * 8;
            const std::int64_t token = query < own.end ? Walk::tokenOf(all, head, batch, query) : -1;
            Bf16* out = static_cast<Bf16*>(args.out) + batch * args.outBatch + token * args.outToken +
                        head * args.outHead + lane % 4 * 8;
            // The branch's row is asked for as a whole before the first of the result is written.
            const bool adds = all.added.branch.data != nullptr && token >= 0;
            uint4 added[kWidth / 32];
            float gate = 0.0F;
            if (adds) {
                const Bf16* branch = rowOf<Bf16>(all.added.branch, batch, token) + head * kWidth + lane % 4 * 8;
                gate = branchFactor(all.added, batch, token);
#pragma unroll
                for (int group = 0; group < kWidth / 32; ++group) {
                    added[group] = *reinterpret_cast<const uint4*>(branch + group * 32);
                }
            }
#pragma unroll
            for (int group = 0; group < kWidth / 32; ++group) {
                std::uint32_t words[4];
                packChannels(words, result, factor, group, half);
                if (adds) {
                    addBranchTo(words, added[group], gate);
                }
                if (token >= 0) {
                    *reinterpret_cast<uint4*>(out + group * 32) =
                        make_uint4(words[0], words[1], words[2], words[3]);
                }
            }
        }
    }
}

// Other architectures compile an empty body; wgmmaBlockSparseApplies() keeps them away from it.
template <int kWidth, class Walk>
__global__ __launch_bounds__(kSparseThreads, 1) void wgmmaSparseKernel(const __grid_constant__ SparseMaps maps,
                                                                       const __grid_constant__
                                                                       typename Walk::Args args,
                                                                       const SparseItems items) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    using Shape = SparseShape<kWidth, Walk>;
    FW_DYNAMIC_SHARED(memory);
    const int misaligned = static_cast<int>(sharedAddressOf(memory) % kTileAlignment);
    unsigned char* base = memory + (kTileAlignment - misaligned) % kTileAlignment;
    // Rows that no copy writes meet weights of zero: they must not be infinite.
    for (int i = static_cast<int>(threadIdx.x) * 16; i < Shape::kStreams * Shape::kStreamBytes;
         i += kSparseThreads * 16) {
        *reinterpret_cast<uint4*>(base + i) = make_uint4(0, 0, 0, 0);
    }
    if (threadIdx.x == 0) {
        for (int s = 0; s < Shape::kStreams; ++s) {
            auto* state = Stream<Shape>{base, s}.state();
            for (int stage = 0; stage < Shape::kQueryStages; ++stage) {
                initBarrier(&state->queriesFull[stage], 1);
                initBarrier(&state->queriesFree[stage], Shape::kWarps);
            }
            for (int stage = 0; stage < Shape::kStages; ++stage) {
                initBarrier(&state->keysFull[stage], 1);
                initBarrier(&state->valuesFull[stage], 1);
                initBarrier(&state->keysFree[stage], Shape::kWarps);
                initBarrier(&state->valuesFree[stage], Shape::kWarps);
            }
        }
    }
    publishBarriers();
    __syncthreads();
    // The role of a whole warpgroup: the compiler gives each branch its own number of registers.
    if (threadIdx.x < kWarpgroup) {
        giveRegisters<kSparseProducerRegisters>();
        const int warp = static_cast<int>(threadIdx.x) / 32;
        if (threadIdx.x % 32 == 0 && warp < Shape::kStreams) {
            feedStream<kWidth, Walk>(maps, args, {base, warp}, items);
        }
    } else {
        takeRegisters<kSparseComputeRegisters>();
        // The same in every lane, which the compiler sees only so: operands are described in uniform registers.
        const int self = __shfl_sync(0xffffffffU, static_cast<int>(threadIdx.x) / kWarpgroup, 0) - 1;
        computeStream<kWidth, Walk>(args, {base, Shape::kStreams == 1 ? 0 : self}, self, items);
    }
#endif
}

template <int kWidth, class Walk>
Code launchWgmmaSparse(Queue& queue, const typename Walk::Args& args, const SparseMaps& maps) {
    using Shape = SparseShape<kWidth, Walk>;
    const AttentionArgs& o = args.operands;
    SparseItems items{};
    items.tiles = static_cast<int>(ceilDiv(Walk::queryTiles(args), Shape::kStreams));
    items.heads = static_cast<int>(o.heads);
    items.count = items.tiles * items.heads * static_cast<int>(o.batch);
    LaunchShape shape;
    shape.grid =
        dim3(static_cast<unsigned>(items.count < queue.multiprocessors ? items.count : queue.multiprocessors));
    shape.threads = kSparseThreads;
    shape.sharedBytes = kSparseSharedBytes<Shape>;
    return launch(queue, wgmmaSparseKernel<kWidth, Walk>, shape, maps, args, items);
}

// One width and walk a file, so that they compile side by side.
[[nodiscard]] Code wgmmaBlocks128Width64(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaBlocks128Width128(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaBlocks64Width64(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaBlocks64Width128(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaBoxes64Width64(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaBoxes64Width128(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaBoxes128Width64(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaBoxes128Width128(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaWindowWidth64(Queue& queue, const WindowArgs& args, const SparseMaps& maps);
[[nodiscard]] Code wgmmaWindowWidth128(Queue& queue, const WindowArgs& args, const SparseMaps& maps);

}  // namespace fw::kernels::cuda
