// Which attention may be computed in e4m3, and by which width of the kernel.
#include "kernels/cuda/fp8_attention.cuh"

namespace fw::kernels::cuda {

bool fp8AttentionApplies(const Queue& queue, const AttentionArgs& args) {
    return args.firstKeyRaise == 0.0F && wgmmaAttentionApplies(queue, args);
}

Code fp8Attention(Queue& queue, const AttentionArgs& args) {
    return args.headDim == 64 ? fp8Attention64(queue, args) : fp8Attention128(queue, args);
}

}  // namespace fw::kernels::cuda
