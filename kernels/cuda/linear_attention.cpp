// Which kernel computes linear attention.
#include "kernels/cuda/linear_attention.h"

namespace fw::kernels::cuda {

Code linearAttention(Queue* queue, const LinearAttentionArgs& args) {
    return simpleLinearAttention(*queue, args);
}

}  // namespace fw::kernels::cuda
