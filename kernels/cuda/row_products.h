// Matrix products with a single column: y[rows] = activation(x[rows, in] · weight[in] + bias), sums in f32 in an
// order of their own, the same every time.
#pragma once

#include "kernels/cuda/api.h"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

// Whether rows and weights can be read in units of eight.
[[nodiscard]] bool rowProductApplies(const LinearArgs& args);
[[nodiscard]] Code rowProduct(Queue& queue, const LinearArgs& args);

}  // namespace fw::kernels::cuda
