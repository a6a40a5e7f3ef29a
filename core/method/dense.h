// Dense attention: every token attends to every other. The reference all other methods are compared with.
#pragma once

#include "core/method/attention_method.h"

namespace fw::method {

// Vaswani et al. 2017, https://arxiv.org/abs/1706.03762. 4·N²·C FLOPs per call, no parameters, no extra weights.
[[nodiscard]] MethodEntry denseAttention();

}  // namespace fw::method
