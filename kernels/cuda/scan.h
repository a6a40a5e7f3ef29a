// State space scans: which kernel takes what.
#pragma once

#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

inline constexpr std::int64_t kMostHeadDim = 256, kMostStateDim = 256;

// The plain recurrence: any sizes up to the limits, any strides.
[[nodiscard]] Code simpleScan(Queue& queue, const StateSpaceArgs& args);

}  // namespace fw::kernels::cuda
