// cuDNN: convolutions and attention through its graph interface, one plan per shape.
#pragma once

#include <memory>

#include "kernels/cuda/api.h"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

class DnnContext {
 public:
    // Null, with the reason in the queue's message, when cuDNN cannot start.
    [[nodiscard]] static std::unique_ptr<DnnContext> create(Queue& queue);
    virtual ~DnnContext() = default;

    // Unsupported when no engine takes the shape; the caller then computes it another way.
    [[nodiscard]] virtual Code conv(Queue& queue, const ConvArgs& args) = 0;
    [[nodiscard]] virtual Code attention(Queue& queue, const AttentionArgs& args) = 0;
    [[nodiscard]] static std::int32_t libraryVersion();
};

}  // namespace fw::kernels::cuda
