// State space scans: which kernel takes what.
#pragma once

#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

inline constexpr std::int64_t kMostHeadDim = 256, kMostStateDim = 256;

// The plain recurrence: any sizes up to the limits, any strides.
[[nodiscard]] Code simpleScan(Queue& queue, const StateSpaceArgs& args);

// Chunks on tensor cores: bf16, heads of 64, states of 64 or 128, operands in aligned rows of 16-byte units, and a
// device with shared memory for a head's tiles.
[[nodiscard]] bool chunkedScanApplies(const Queue& queue, const StateSpaceArgs& args);
[[nodiscard]] Code mmaScan(Queue& queue, const StateSpaceArgs& args);    // any device
[[nodiscard]] Code wgmmaScan(Queue& queue, const StateSpaceArgs& args);  // Hopper

// A row divided so that a device is busy: `tiles` blocks a segment on `multiprocessors`.
struct ScanDivision {
    std::int32_t segments;
    std::int64_t segmentRows;
};
[[nodiscard]] ScanDivision divideScan(std::int64_t rows, std::int64_t tiles, std::int64_t multiprocessors);

struct ChunkedScan;
// The division with its memory for partial states. Code::Ok, or why there is none.
[[nodiscard]] Code planScan(Queue& queue, const StateSpaceArgs& args, std::int64_t headsPerBlock,
                            ChunkedScan& scan);

}  // namespace fw::kernels::cuda
