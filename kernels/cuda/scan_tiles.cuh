// What the warpgroups of a chunked scan (scan_chunked.cuh) share: the division of a row, its tiles in shared
// memory, which positions a block walks through.
#pragma once

#include "kernels/cuda/scan.h"
#include "kernels/cuda/scan_products.cuh"

namespace fw::kernels::cuda {

inline constexpr int kChunk = 64;         // positions
inline constexpr int kScanHead = 64;      // width of a head
inline constexpr int kScanThreads = 128;  // a warpgroup
inline constexpr int kScanStages = 3;     // chunks of operands: one computed, two on their way
inline constexpr int kRowRing = 4;        // chunks whose rows are known: those and the one after them
inline constexpr int kMostRowBytes = 1 << 30;

// A call with its division into segments. Partial states lie as the threads hold them.
struct ChunkedScan {
    StateSpaceArgs args;
    float* states;  // [directions, batch, segments, heads, kScanHead · stateDim]
    float* decays;  // [directions, batch, segments, heads]
    std::int32_t segments;
    std::int64_t segmentRows;  // a multiple of kChunk
};

// What a head makes of the positions of a chunk; a_j is the sum of decays from the chunk's beginning through j.
struct ChunkWeights {
    float since[kChunk];              // a_j
    float source[kChunk];             // a_j + log2 Δ_j
    std::uint32_t toEnd[kChunk / 2];  // Δ_j 2^(a_j - a_last), pairs in bf16; see SegmentStates::kBackwards
    float kept;                       // 2^-a_last
    float before, through;            // decays of the chunks walked before this one, and with it
    float unused;
};

// Shared memory. Without outputs there are no c and no states.
template <int kState, int kHeads, bool kOutputs>
struct ScanTiles {
    static constexpr int kStateBytes = kState / 64 * kScanBoxBytes;
    static constexpr int kX = 0;
    static constexpr int kB = kX + kScanStages * kHeads * kScanBoxBytes;
    static constexpr int kC = kB + kScanStages * kStateBytes;
    static constexpr int kS = kC + (kOutputs ? kScanStages * kStateBytes : 0);
    static constexpr int kWeights = kS + (kOutputs ? 2 * kHeads * kStateBytes : 0);
    static constexpr int kRows = kWeights + 2 * kHeads * static_cast<int>(sizeof(ChunkWeights));
    static constexpr int kBytes = kRows + kRowRing * kChunk * static_cast<int>(sizeof(std::int32_t));
    static constexpr int kAlignment = 1024;  // after which the pattern of exchanged units repeats

    unsigned char* base;
    // Of a step of the walk, which are counted from 0.
    __device__ unsigned char* x(int step, int head) const {
        return base + kX + (step % kScanStages * kHeads + head) * kScanBoxBytes;
    }
    __device__ unsigned char* b(int step) const { return base + kB + step % kScanStages * kStateBytes; }
    __device__ unsigned char* c(int step) const { return base + kC + step % kScanStages * kStateBytes; }
    __device__ unsigned char* s(int step, int head) const {
        return base + kS + (step % 2 * kHeads + head) * kStateBytes;
    }
    __device__ ChunkWeights& weights(int step, int head) const {
        return reinterpret_cast<ChunkWeights*>(base + kWeights)[step % 2 * kHeads + head];
    }
    // The row at each position of a chunk; behind the end the last one.
    __device__ std::int32_t* rows(int step) const {
        return reinterpret_cast<std::int32_t*>(base + kRows) + step % kRowRing * kChunk;
    }
};

template <int kState, int kHeads, bool kOutputs>
__device__ __forceinline__ ScanTiles<kState, kHeads, kOutputs> tilesIn(unsigned char* memory) {
    constexpr int kAlignment = ScanTiles<kState, kHeads, kOutputs>::kAlignment;
    const int misaligned = static_cast<int>(sharedAddressOf(memory) % kAlignment);
    return {memory + (kAlignment - misaligned) % kAlignment};
}

// Positions of one segment in one direction.
struct ScanWalk {
    std::int64_t first = 0;  // place of position 0
    int count = 0;
    bool down = false;  // places fall
    __device__ std::int64_t placeAt(int position) const { return down ? first - position : first + position; }
    [[nodiscard]] __device__ int chunks() const { return (count + kChunk - 1) / kChunk; }
};

__device__ __forceinline__ ScanWalk walkOf(const ChunkedScan& scan, bool down, int segment) {
    const std::int64_t begin = segment * scan.segmentRows;
    const std::int64_t end = begin + scan.segmentRows < scan.args.rows ? begin + scan.segmentRows : scan.args.rows;
    return {down ? end - 1 : begin, static_cast<int>(end - begin), down};
}

// Who a thread is and what it works on.
struct ScanPlace {
    const ChunkedScan& scan;
    const StateSpaceDirection& in;
    int direction, segment;
    std::int64_t batch, firstHead;
    ScanWalk walk;
    int warpgroup, warp, lane;  // the head's number in the block, the warp's in the warpgroup

    [[nodiscard]] __device__ std::int64_t head() const { return firstHead + warpgroup; }
    // Which of the partial states.
    [[nodiscard]] __device__ std::int64_t partialIndex(int ofSegment) const {
        return ((direction * scan.args.batch + batch) * scan.segments + ofSegment) * scan.args.heads + head();
    }
};

// Calls body(sum, index of the first of two neighbours in [kScanHead, kState]) for what a thread holds of a state.
template <int kState, class Body>
__device__ __forceinline__ void forStatePairs(const ScanPlace& place, const Body& body) {
#pragma unroll
    for (int n = 0; n < kState / 8; ++n) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = 16 * place.warp + place.lane / 4 + 8 * half;
            body(4 * n + 2 * half, row * kState + 8 * n + place.lane % 4 * 2);
        }
    }
}

}  // namespace fw::kernels::cuda
