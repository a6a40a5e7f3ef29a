// Which kernel scans, and how a row is divided into segments.
#include "kernels/cuda/scan.h"

#include "kernels/cuda/scan_chunked.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr std::int32_t kMostSegments = 32;

bool isAligned(const void* data, std::int64_t bytes) {
    return reinterpret_cast<std::uintptr_t>(data) % static_cast<std::uintptr_t>(bytes) == 0;
}

// Rows of 16-byte units.
bool hasUnits(const void* data, std::int64_t batch, std::int64_t row, std::int64_t inner) {
    return isAligned(data, 16) && batch % 8 == 0 && row % 8 == 0 && inner % 8 == 0 && row < kMostRowBytes / 2 &&
           row > -kMostRowBytes / 2;
}

template <int kState>
bool fits(const Queue& queue) {
    using Tiles = ScanTiles<kState, 1, true>;
    return Tiles::kBytes + Tiles::kAlignment <= queue.sharedBytesPerBlock;
}

}  // namespace

bool chunkedScanApplies(const Queue& queue, const StateSpaceArgs& args) {
    if (args.element != Element::Bf16 || args.headDim != kScanHead ||
        (args.stateDim != 64 && args.stateDim != 128) || args.rows > 0x7fff0000 ||
        !(args.stateDim == 64 ? fits<64>(queue) : fits<128>(queue))) {
        return false;
    }
    for (int i = 0; i < args.directionCount; ++i) {
        const StateSpaceDirection& in = args.directions[i];
        if (!hasUnits(in.x, in.xBatch, in.xRow, in.xHead) || !hasUnits(in.b, in.bBatch, in.bRow, in.bGroup) ||
            !hasUnits(in.c, in.cBatch, in.cRow, in.cGroup) || !isAligned(in.initialState, 8) ||
            !isAligned(in.finalState, 8)) {
            return false;
        }
    }
    return hasUnits(args.y, args.yBatch, args.yRow, args.yHead);
}

ScanDivision divideScan(std::int64_t rows, std::int64_t tiles, std::int64_t multiprocessors) {
    // What a segment costs beside its chunks: its first loads and the sum of the states before it.
    constexpr std::int64_t kStartChunks = 2;
    const std::int64_t chunks = ceilDiv(rows, kChunk);
    ScanDivision best{1, chunks * kChunk};
    std::int64_t bestTime = 0;
    for (std::int32_t segments = 1; segments <= kMostSegments; ++segments) {
        const std::int64_t each = ceilDiv(chunks, segments);
        const std::int64_t time = ceilDiv(segments * tiles, multiprocessors) * (each + kStartChunks);
        if (segments == 1 || time < bestTime) {
            best = {static_cast<std::int32_t>(ceilDiv(chunks, each)), each * kChunk};
            bestTime = time;
        }
    }
    return best;
}

Code planScan(Queue& queue, const StateSpaceArgs& args, std::int64_t headsPerBlock, ChunkedScan& scan) {
    const ScanDivision division =
        divideScan(args.rows, args.batch * args.heads / headsPerBlock, queue.multiprocessors);
    scan.args = args;
    scan.segments = division.segments;
    scan.segmentRows = division.segmentRows;
    const std::int64_t parts = args.directionCount * args.batch * division.segments * args.heads;
    const std::int64_t floats = parts * kScanHead * args.stateDim;
    auto* memory = static_cast<float*>(
        queue.scanStates.take(queue.stream, (floats + parts) * static_cast<std::int64_t>(sizeof(float))));
    if (memory == nullptr) {
        return queue.fail(Code::OutOfMemory, "no device memory for the states between the segments of a scan");
    }
    scan.states = memory;
    scan.decays = memory + floats;
    return Code::Ok;
}

Code stateSpaceScan(Queue* queue, const StateSpaceArgs& args) {
    if (args.headDim > kMostHeadDim || args.stateDim > kMostStateDim) {
        return queue->fail(Code::Unsupported, "heads or states wider than 256 cannot be scanned");
    }
    const bool chunks = chunkedScanApplies(*queue, args);
    const bool hopper = queue->capability == 90;
    switch (args.kernel) {
        case StateSpaceKernel::Auto:
            return !chunks ? simpleScan(*queue, args) : hopper ? wgmmaScan(*queue, args) : mmaScan(*queue, args);
        case StateSpaceKernel::Simple:
            return simpleScan(*queue, args);
        case StateSpaceKernel::Mma:
            return chunks ? mmaScan(*queue, args)
                          : queue->fail(Code::Unsupported, "the mma kernel does not take this scan");
        case StateSpaceKernel::Wgmma:
            return chunks && hopper ? wgmmaScan(*queue, args)
                                    : queue->fail(Code::Unsupported, "the wgmma kernel does not take this scan");
    }
    return queue->fail(Code::Failed, "scan: unknown kernel");
}

}  // namespace fw::kernels::cuda
