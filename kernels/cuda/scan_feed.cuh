// How the operands of a chunked scan come into shared memory, and what its steps make of a chunk's positions.
#pragma once

#include "kernels/cuda/scan_order.cuh"
#include "kernels/cuda/scan_tiles.cuh"

namespace fw::kernels::cuda {

// The row at every position of the walk's chunks, by the first kChunk threads of a block.
struct RowFeed {
    const ScanPlace& place;

    // What the order says, untouched: a first use would wait for it.
    [[nodiscard]] __device__ __forceinline__ std::int32_t ask(int chunk, int index) const {
        const int wanted = (chunk < 0 ? 0 : chunk) * kChunk + index;
        const int position = wanted < place.walk.count ? wanted : place.walk.count - 1;
        const std::int64_t at = place.walk.placeAt(position);
        const std::int32_t* order = place.scan.args.order;
        return order == nullptr ? static_cast<std::int32_t>(at) : order[at];
    }
    // Entries come from the caller's memory: one that names no row is brought to the nearest one.
    [[nodiscard]] __device__ __forceinline__ std::int32_t rowFrom(std::int32_t asked) const {
        const auto last = static_cast<std::int32_t>(place.scan.args.rows - 1);
        return asked < 0 ? 0 : asked < last ? asked : last;
    }
};

// Copies rows into tiles: a warpgroup its own head's x, all of them together b and c. Each thread copies the same
// 16-byte unit of several rows, a multiple of eight apart, so that it always lands on the same place in a row.
template <class Tiles, int kState, int kHeads, bool kOutputs>
class OperandFeed {
 public:
    __device__ __forceinline__ OperandFeed(const ScanPlace& place, const Tiles& tiles, int thread)
        : m_tiles(tiles), m_warpgroup(place.warpgroup), m_thread(thread) {
        const StateSpaceDirection& in = place.in;
        const StateSpaceArgs& args = place.scan.args;
        const std::int64_t group = place.firstHead * args.groups / args.heads;
        m_x = unitOf(in.x, place.batch * in.xBatch + place.head() * in.xHead, thread % kXUnits);
        m_b = unitOf(in.b, place.batch * in.bBatch + group * in.bGroup, thread % kUnits);
        m_c = unitOf(in.c, place.batch * in.cBatch + group * in.cGroup, thread % kUnits);
        m_xRow = static_cast<std::int32_t>(in.xRow) * 2;
        m_bRow = static_cast<std::int32_t>(in.bRow) * 2;
        m_cRow = static_cast<std::int32_t>(in.cRow) * 2;
    }

    __device__ __forceinline__ void copy(int step) const {
        const std::int32_t* rows = m_tiles.rows(step);
        {
            const int row = m_thread % kScanThreads / kXUnits;
            unsigned char* to = m_tiles.x(step, m_warpgroup) + unitAt(row, m_thread % kXUnits);
            constexpr int kRowsAtOnce = kScanThreads / kXUnits;
#pragma unroll
            for (int pass = 0; pass < kChunk / kRowsAtOnce; ++pass) {
                copyAsync16(to + pass * kRowsAtOnce * kTileRowBytes,
                            m_x + static_cast<std::int64_t>(rows[row + pass * kRowsAtOnce]) * m_xRow, true);
            }
        }
        const int row = m_thread / kUnits;
        const int at = unitAt(row, m_thread % kUnits);
        constexpr int kRowsAtOnce = kHeads * kScanThreads / kUnits;
        static_assert(kRowsAtOnce % 8 == 0 && kChunk % kRowsAtOnce == 0);
#pragma unroll
        for (int pass = 0; pass < kChunk / kRowsAtOnce; ++pass) {
            const std::int64_t from = rows[row + pass * kRowsAtOnce];
            const int to = at + pass * kRowsAtOnce * kTileRowBytes;
            copyAsync16(m_tiles.b(step) + to, m_b + from * m_bRow, true);
            if (kOutputs) {
                copyAsync16(m_tiles.c(step) + to, m_c + from * m_cRow, true);
            }
        }
    }

 private:
    static constexpr int kXUnits = kScanHead / 8;
    static constexpr int kUnits = kState / 8;

    __device__ __forceinline__ static const unsigned char* unitOf(const void* data, std::int64_t offset, int unit) {
        return reinterpret_cast<const unsigned char*>(static_cast<const Bf16*>(data) + offset + unit * 8);
    }

    const Tiles& m_tiles;
    const int m_warpgroup, m_thread;
    const unsigned char *m_x, *m_b, *m_c;
    std::int32_t m_xRow, m_bRow, m_cRow;  // bytes
};

// Turns a head's steps into weights, two positions a lane; the warps of a warpgroup take turns.
class StepWeights {
 public:
    __device__ __forceinline__ explicit StepWeights(const ScanPlace& place) : m_place(place) {
        const StateSpaceDirection& in = place.in;
        const std::int64_t head = place.head();
        m_bias = in.stepBias[head];
        // Finite, so that a step of zero decays nothing.
        m_rate = fminf(expf(in.decay[head]) * 1.4426950408889634F, 1e30F);
    }

    // Asks for the steps of a chunk.
    __device__ __forceinline__ void load(const std::int32_t* rows, int chunk) {
        const StateSpaceDirection& in = m_place.in;
        const std::int64_t offset = m_place.batch * in.stepBatch + m_place.head();
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const int index = 2 * m_place.lane + i;
            const std::int64_t at = offset + rows[index] * in.stepRow;
            m_raw[i] = in.stepElement == Element::F32 ? static_cast<const float*>(in.step)[at]
                                                      : toFloat(static_cast<const Bf16*>(in.step)[at]);
            m_exists[i] = chunk * kChunk + index < m_place.walk.count;
        }
    }

    // Weighs the chunk whose steps were asked for last. `before`: decays between it and what the weights lead to,
    // beside its own.
    __device__ __forceinline__ void weigh(ChunkWeights& weights, float before) const {
        // A decay of 2^-128 leaves nothing; larger ones would only cost the sums their digits.
        constexpr float kMostDecay = 128.0F;
        const int lane = m_place.lane;
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
            const float below = __shfl_sync(0xffffffffU, sum, (lane - offset) & 31);
            sum += lane >= offset ? below : 0.0F;
        }
        const float last = __shfl_sync(0xffffffffU, sum, 31);
        const float below = __shfl_sync(0xffffffffU, sum, (lane - 1) & 31);
        const float first = (lane > 0 ? below : 0.0F) + decays[0];
        *reinterpret_cast<float2*>(weights.since + 2 * lane) = make_float2(first, sum);
        *reinterpret_cast<float2*>(weights.source + 2 * lane) =
            make_float2(first + log2f(steps[0]), sum + log2f(steps[1]));
        weights.toEnd[lane] =
            packBf16(steps[0] * exp2Fast(first - last - before), steps[1] * exp2Fast(sum - last - before));
        if (lane == 0) {
            weights.kept = exp2Fast(-last);
            weights.before = before;
            weights.through = before + last;
        }
    }

 private:
    const ScanPlace& m_place;
    float m_raw[2] = {};
    bool m_exists[2] = {};
    float m_bias, m_rate;
};

}  // namespace fw::kernels::cuda
