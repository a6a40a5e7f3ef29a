// Sliding window over the clip's tokens, in frame-major or token-major order per head.
#pragma once

#include "core/method/attention_method.h"

namespace fw::method {

// Our implementation of the published description of spatial-temporal sliding windows: DiTFastAttnV2
// (https://arxiv.org/abs/2503.22796), the sparse branch of SALAD (https://arxiv.org/abs/2601.16515); the choice
// made during a run is that of Sparse VideoGen (https://arxiv.org/abs/2502.01776). No trained weights; an adapter
// may bring a table of orders by layer and head (salad_head_order).
[[nodiscard]] MethodEntry slidingWindow();

// The same without the quality knobs, as a branch of another method. Parameters: sparsity, order, sink_frame.
[[nodiscard]] Result<std::unique_ptr<AttentionMethod>> createWindowBranch(const Json& parameters,
                                                                          const MethodWeights* weights);
// The parameter "order".
[[nodiscard]] job::ParameterSchema tokenOrderParameter();

// The widest window that leaves out at least this share of pairs, in tokens on either side. InvalidArgument when
// not even the next token fits.
[[nodiscard]] Result<std::int64_t> windowFor(const TokenGrid& grid, double sparsity);

}  // namespace fw::method
