// Sparse attention beside dense: what fw bench attention prints below its table.
#pragma once

#include "core/backend/device.h"
#include "core/base/cancel.h"
#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::cli {

// {"sizes": dense, window, top-k and linear attention at four clip sizes; "kept": time against kept blocks at one
// size}. Times are medians of three in seconds. Unsupported when the device has no sparse attention.
[[nodiscard]] Result<OrderedJson> measureSparseAttention(backend::Device& device, DType dtype, int threads,
                                                         const CancelToken& cancel);
void printSparseAttention(const OrderedJson& report);

}  // namespace fw::cli
