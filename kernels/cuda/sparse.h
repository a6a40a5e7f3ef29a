// Kernels of sparse attention and the choice between them.
#pragma once

#include "kernels/cuda/queue.h"
#include "kernels/cuda/sparse_args.h"

namespace fw::kernels::cuda {

// f32 and bf16, every width and cut; arithmetic in f32 without tensor cores.
[[nodiscard]] Code simpleBlockSparse(Queue& queue, const BlockSparseArgs& args);
[[nodiscard]] Code simpleWindow(Queue& queue, const WindowArgs& args);

}  // namespace fw::kernels::cuda
