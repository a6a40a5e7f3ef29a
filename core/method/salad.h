// Sparse attention with a gated linear branch beside it.
#pragma once

#include "core/method/attention_method.h"

namespace fw::method {

// Our implementation of the published description of SALAD (https://arxiv.org/abs/2601.16515):
//   out = sparse + λ · sigmoid(gate(x)) · projection(linear)
// with x the layer's normalised, modulated input, `sparse` a sliding window or top-k blocks, and `linear` rectified
// linear attention over all tokens on the same queries, keys and values. Where the description is silent there are
// parameters. Projection and gate come from an adapter; a layer it leaves out has no linear branch.
[[nodiscard]] MethodEntry salad();

}  // namespace fw::method
