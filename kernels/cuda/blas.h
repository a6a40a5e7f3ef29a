// cuBLASLt: matrix products with fused epilogues, one plan per shape.
#pragma once

#include <memory>

#include "kernels/cuda/api.h"
#include "kernels/cuda/fp8.h"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

class BlasContext {
 public:
    // Null, with the reason in the queue's message, when cuBLASLt cannot start.
    [[nodiscard]] static std::unique_ptr<BlasContext> create(Queue& queue);
    virtual ~BlasContext() = default;

    // Unsupported when the library has no algorithm for the shape; the caller then computes it another way.
    [[nodiscard]] virtual Code linear(Queue& queue, const LinearArgs& args) = 0;
    // Operands of e4m3 with a scale for each row of either: Unsupported likewise. Sizes are multiples of 16.
    [[nodiscard]] virtual Code fp8Linear(Queue& queue, const Fp8LinearArgs& args) = 0;
    [[nodiscard]] virtual bool fp8Applies(std::int64_t in, std::int64_t out) = 0;
    [[nodiscard]] static std::int32_t libraryVersion();
};

}  // namespace fw::kernels::cuda
