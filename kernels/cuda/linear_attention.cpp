// Which kernel computes linear attention. A fixed rule, so that two runs give the same bits.
#include "kernels/cuda/linear_attention.h"

namespace fw::kernels::cuda {

Code linearAttention(Queue* queue, const LinearAttentionArgs& args) {
    const AttentionKernel kernel = args.operands.kernel;
    const bool any = kernel == AttentionKernel::Auto;
    if ((any || kernel == AttentionKernel::Wgmma) && wgmmaLinearApplies(*queue, args)) {
        return wgmmaLinearAttention(*queue, args);
    }
    if ((any || kernel == AttentionKernel::Mma) && mmaLinearApplies(*queue, args)) {
        return mmaLinearAttention(*queue, args);
    }
    if (any || kernel == AttentionKernel::Simple) {
        return simpleLinearAttention(*queue, args);
    }
    return queue->fail(Code::Unsupported, "no kernel of this name takes this linear attention");
}

}  // namespace fw::kernels::cuda
