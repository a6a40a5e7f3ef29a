// The functions of sparse_attention.h with a kernel of choice, for tests.
#pragma once

#include "kernels/cpu/attention_internal.h"
#include "kernels/cpu/sparse_attention.h"

namespace fw::kernels::cpu {

[[nodiscard]] std::int64_t blockSparseWorkspaceBytes(const BlockSparseArgs& args, const AttentionKernel& kernel);
[[nodiscard]] std::int64_t windowWorkspaceBytes(const WindowArgs& args, const AttentionKernel& kernel);
[[nodiscard]] int blockSparseAttention(const BlockSparseArgs& args, const AttentionKernel& kernel);
[[nodiscard]] int windowAttention(const WindowArgs& args, const AttentionKernel& kernel);

}  // namespace fw::kernels::cpu
