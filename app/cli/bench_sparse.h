// Sparse attention beside dense: what fw bench attention prints below its table.
#pragma once

#include "core/backend/device.h"
#include "core/base/cancel.h"
#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::cli {

// Heads of both tables, as many as 256 channels make.
inline constexpr std::int64_t kHeads = 4;
inline constexpr std::int64_t kHeadDim = 64;

// {"sizes": dense, window, top-k and linear attention at four clip sizes; "kept": time against kept blocks at one
// size}. Times are medians of three in seconds. Unsupported when the device has no sparse attention.
[[nodiscard]] Result<OrderedJson> measureSparseAttention(backend::Device& device, DType dtype, int threads,
                                                         const CancelToken& cancel);
void printSparseAttention(const OrderedJson& report);

}  // namespace fw::cli
