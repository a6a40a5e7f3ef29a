// The key blocks that matter most to each block of queries.
#pragma once

#include "core/method/attention_method.h"

namespace fw::method {

// Our implementation of the published description of block-wise top-k attention, the common core of MoBA
// (https://arxiv.org/abs/2502.13189), VSA (https://arxiv.org/abs/2505.13389), SpargeAttn and SLA: blocks are scored
// by their mean query and mean key, and every block of queries attends to the best. Chosen anew for every head and
// call, on the device. No trained weights.
[[nodiscard]] MethodEntry topKBlocks();

// The same without the quality knobs, as a branch of another method. Parameters: sparsity, blocks, sink_frame.
[[nodiscard]] Result<std::unique_ptr<AttentionMethod>> createTopKBranch(const Json& parameters);
[[nodiscard]] job::ParameterSchema blocksParameter();

}  // namespace fw::method
