// What SALAD makes of a whole denoising pass, beside dense attention.
#pragma once

#include "core/backend/device.h"
#include "core/base/cancel.h"
#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::cli {

// One pass of a transformer of mini's size with random weights at 2, 4, 8 and 16 thousand tokens, by dense
// attention and by SALAD at 90 % sparsity, with either sparse branch, in turns: {"sparsity", "rows": [{"tokens",
// "dense_seconds", "window_seconds", "top_k_seconds"}]}, medians.
[[nodiscard]] Result<OrderedJson> measureSaladPasses(backend::Device& device, DType dtype, int threads,
                                                     const CancelToken& cancel);
void printSaladPasses(const OrderedJson& report);

}  // namespace fw::cli
