// Products of e4m3: eight bits, four of exponent and three of mantissa, largest 448, no infinities (Micikevicius et
// al. 2022, https://arxiv.org/abs/2209.05433). Every row has a scale of its own: value = scale · element.
#pragma once

#include "kernels/cuda/api.h"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

// Compute capability 9.0, both sizes multiples of 16, and cuBLASLt has an algorithm. Otherwise Unsupported with the
// reason in the queue's message.
[[nodiscard]] Code fp8LinearApplies(Queue& queue, std::int64_t in, std::int64_t out);

// linear() for weights of e4m3: quantises the rows of x on the way.
[[nodiscard]] Code fp8Linear(Queue& queue, const LinearArgs& args);

// What a product of e4m3 reads: args.x are bytes, contiguous rows, each with its scale.
struct Fp8LinearArgs : LinearArgs {
    const float* xScales;  // [rows]
};
// The product without a library.
[[nodiscard]] Code simpleFp8Linear(Queue& queue, const Fp8LinearArgs& args);

}  // namespace fw::kernels::cuda
