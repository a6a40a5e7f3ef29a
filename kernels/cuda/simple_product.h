// Matrix products and convolutions without a library: any size, any alignment, sums in f32. What the libraries do
// not take, and what they are checked against; a few percent of the device's speed.
#pragma once

#include "kernels/cuda/api.h"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

[[nodiscard]] Code simpleLinear(Queue& queue, const LinearArgs& args);
[[nodiscard]] Code simpleConv(Queue& queue, const ConvArgs& args);

// y = activation(y + bias), or y alone: what a product without an epilogue leaves to do.
[[nodiscard]] Code biasAndActivation(Queue& queue, const LinearArgs& args, bool withBias);

// y = sums + bias (+ y): what a convolution alone leaves to do. `sums` has y's type and layout and may be y.
[[nodiscard]] Code finishConv(Queue& queue, const ConvArgs& args, const void* sums);

}  // namespace fw::kernels::cuda
