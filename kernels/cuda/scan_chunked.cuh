// The chunked form of Mamba2's scan (Dao and Gu 2024, https://arxiv.org/abs/2405.21060, section 6) on tensor cores:
// bf16 operands, sums, decays and the state in f32.
//
// The row is cut into segments, as many as fill the device. A first kernel computes what each segment adds to a
// state of zeros; a second one starts each segment from the sum of those before it and walks through the segment in
// chunks of 64 positions, the state in registers. So the operands are read twice and the results written once,
// whatever the length, and only a state per segment goes through memory.
//
// Within a chunk, with a_i the sum of decays (Δ e^decay, in units of log 2) from its beginning up to position i:
//   y_i = 2^-a_i (C S)_i + Σ_{j <= i} (C Bᵀ)_ij 2^(a_j - a_i) Δ_j x_j + skip x_i
//   S   = 2^-a_last S + Σ_j Δ_j 2^(a_j - a_last) x_j b_jᵀ
// Exponents are differences of a growing sum, never above zero but for their rounding. Rows are read by address in
// the order asked for. A warpgroup owns a head, the heads of a block share b and c. The next chunk is on its way
// while this one is computed.
#pragma once

#include "kernels/cuda/scan.h"
#include "kernels/cuda/scan_order.cuh"
#include "kernels/cuda/scan_products.cuh"

namespace fw::kernels::cuda {

inline constexpr int kChunk = 64;     // positions
inline constexpr int kScanHead = 64;  // width of a head
inline constexpr int kScanThreads = 128;
inline constexpr int kRowRing = 3;  // chunks whose rows are known: computed, on its way, next

// A call with its division into segments. Partial states lie as the threads hold them.
struct ChunkedScan {
    StateSpaceArgs args;
    float* states;  // [directions, batch, segments, heads, kScanHead · stateDim]
    float* decays;  // [directions, batch, segments, heads]
    std::int32_t segments;
    std::int64_t segmentRows;  // a multiple of kChunk
};

// What a warp needs to know of each position of the chunk.
struct ChunkWeights {
    float since[kChunk];  // a_j
    float step[kChunk];   // Δ_j
    float toEnd[kChunk];  // Δ_j 2^(a_j - a_last)
};

// Shared memory: two chunks of operands, two states.
template <int kState, int kHeads, bool kOutputs>
struct ScanTiles {
    static constexpr int kStateBytes = kState / 64 * kScanBoxBytes;
    static constexpr int kX = 0;
    static constexpr int kB = kX + 2 * kHeads * kScanBoxBytes;
    static constexpr int kC = kB + 2 * kStateBytes;
    static constexpr int kS = kC + (kOutputs ? 2 * kStateBytes : 0);
    static constexpr int kWeights = kS + (kOutputs ? 2 * kHeads * kStateBytes : 0);
    static constexpr int kRows = kWeights + 4 * kHeads * static_cast<int>(sizeof(ChunkWeights));
    static constexpr int kBytes = kRows + kRowRing * kChunk * static_cast<int>(sizeof(std::int32_t));
    static constexpr int kAlignment = 1024;  // after which the pattern of exchanged units repeats

    unsigned char* base;
    __device__ unsigned char* x(int stage, int head) const {
        return base + kX + (stage * kHeads + head) * kScanBoxBytes;
    }
    __device__ unsigned char* b(int stage) const { return base + kB + stage * kStateBytes; }
    __device__ unsigned char* c(int stage) const { return base + kC + stage * kStateBytes; }
    __device__ unsigned char* s(int turn, int head) const {
        return base + kS + (turn * kHeads + head) * kStateBytes;
    }
    __device__ ChunkWeights& weights(int warp) const {
        return reinterpret_cast<ChunkWeights*>(base + kWeights)[warp];
    }
    // The row at each position of a chunk, -1 behind the end.
    __device__ std::int32_t* rows(int chunk) const {
        return reinterpret_cast<std::int32_t*>(base + kRows) + chunk % kRowRing * kChunk;
    }
};

// One direction through one segment.
struct ScanWalk {
    std::int64_t first = 0;  // place of its first position
    std::int64_t count = 0;
    bool down = false;  // places fall
    __device__ std::int64_t placeAt(std::int64_t position) const {
        return down ? first - position : first + position;
    }
};

__device__ __forceinline__ ScanWalk walkOf(const ChunkedScan& scan, bool down, int segment) {
    const std::int64_t begin = segment * scan.segmentRows;
    const std::int64_t end = begin + scan.segmentRows < scan.args.rows ? begin + scan.segmentRows : scan.args.rows;
    return {down ? end - 1 : begin, end - begin, down};
}

// Which of the partial states.
__device__ __forceinline__ std::int64_t partialIndex(const ChunkedScan& scan, int direction, std::int64_t batch,
                                                     int segment, std::int64_t head) {
    return ((direction * scan.args.batch + batch) * scan.segments + segment) * scan.args.heads + head;
}

// One head's share of a walk, by one warpgroup.
template <class Products, int kState, int kHeads, bool kOutputs>
class SegmentScan {
 public:
    using Tiles = ScanTiles<kState, kHeads, kOutputs>;

    __device__ SegmentScan(const ChunkedScan& scan, const Tiles& tiles, int direction, std::int64_t batch,
                           int segment)
        : m_scan(scan),
          m_in(scan.args.directions[direction]),
          m_tiles(tiles),
          m_direction(direction),
          m_batch(batch),
          m_segment(segment),
          m_thread(static_cast<int>(threadIdx.x)),
          m_lane(m_thread % 32),
          // The same in every lane, which the compiler sees only so.
          m_warpgroup(__shfl_sync(0xffffffffU, m_thread / kScanThreads, 0)),
          m_warp(m_thread / 32 % 4),
          m_firstHead(static_cast<std::int64_t>(blockIdx.y) * kHeads),
          m_head(m_firstHead + m_warpgroup),
          m_walk(walkOf(scan, m_in.reverse, segment)) {}

    // Walks. Every thread of the block takes part.
    __device__ __forceinline__ void run() {
        const int chunks = static_cast<int>(ceilDiv(m_walk.count, kChunk));
        begin();
        for (int chunk = 0; chunk < chunks; ++chunk) {
            waitForCopies<0>();
            Products::publish();
            __syncthreads();  // the chunk is there, the one before has been read, and its state is written
            if (chunk + 1 < chunks) {
                copyChunk(chunk + 1);
            }
            commitCopies();
            const std::int32_t ahead = rowFor(chunk + 2);
            weighPositions();
            if (chunk + 1 < chunks) {
                loadSteps(chunk + 1);
            }
            if (kOutputs && m_scan.args.y != nullptr) {
                readOut(chunk);
            } else {
                updateState(chunk % 2);
                Products::template wait<0>();
                Products::claim(m_state);
            }
            if (kOutputs) {
                writeState(chunk + 1);
            }
            if (m_thread < kChunk) {
                m_tiles.rows(chunk + 2)[m_thread] = ahead;
            }
        }
        finish();
    }

 private:
    static constexpr int kSums = kState / 2;  // of the state, for each thread

    __device__ __forceinline__ std::int32_t rowFor(int chunk) const {
        const std::int64_t position = static_cast<std::int64_t>(chunk) * kChunk + m_thread;
        return m_thread < kChunk && position < m_walk.count
                   ? static_cast<std::int32_t>(
                         rowAt(m_scan.args.order, false, m_scan.args.rows, m_walk.placeAt(position)))
                   : -1;
    }

    __device__ __forceinline__ void begin() {
        __syncthreads();  // another direction's last reads
        if (m_thread < kChunk) {
            m_tiles.rows(0)[m_thread] = rowFor(0);
            m_tiles.rows(1)[m_thread] = rowFor(1);
        }
        __syncthreads();
        copyChunk(0);
        commitCopies();
        loadSteps(0);
        m_bias = m_in.stepBias[m_head];
        // Finite, so that a step of zero decays nothing.
        m_rate = fminf(expf(m_in.decay[m_head]) * 1.4426950408889634F, 1e30F);
        m_skip = m_in.skip[m_head];
        startState();
        if (kOutputs) {
            writeState(0);
        }
    }

    // Rows of a chunk of kUnits units each, into a tile.
    template <int kUnits>
    __device__ __forceinline__ void copyRows(unsigned char* tile, const Bf16* from, std::int64_t rowStride,
                                             const std::int32_t* rows, int thread, int threads) const {
        for (int i = thread; i < kChunk * kUnits; i += threads) {
            const int at = i / kUnits;
            const int unit = i % kUnits;
            const std::int32_t row = rows[at];
            copyAsync16(tile + unitAt(at, unit), from + (row < 0 ? 0 : row) * rowStride + unit * 8, row >= 0);
        }
    }

    __device__ __forceinline__ void copyChunk(int chunk) const {
        const int stage = chunk % 2;
        const std::int32_t* rows = m_tiles.rows(chunk);
        const std::int64_t group = m_firstHead * m_scan.args.groups / m_scan.args.heads;
        // Each warpgroup its own head, all of them what they share.
        copyRows<kScanHead / 8>(m_tiles.x(stage, m_warpgroup),
                                static_cast<const Bf16*>(m_in.x) + m_batch * m_in.xBatch + m_head * m_in.xHead,
                                m_in.xRow, rows, m_thread % kScanThreads, kScanThreads);
        copyRows<kState / 8>(m_tiles.b(stage),
                             static_cast<const Bf16*>(m_in.b) + m_batch * m_in.bBatch + group * m_in.bGroup,
                             m_in.bRow, rows, m_thread, kHeads * kScanThreads);
        if (kOutputs) {
            copyRows<kState / 8>(m_tiles.c(stage),
                                 static_cast<const Bf16*>(m_in.c) + m_batch * m_in.cBatch + group * m_in.cGroup,
                                 m_in.cRow, rows, m_thread, kHeads * kScanThreads);
        }
    }

    // Every warp keeps all steps of its chunk, two a lane.
    __device__ __forceinline__ void loadSteps(int chunk) {
        const std::int32_t* rows = m_tiles.rows(chunk);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const std::int32_t row = rows[2 * m_lane + i];
            const std::int64_t at = m_batch * m_in.stepBatch + (row < 0 ? 0 : row) * m_in.stepRow + m_head;
            m_raw[i] = m_in.stepElement == Element::F32 ? static_cast<const float*>(m_in.step)[at]
                                                        : toFloat(static_cast<const Bf16*>(m_in.step)[at]);
            m_exists[i] = row >= 0;
        }
    }

    __device__ __forceinline__ void weighPositions() {
        // A decay of 2^-128 leaves nothing; larger ones would only cost the sums their digits.
        constexpr float kMostDecay = 128.0F;
        float steps[2];
        float decays[2];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            steps[i] = m_exists[i] ? softplus(m_raw[i] + m_bias) : 0.0F;
            decays[i] = fminf(steps[i] * m_rate, kMostDecay);
        }
        float sum = decays[0] + decays[1];
#pragma unroll
        for (int offset = 1; offset < 32; offset *= 2) {
            const float below = __shfl_sync(0xffffffffU, sum, (m_lane - offset) & 31);
            sum += m_lane >= offset ? below : 0.0F;
        }
        const float last = __shfl_sync(0xffffffffU, sum, 31);
        const float before = __shfl_sync(0xffffffffU, sum, (m_lane - 1) & 31);
        const float first = (m_lane > 0 ? before : 0.0F) + decays[0];
        ChunkWeights& weights = m_tiles.weights(m_thread / 32);
        __syncwarp();  // the last chunk's have been read
        weights.since[2 * m_lane] = first;
        weights.since[2 * m_lane + 1] = sum;
        weights.step[2 * m_lane] = steps[0];
        weights.step[2 * m_lane + 1] = steps[1];
        weights.toEnd[2 * m_lane] = steps[0] * exp2Fast(first - last);
        weights.toEnd[2 * m_lane + 1] = steps[1] * exp2Fast(sum - last);
        __syncwarp();
        m_kept = exp2Fast(-last);
        m_total += last;
    }

    __device__ __forceinline__ static float2 pairAt(const float (&values)[kChunk], int index) {
        return *reinterpret_cast<const float2*>(values + index);
    }

    // Scores, weighed, as an operand.
    __device__ __forceinline__ void weighScores(std::uint32_t (&operand)[4][4], const float (&scores)[32]) const {
        const ChunkWeights& weights = m_tiles.weights(m_thread / 32);
        const int firstRow = 16 * m_warp + m_lane / 4;
        const float since[2] = {weights.since[firstRow], weights.since[firstRow + 8]};
#pragma unroll
        for (int n = 0; n < 8; ++n) {
            if (n > 2 * m_warp + 1) {  // above the diagonal
                operand[n / 2][n % 2 * 2] = 0;
                operand[n / 2][n % 2 * 2 + 1] = 0;
                continue;
            }
            const int column = 8 * n + m_lane % 4 * 2;
            const float2 behind = pairAt(weights.since, column);
            const float2 step = pairAt(weights.step, column);
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int row = firstRow + 8 * half;
                const float low = scores[4 * n + 2 * half] * step.x * exp2Fast(behind.x - since[half]);
                const float high = scores[4 * n + 2 * half + 1] * step.y * exp2Fast(behind.y - since[half]);
                operand[n / 2][n % 2 * 2 + half] =
                    packBf16(column <= row ? low : 0.0F, column + 1 <= row ? high : 0.0F);
            }
        }
    }

    // The head's columns as rows, each position times its weight in the state.
    __device__ __forceinline__ void weighColumns(std::uint32_t (&operand)[4][4], int stage) const {
        const ChunkWeights& weights = m_tiles.weights(m_thread / 32);
        const unsigned char* x = m_tiles.x(stage, m_warpgroup);
#pragma unroll
        for (int step = 0; step < 4; ++step) {
            loadMatricesTransposed(
                operand[step], x + unitAt(16 * step + m_lane / 16 * 8 + m_lane % 8, 2 * m_warp + m_lane / 8 % 2));
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const float2 weight = pairAt(weights.toEnd, 16 * step + 8 * half + m_lane % 4 * 2);
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    std::uint32_t& word = operand[step][2 * half + i];
                    float low = 0.0F;
                    float high = 0.0F;
                    unpackBf16(word, low, high);
                    word = packBf16(low * weight.x, high * weight.y);
                }
            }
        }
    }

    // Starts S = kept S + Σ of the chunk.
    __device__ __forceinline__ void updateState(int stage) {
        std::uint32_t columns[4][4];
        weighColumns(columns, stage);
#pragma unroll
        for (float& value : m_state) {
            value *= m_kept;
        }
        Products::begin();
        Products::template fromRegisters<kState>(m_state, columns, m_tiles.b(stage), false);
        Products::commit();
    }

    __device__ __forceinline__ void readOut(int chunk) {
        const int stage = chunk % 2;
        const ChunkWeights& weights = m_tiles.weights(m_thread / 32);
        float scores[32];
        float y[32];
        Products::begin();
        Products::template fromShared<kChunk, kState>(scores, m_tiles.c(stage), m_tiles.b(stage), true);
        Products::commit();
        Products::template fromShared<kScanHead, kState>(y, m_tiles.c(stage), m_tiles.s(stage, m_warpgroup), false);
        Products::commit();
        Products::template wait<1>();
        Products::claim(scores);
        std::uint32_t operand[4][4];
        weighScores(operand, scores);
        Products::template wait<0>();
        Products::claim(y);
        const int firstRow = 16 * m_warp + m_lane / 4;
        const float kept[2] = {exp2Fast(-weights.since[firstRow]), exp2Fast(-weights.since[firstRow + 8])};
#pragma unroll
        for (int i = 0; i < 32; ++i) {
            y[i] *= kept[i % 4 / 2];
        }
        Products::begin();
        Products::template fromRegisters<kScanHead>(y, operand, m_tiles.x(stage, m_warpgroup), true);
        Products::commit();
        updateState(stage);
        Products::template wait<1>();
        Products::claim(y);
        writeRows(y, chunk);
        Products::template wait<0>();
        Products::claim(m_state);
    }

    // Every lane of a quad gets eight neighbouring columns of one tile, so that whole sectors are written.
    __device__ __forceinline__ void writeRows(const float (&y)[32], int chunk) const {
        const StateSpaceArgs& args = m_scan.args;
        const unsigned char* x = m_tiles.x(chunk % 2, m_warpgroup);
        const bool adds = m_direction > 0;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int at = 16 * m_warp + m_lane / 4 + 8 * half;
            const std::int32_t row = m_tiles.rows(chunk)[at];
            Bf16* to = static_cast<Bf16*>(args.y) + m_batch * args.yBatch + (row < 0 ? 0 : row) * args.yRow +
                       m_head * args.yHead;
#pragma unroll
            for (int group = 0; group < 2; ++group) {
                std::uint32_t words[4];
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    const int n = 4 * group + i;
                    const int column = 8 * n + m_lane % 4 * 2;
                    float low = 0.0F;
                    float high = 0.0F;
                    unpackBf16(*reinterpret_cast<const std::uint32_t*>(x + unitAt(at, n) + m_lane % 4 * 4), low,
                               high);
                    low = y[4 * n + 2 * half] + m_skip * low;
                    high = y[4 * n + 2 * half + 1] + m_skip * high;
                    if (adds && row >= 0) {
                        float oldLow = 0.0F;
                        float oldHigh = 0.0F;
                        unpackBf16(*reinterpret_cast<const std::uint32_t*>(to + column), oldLow, oldHigh);
                        low += oldLow;
                        high += oldHigh;
                    }
                    words[i] = packBf16(low, high);
                }
                // Also orders the reads of old values before the writes of the other lanes.
                exchangeInQuad(words);
                if (row >= 0) {
                    *reinterpret_cast<uint4*>(to + 8 * (4 * group + m_lane % 4)) =
                        make_uint4(words[0], words[1], words[2], words[3]);
                }
            }
        }
    }

    // The state as an operand [64, kState] for the chunk that comes.
    __device__ __forceinline__ void writeState(int chunk) const {
        unsigned char* tile = m_tiles.s(chunk % 2, m_warpgroup);
#pragma unroll
        for (int n = 0; n < kState / 8; ++n) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int row = 16 * m_warp + m_lane / 4 + 8 * half;
                *reinterpret_cast<std::uint32_t*>(tile + unitAt(row, n) + m_lane % 4 * 4) =
                    packBf16(m_state[4 * n + 2 * half], m_state[4 * n + 2 * half + 1]);
            }
        }
    }

    // Calls body(sum, index of the first of two neighbours in [kScanHead, kState]).
    template <class Body>
    __device__ __forceinline__ void forStatePairs(const Body& body) const {
#pragma unroll
        for (int n = 0; n < kState / 8; ++n) {
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const int row = 16 * m_warp + m_lane / 4 + 8 * half;
                body(4 * n + 2 * half, row * kState + 8 * n + m_lane % 4 * 2);
            }
        }
    }

    [[nodiscard]] __device__ __forceinline__ std::int64_t stateOffset() const {
        return (m_batch * m_scan.args.heads + m_head) * kScanHead * kState;
    }
    [[nodiscard]] __device__ __forceinline__ float* partial(int segment) const {
        return m_scan.states + partialIndex(m_scan, m_direction, m_batch, segment, m_head) * kScanHead * kState +
               m_thread % kScanThreads * 4;
    }

    // Zeros for a partial state; otherwise the initial state with everything the segments before this one have
    // added.
    __device__ __forceinline__ void startState() {
#pragma unroll
        for (float& value : m_state) {
            value = 0.0F;
        }
        if (!kOutputs) {
            return;
        }
        if (m_in.initialState != nullptr) {
            const float* from = m_in.initialState + stateOffset();
            forStatePairs([&](int sum, int index) {
                const float2 pair = *reinterpret_cast<const float2*>(from + index);
                m_state[sum] = pair.x;
                m_state[sum + 1] = pair.y;
            });
        }
        const int step = m_walk.down ? -1 : 1;
        for (int segment = m_walk.down ? m_scan.segments - 1 : 0; segment != m_segment; segment += step) {
            const float kept =
                exp2Fast(-m_scan.decays[partialIndex(m_scan, m_direction, m_batch, segment, m_head)]);
            const float* added = partial(segment);
#pragma unroll
            for (int i = 0; i < kSums / 4; ++i) {
                const float4 values = *reinterpret_cast<const float4*>(added + i * kScanThreads * 4);
                m_state[4 * i] = m_state[4 * i] * kept + values.x;
                m_state[4 * i + 1] = m_state[4 * i + 1] * kept + values.y;
                m_state[4 * i + 2] = m_state[4 * i + 2] * kept + values.z;
                m_state[4 * i + 3] = m_state[4 * i + 3] * kept + values.w;
            }
        }
    }

    __device__ __forceinline__ void finish() {
        waitForCopies<0>();
        if (!kOutputs) {
            float* to = partial(m_segment);
#pragma unroll
            for (int i = 0; i < kSums / 4; ++i) {
                *reinterpret_cast<float4*>(to + i * kScanThreads * 4) =
                    make_float4(m_state[4 * i], m_state[4 * i + 1], m_state[4 * i + 2], m_state[4 * i + 3]);
            }
            if (m_thread % kScanThreads == 0) {
                m_scan.decays[partialIndex(m_scan, m_direction, m_batch, m_segment, m_head)] = m_total;
            }
        } else if (m_in.finalState != nullptr && m_segment == (m_walk.down ? 0 : m_scan.segments - 1)) {
            float* to = m_in.finalState + stateOffset();
            forStatePairs([&](int sum, int index) {
                *reinterpret_cast<float2*>(to + index) = float2{m_state[sum], m_state[sum + 1]};
            });
        }
    }

    const ChunkedScan& m_scan;
    const StateSpaceDirection& m_in;
    const Tiles m_tiles;
    const int m_direction;
    const std::int64_t m_batch;
    const int m_segment;
    const int m_thread, m_lane, m_warpgroup, m_warp;
    const std::int64_t m_firstHead, m_head;
    const ScanWalk m_walk;
    float m_state[kSums];
    float m_raw[2] = {};
    bool m_exists[2] = {};
    float m_bias = 0.0F, m_rate = 0.0F, m_skip = 0.0F;
    float m_kept = 1.0F;
    float m_total = 0.0F;
};

template <int kState, int kHeads, bool kOutputs>
__device__ __forceinline__ ScanTiles<kState, kHeads, kOutputs> tilesIn(unsigned char* memory) {
    constexpr int kAlignment = ScanTiles<kState, kHeads, kOutputs>::kAlignment;
    const int misaligned = static_cast<int>(sharedAddressOf(memory) % kAlignment);
    return {memory + (kAlignment - misaligned) % kAlignment};
}

// blockIdx: {segment, kHeads heads, batch and direction}. The last segment's state is nobody's beginning. Two
// blocks of two heads share a multiprocessor, since nothing but their number hides how long x takes to come.
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
        SegmentScan<Products, kState, kHeads, false> walk(scan, tilesIn<kState, kHeads, false>(memory), direction,
                                                          blockIdx.z % scan.args.batch, segment);
        walk.run();
    }
}

// blockIdx: {segment, kHeads heads, batch}. The directions follow one another, so that what the first has written
// is still in the cache when the second adds to it.
template <class Products, int kState, int kHeads>
__global__ __launch_bounds__(kHeads* kScanThreads,
                             1) void scanSegmentsKernel(const __grid_constant__ ChunkedScan scan) {
#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
    constexpr bool kHere = true;
#else
    constexpr bool kHere = !Products::kAsynchronous;
#endif
    if constexpr (kHere) {
        FW_DYNAMIC_SHARED(memory);
        for (int direction = 0; direction < scan.args.directionCount; ++direction) {
            SegmentScan<Products, kState, kHeads, true> walk(scan, tilesIn<kState, kHeads, true>(memory), direction,
                                                             blockIdx.z, static_cast<int>(blockIdx.x));
            walk.run();
        }
    }
}

template <class Products, int kState, int kHeads>
Code launchChunked(Queue& queue, const ChunkedScan& scan) {
    LaunchShape shape;
    shape.threads = kHeads * kScanThreads;
    if (scan.segments > 1) {
        using Tiles = ScanTiles<kState, kHeads, false>;
        shape.grid = dim3(static_cast<unsigned>(scan.segments), static_cast<unsigned>(scan.args.heads / kHeads),
                          static_cast<unsigned>(scan.args.batch * scan.args.directionCount));
        shape.sharedBytes = Tiles::kBytes + Tiles::kAlignment;
        if (const Code code = launch(queue, partialStatesKernel<Products, kState, kHeads>, shape, scan);
            code != Code::Ok) {
            return code;
        }
    }
    using Tiles = ScanTiles<kState, kHeads, true>;
    shape.grid = dim3(static_cast<unsigned>(scan.segments), static_cast<unsigned>(scan.args.heads / kHeads),
                      static_cast<unsigned>(scan.args.batch));
    shape.sharedBytes = Tiles::kBytes + Tiles::kAlignment;
    return launch(queue, scanSegmentsKernel<Products, kState, kHeads>, shape, scan);
}

}  // namespace fw::kernels::cuda
