// Kernels of sparse attention and the choice between them.
#pragma once

#include "kernels/cuda/queue.h"
#include "kernels/cuda/sparse_args.h"

namespace fw::kernels::cuda {

// f32 and bf16, every width and cut; arithmetic in f32 without tensor cores.
[[nodiscard]] Code simpleBlockSparse(Queue& queue, const BlockSparseArgs& args);
[[nodiscard]] Code simpleWindow(Queue& queue, const WindowArgs& args);

// bf16 on tensor cores by mma.sync, compute capability 8.0 and above; every cut and order.
[[nodiscard]] bool mmaSparseApplies(const Queue& queue, const AttentionArgs& args);
[[nodiscard]] Code mmaBlockSparse(Queue& queue, const BlockSparseArgs& args);
[[nodiscard]] Code mmaWindow(Queue& queue, const WindowArgs& args);

// bf16 on Hopper's asynchronous tensor cores, compute capability 9.0: runs of a multiple of 64 tokens, boxes of one
// clip that fall into tiles of 64 or 128, windows over clips of up to 128 frames.
[[nodiscard]] bool wgmmaBlockSparseApplies(const Queue& queue, const BlockSparseArgs& args);
[[nodiscard]] bool wgmmaWindowApplies(const Queue& queue, const WindowArgs& args);
[[nodiscard]] Code wgmmaBlockSparse(Queue& queue, const BlockSparseArgs& args);
[[nodiscard]] Code wgmmaWindow(Queue& queue, const WindowArgs& args);

// Whether there is a branch that kernels of bf16 results can add themselves: 16 bytes at a time.
[[nodiscard]] bool branchHasUnits(const AddBranchArgs& args);
// The gates of mode Sample, into args.gates; nothing in the others.
[[nodiscard]] Code prepareGates(Queue& queue, AddBranchArgs& args);

}  // namespace fw::kernels::cuda
