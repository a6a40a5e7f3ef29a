// Weights in pinned memory that visit a GPU on a stream of copies. Internal to the back-end.
#pragma once

#include <memory>

#include "core/backend/cuda_library.h"
#include "core/backend/weight_stream.h"

namespace fw::backend {

// For matrices packed by the queue `queue` of `device`, whose operations are `ops`.
[[nodiscard]] Result<std::unique_ptr<WeightStream>> createCudaWeightStream(
    std::shared_ptr<const CudaLibrary> library, std::int32_t device, kernels::cuda::Queue* queue, Ops& ops);

}  // namespace fw::backend
