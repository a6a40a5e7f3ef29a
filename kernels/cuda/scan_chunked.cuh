// The chunked form of Mamba2's scan (Dao and Gu 2024, https://arxiv.org/abs/2405.21060, section 6) on tensor cores:
// bf16 operands, sums, decays and the state in f32.
//
// The row is cut into segments, as many as fill the device. A first kernel computes what each segment adds to a
// state of zeros; a second one starts each segment from the sum of those before it and walks through the segment in
// chunks of 64 positions, the state in registers. So the operands are read twice and the results written once,
// whatever the length, and only a state per segment goes through memory.
//
// Within a chunk, with a_i the sum of decays (Δ e^decay, in units of log 2) from its beginning up to position i:
//   y_i = 2^-a_i (C S)_i + Σ_{j <= i} (C Bᵀ)_ij 2^(a_j + log2 Δ_j - a_i) x_j + skip x_i
//   S   = 2^-a_last S + Σ_j Δ_j 2^(a_j - a_last) x_j b_jᵀ
// Exponents are differences of a growing sum, above zero by no more than log2 Δ. Rows are read by address in the
// order asked for.
//
// Two warpgroups work on a head, one behind the other: one keeps the state and leaves it in shared memory at the
// beginning of every chunk, the other makes results of it. The former bring in the operands, two chunks ahead. The
// heads of a block share b and c. All meet at one barrier a chunk.
#pragma once

#include "kernels/cuda/scan_feed.cuh"

namespace fw::kernels::cuda {

// The barrier of a block's steps; 0 is __syncthreads().
inline constexpr int kStepTurn = 1;

// One head's state through a segment, by one warpgroup; with the others of the block it feeds the tiles.
template <class Products, int kState, int kHeads, bool kOutputs>
class SegmentStates {
 public:
    using Tiles = ScanTiles<kState, kHeads, kOutputs>;
    // Without outputs the walk goes from the end to the beginning, every position weighed by what is left of it at
    // the end: sums then need no decay, and where nothing is left the walk is over.
    static constexpr bool kBackwards = !kOutputs;
    static constexpr int kThreads = kHeads * kScanThreads * (kOutputs ? 2 : 1);  // of the block

    __device__ SegmentStates(const ScanPlace& place, const Tiles& tiles)
        : m_place(place),
          m_tiles(tiles),
          m_thread(place.warpgroup * kScanThreads + place.warp * 32 + place.lane),
          m_chunks(place.walk.chunks()),
          m_rows{place},
          m_feed(place, tiles, m_thread),
          m_steps(place) {}

    __device__ __forceinline__ void run() {
        begin();
        for (int step = 0; step < m_chunks; ++step) {
            waitForCopies<1>();
            Products::publish();
            waitForTurn(kStepTurn, kThreads);  // the chunk is there, the one before has been read
            if (kBackwards && isOver(step)) {
                break;
            }
            startUpdate(step);
            prepare(step);
            Products::template wait<0>();
            Products::claim(m_state);
            if (kOutputs) {
                writeState(step + 1);
            }
        }
        waitForCopies<0>();
        if (kOutputs) {
            writeFinal();
        } else {
            writePartial();
        }
    }

 private:
    static constexpr int kSums = kState / 2;  // of the state, for each thread

    [[nodiscard]] __device__ __forceinline__ int chunkAt(int step) const {
        return kBackwards ? m_chunks - 1 - step : step;
    }

    __device__ __forceinline__ void begin() {
        if (m_thread < kChunk) {
#pragma unroll
            for (int step = 0; step < kScanStages; ++step) {
                m_tiles.rows(step)[m_thread] = m_rows.rowFrom(m_rows.ask(chunkAt(step), m_thread));
            }
            m_asked = m_rows.ask(chunkAt(kScanStages), m_thread);
        }
        waitForTurn(kStepTurn, kThreads);
        m_feed.copy(0);
        commitCopies();
        m_feed.copy(1);
        commitCopies();
        if (m_place.warp < 2) {
            m_steps.load(m_tiles.rows(m_place.warp), chunkAt(m_place.warp));
        }
        if (m_place.warp == 0) {
            m_steps.weigh(m_tiles.weights(0, m_place.warpgroup), 0.0F);
        }
#pragma unroll
        for (float& value : m_state) {
            value = 0.0F;
        }
        if (kOutputs) {
            startState();
            writeState(0);
        }
    }

    // What the next steps need, while products run.
    __device__ __forceinline__ void prepare(int step) {
        if (m_thread < kChunk) {
            m_tiles.rows(step + kScanStages)[m_thread] = m_rows.rowFrom(m_asked);
            m_asked = m_rows.ask(chunkAt(step + kScanStages + 1), m_thread);
        }
        if (step + 2 < m_chunks) {
            m_feed.copy(step + 2);
        }
        commitCopies();
        if (m_place.warp == (step + 1) % 4) {
            const float before = kBackwards ? m_tiles.weights(step, m_place.warpgroup).through : 0.0F;
            m_steps.weigh(m_tiles.weights(step + 1, m_place.warpgroup), before);
        }
        if (m_place.warp == (step + 2) % 4) {
            m_steps.load(m_tiles.rows(step + 2), chunkAt(step + 2));
        }
    }

    // Whether no head of the block has anything to add to any more.
    __device__ __forceinline__ bool isOver(int step) {
        constexpr float kNothingLeft = 160.0F;  // 2^-160 times any step is zero
        float least = m_tiles.weights(step, 0).before;
#pragma unroll
        for (int head = 1; head < kHeads; ++head) {
            least = fminf(least, m_tiles.weights(step, head).before);
        }
        m_total = m_tiles.weights(step, m_place.warpgroup).through;
        return least > kNothingLeft;
    }

    // Starts S = kept S + Σ of the chunk, the head's columns as rows of the first operand.
    __device__ __forceinline__ void startUpdate(int step) {
        const ChunkWeights& weights = m_tiles.weights(step, m_place.warpgroup);
        const unsigned char* x = m_tiles.x(step, m_place.warpgroup);
        const int lane = m_place.lane;
        std::uint32_t columns[4][4];
#pragma unroll
        for (int part = 0; part < 4; ++part) {
            loadMatricesTransposed(
                columns[part], x + unitAt(16 * part + lane / 16 * 8 + lane % 8, 2 * m_place.warp + lane / 8 % 2));
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const std::uint32_t weight = weights.toEnd[8 * part + 4 * half + lane % 4];
                columns[part][2 * half] = multiplyBf16(columns[part][2 * half], weight);
                columns[part][2 * half + 1] = multiplyBf16(columns[part][2 * half + 1], weight);
            }
        }
        if (!kBackwards) {
            const float kept = weights.kept;
#pragma unroll
            for (float& value : m_state) {
                value *= kept;
            }
        }
        Products::begin();
        Products::template fromRegisters<kState>(m_state, columns, m_tiles.b(step), false);
        Products::commit();
    }

    // The state as an operand [64, kState] for the chunk that comes.
    __device__ __forceinline__ void writeState(int step) const {
        unsigned char* tile = m_tiles.s(step, m_place.warpgroup);
#pragma unroll
        for (int n = 0; n < kState / 8; ++n) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int row = 16 * m_place.warp + m_place.lane / 4 + 8 * half;
                *reinterpret_cast<std::uint32_t*>(tile + unitAt(row, n) + m_place.lane % 4 * 4) =
                    packBf16(m_state[4 * n + 2 * half], m_state[4 * n + 2 * half + 1]);
            }
        }
    }

    [[nodiscard]] __device__ __forceinline__ std::int64_t stateOffset() const {
        return (m_place.batch * m_place.scan.args.heads + m_place.head()) * kScanHead * kState;
    }
    [[nodiscard]] __device__ __forceinline__ float* partial(int segment) const {
        return m_place.scan.states + m_place.partialIndex(segment) * kScanHead * kState +
               m_thread % kScanThreads * 4;
    }

    // What the segments before this one have added, the nearest first, and the initial state; as far back as
    // anything is left.
    __device__ __forceinline__ void startState() {
        const int towards = m_place.walk.down ? 1 : -1;
        const int end = m_place.walk.down ? m_place.scan.segments : -1;
        float left = 1.0F;
        for (int segment = m_place.segment + towards; segment != end && left > 0.0F; segment += towards) {
            const float* added = partial(segment);
#pragma unroll
            for (int i = 0; i < kSums / 4; ++i) {
                const float4 values = *reinterpret_cast<const float4*>(added + i * kScanThreads * 4);
                m_state[4 * i] += left * values.x;
                m_state[4 * i + 1] += left * values.y;
                m_state[4 * i + 2] += left * values.z;
                m_state[4 * i + 3] += left * values.w;
            }
            left *= exp2Fast(-m_place.scan.decays[m_place.partialIndex(segment)]);
        }
        if (m_place.in.initialState != nullptr) {
            const float* from = m_place.in.initialState + stateOffset();
            forStatePairs<kState>(m_place, [&](int sum, int index) {
                const float2 pair = *reinterpret_cast<const float2*>(from + index);
                m_state[sum] += left * pair.x;
                m_state[sum + 1] += left * pair.y;
            });
        }
    }

    __device__ __forceinline__ void writePartial() const {
        float* to = partial(m_place.segment);
#pragma unroll
        for (int i = 0; i < kSums / 4; ++i) {
            *reinterpret_cast<float4*>(to + i * kScanThreads * 4) =
                make_float4(m_state[4 * i], m_state[4 * i + 1], m_state[4 * i + 2], m_state[4 * i + 3]);
        }
        if (m_thread % kScanThreads == 0) {
            m_place.scan.decays[m_place.partialIndex(m_place.segment)] = m_total;
        }
    }

    __device__ __forceinline__ void writeFinal() const {
        const bool isLast = m_place.segment == (m_place.walk.down ? 0 : m_place.scan.segments - 1);
        if (m_place.in.finalState != nullptr && isLast) {
            float* to = m_place.in.finalState + stateOffset();
            forStatePairs<kState>(m_place, [&](int sum, int index) {
                *reinterpret_cast<float2*>(to + index) = float2{m_state[sum], m_state[sum + 1]};
            });
        }
    }

    const ScanPlace& m_place;
    const Tiles& m_tiles;
    const int m_thread, m_chunks;
    const RowFeed m_rows;
    const OperandFeed<Tiles, kState, kHeads, kOutputs> m_feed;
    StepWeights m_steps;
    std::int32_t m_asked = 0;  // a row, a step before it is noted, since an order comes from memory
    float m_state[kSums];
    float m_total = 0.0F;
};

// One head's results, by another warpgroup.
template <class Products, int kState, int kHeads>
class SegmentResults {
 public:
    using Tiles = ScanTiles<kState, kHeads, true>;

    __device__ SegmentResults(const ScanPlace& place, const Tiles& tiles) : m_place(place), m_tiles(tiles) {
        const StateSpaceArgs& args = place.scan.args;
        m_skip = place.in.skip[place.head()];
        m_y =
            static_cast<Bf16*>(args.y) + place.batch * args.yBatch + place.head() * args.yHead + place.lane % 4 * 8;
    }

    __device__ __forceinline__ void run() {
        constexpr int kThreads = 2 * kHeads * kScanThreads;
        const int chunks = m_place.walk.chunks();
        waitForTurn(kStepTurn, kThreads);
        for (int step = 0; step < chunks; ++step) {
            waitForTurn(kStepTurn, kThreads);
            if (m_place.scan.args.y != nullptr) {
                readOut(step);
            }
        }
    }

 private:
    // Eight neighbouring columns in each of two groups of 32, of each of two rows.
    struct Results {
        std::uint32_t words[2][2][4];  // [half][group]
    };

    // The thread's first row in the chunk; the other one is eight below.
    [[nodiscard]] __device__ __forceinline__ int firstRow() const { return 16 * m_place.warp + m_place.lane / 4; }
    [[nodiscard]] __device__ __forceinline__ bool exists(int step, int half) const {
        return step * kChunk + firstRow() + 8 * half < m_place.walk.count;
    }
    [[nodiscard]] __device__ __forceinline__ Bf16* rowOfY(int step, int half) const {
        return m_y + m_tiles.rows(step)[firstRow() + 8 * half] * m_place.scan.args.yRow;
    }

    __device__ __forceinline__ void readOut(int step) const {
        const ChunkWeights& weights = m_tiles.weights(step, m_place.warpgroup);
        Results old{};
        if (m_place.direction > 0) {
            loadRows(old, step);  // early: it takes as long as the products
        }
        float scores[32];
        float y[32];
        Products::begin();
        Products::template fromShared<kChunk, kState>(scores, m_tiles.c(step), m_tiles.b(step), true);
        Products::commit();
        Products::template fromShared<kScanHead, kState>(y, m_tiles.c(step), m_tiles.s(step, m_place.warpgroup),
                                                         false);
        Products::commit();
        Products::template wait<1>();
        Products::claim(scores);
        std::uint32_t operand[4][4];
        weighScores(operand, scores, weights);
        Products::template wait<0>();
        Products::claim(y);
        const float kept[2] = {exp2Fast(-weights.since[firstRow()]), exp2Fast(-weights.since[firstRow() + 8])};
#pragma unroll
        for (int i = 0; i < 32; ++i) {
            y[i] *= kept[i % 4 / 2];
        }
        Products::begin();
        Products::template fromRegisters<kScanHead>(y, operand, m_tiles.x(step, m_place.warpgroup), true);
        Products::commit();
        Products::template wait<0>();
        Products::claim(y);
        writeRows(y, old, step);
    }

    // Scores, weighed, as an operand; the diagonal with what the position itself passes on.
    __device__ __forceinline__ void weighScores(std::uint32_t (&operand)[4][4], const float (&scores)[32],
                                                const ChunkWeights& weights) const {
        const float since[2] = {weights.since[firstRow()], weights.since[firstRow() + 8]};
#pragma unroll
        for (int part = 0; part < 4; ++part) {  // 16 columns
#pragma unroll
            for (int word = 0; word < 4; ++word) {
                operand[part][word] = 0;  // above the diagonal
            }
            if (part < m_place.warp) {
                weighPart<false>(operand[part], scores, weights, since, part);
            } else if (part == m_place.warp) {
                weighPart<true>(operand[part], scores, weights, since, part);
            }
        }
    }
    template <bool kDiagonal>
    __device__ __forceinline__ void weighPart(std::uint32_t (&operand)[4], const float (&scores)[32],
                                              const ChunkWeights& weights, const float (&since)[2],
                                              int part) const {
#pragma unroll
        for (int word = 0; word < 4; ++word) {
            const int half = word % 2;
            const int column = 8 * (word / 2) + m_place.lane % 4 * 2;  // of the part
            const float2 source = *reinterpret_cast<const float2*>(weights.source + 16 * part + column);
            const int sum = 8 * part + 4 * (word / 2) + 2 * half;
            float low = scores[sum] * exp2Fast(source.x - since[half]);
            float high = scores[sum + 1] * exp2Fast(source.y - since[half]);
            if (kDiagonal) {
                const int row = m_place.lane / 4 + 8 * half;
                low = column < row ? low : column == row ? low + m_skip : 0.0F;
                high = column + 1 < row ? high : column + 1 == row ? high + m_skip : 0.0F;
            }
            operand[word] = packBf16(low, high);
        }
    }

    __device__ __forceinline__ void loadRows(Results& results, int step) const {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            if (exists(step, half)) {
                const Bf16* from = rowOfY(step, half);
#pragma unroll
                for (int group = 0; group < 2; ++group) {
                    const uint4 words = *reinterpret_cast<const uint4*>(from + 32 * group);
                    results.words[half][group][0] = words.x;
                    results.words[half][group][1] = words.y;
                    results.words[half][group][2] = words.z;
                    results.words[half][group][3] = words.w;
                }
            }
        }
    }

    // Every lane of a quad gets eight neighbouring columns of one tile, so that whole sectors are written.
    __device__ __forceinline__ void writeRows(float (&y)[32], Results& old, int step) const {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            Bf16* to = rowOfY(step, half);
#pragma unroll
            for (int group = 0; group < 2; ++group) {
                std::uint32_t(&words)[4] = old.words[half][group];
                if (m_place.direction > 0) {
                    exchangeInQuad(words);  // back to where the sums are
#pragma unroll
                    for (int i = 0; i < 4; ++i) {
                        float low = 0.0F;
                        float high = 0.0F;
                        unpackBf16(words[i], low, high);
                        y[16 * group + 4 * i + 2 * half] += low;
                        y[16 * group + 4 * i + 2 * half + 1] += high;
                    }
                }
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    words[i] = packBf16(y[16 * group + 4 * i + 2 * half], y[16 * group + 4 * i + 2 * half + 1]);
                }
                exchangeInQuad(words);
                if (exists(step, half)) {
                    *reinterpret_cast<uint4*>(to + 32 * group) = make_uint4(words[0], words[1], words[2], words[3]);
                }
            }
        }
    }

    const ScanPlace& m_place;
    const Tiles& m_tiles;
    float m_skip;
    Bf16* m_y;  // where row 0 of the thread's columns is
};

__device__ __forceinline__ ScanPlace placeOf(const ChunkedScan& scan, int direction, int segment,
                                             std::int64_t batch, int heads) {
    const StateSpaceDirection& in = scan.args.directions[direction];
    const auto thread = static_cast<int>(threadIdx.x);
    // The same in every lane, which the compiler sees only so.
    const int warp = __shfl_sync(0xffffffffU, thread / 32, 0);
    return {scan,
            in,
            direction,
            segment,
            batch,
            static_cast<std::int64_t>(blockIdx.y) * heads,
            walkOf(scan, in.reverse, segment),
            warp / 4 % heads,
            warp % 4,
            thread % 32};
}

// blockIdx: {segment, kHeads heads, batch and direction}. The last segment's state is nobody's beginning. Two
// blocks of two heads share a multiprocessor, so that one computes while the other waits.
template <class Products, int kState, int kHeads>
__global__ __launch_bounds__(kHeads* kScanThreads,
                             4 / kHeads) void partialStatesKernel(const __grid_constant__ ChunkedScan scan) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    constexpr bool kHere = true;
#else
    constexpr bool kHere = !Products::kAsynchronous;  // other architectures compile an empty body
#endif
    if constexpr (kHere) {
        FW_DYNAMIC_SHARED(memory);
        const int segment = static_cast<int>(blockIdx.x);
        const auto direction = static_cast<int>(blockIdx.z / scan.args.batch);
        const bool down = scan.args.directions[direction].reverse;
        if (segment == (down ? 0 : scan.segments - 1)) {
            return;
        }
        const auto tiles = tilesIn<kState, kHeads, false>(memory);
        const ScanPlace place = placeOf(scan, direction, segment, blockIdx.z % scan.args.batch, kHeads);
        SegmentStates<Products, kState, kHeads, false>(place, tiles).run();
    }
}

// blockIdx: {segment, kHeads heads, batch}. The directions follow one another: the second adds to what the first
// has written.
template <class Products, int kState, int kHeads>
__global__ __launch_bounds__(2 * kHeads * kScanThreads,
                             1) void scanSegmentsKernel(const __grid_constant__ ChunkedScan scan) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    constexpr bool kHere = true;
#else
    constexpr bool kHere = !Products::kAsynchronous;
#endif
    if constexpr (kHere) {
        FW_DYNAMIC_SHARED(memory);
        const auto tiles = tilesIn<kState, kHeads, true>(memory);
        for (int direction = 0; direction < scan.args.directionCount; ++direction) {
            const ScanPlace place = placeOf(scan, direction, static_cast<int>(blockIdx.x), blockIdx.z, kHeads);
            __syncthreads();  // the direction before has been read and written
            if (__shfl_sync(0xffffffffU, static_cast<int>(threadIdx.x) / kScanThreads, 0) < kHeads) {
                SegmentStates<Products, kState, kHeads, true>(place, tiles).run();
            } else {
                SegmentResults<Products, kState, kHeads>(place, tiles).run();
            }
        }
    }
}

template <class Products, int kState, int kHeads>
Code launchChunked(Queue& queue, const ChunkedScan& scan) {
    const auto segments = static_cast<unsigned>(scan.segments);
    const auto tiles = static_cast<unsigned>(scan.args.heads / kHeads);
    LaunchShape shape;
    if (scan.segments > 1) {
        using Tiles = ScanTiles<kState, kHeads, false>;
        shape.threads = kHeads * kScanThreads;
        shape.grid = dim3(segments, tiles, static_cast<unsigned>(scan.args.batch * scan.args.directionCount));
        shape.sharedBytes = Tiles::kBytes + Tiles::kAlignment;
        if (const Code code = launch(queue, partialStatesKernel<Products, kState, kHeads>, shape, scan);
            code != Code::Ok) {
            return code;
        }
    }
    using Tiles = ScanTiles<kState, kHeads, true>;
    shape.threads = 2 * kHeads * kScanThreads;
    shape.grid = dim3(segments, tiles, static_cast<unsigned>(scan.args.batch));
    shape.sharedBytes = Tiles::kBytes + Tiles::kAlignment;
    return launch(queue, scanSegmentsKernel<Products, kState, kHeads>, shape, scan);
}

}  // namespace fw::kernels::cuda
