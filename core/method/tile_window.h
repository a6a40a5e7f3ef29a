// Sliding window of whole 3-D tiles.
#pragma once

#include "core/method/attention_method.h"

namespace fw::method {

// Our implementation of the published description of Sliding Tile Attention (https://arxiv.org/abs/2502.04507): the
// clip is cut into boxes, and a box sees the boxes around it. At the clip's borders the window is moved inwards, so
// that every box sees equally many. No trained weights.
[[nodiscard]] MethodEntry tileWindow();

}  // namespace fw::method
