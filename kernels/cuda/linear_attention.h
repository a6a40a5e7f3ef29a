// Kernels of linear attention.
#pragma once

#include "kernels/cuda/queue.h"
#include "kernels/cuda/sparse_args.h"

namespace fw::kernels::cuda {

// Every type and width; arithmetic in f32 without tensor cores.
[[nodiscard]] Code simpleLinearAttention(Queue& queue, const LinearAttentionArgs& args);

}  // namespace fw::kernels::cuda
