// Heads of 128 channels.
#include "kernels/cuda/linear_mma.cuh"

namespace fw::kernels::cuda {

Code linearMma128(Queue& queue, const LinearAttentionArgs& args, const LinearPieces& pieces, float* states) {
    return args.cosine != nullptr ? launchLinearMma<128, true>(queue, args, pieces, states)
                                  : launchLinearMma<128, false>(queue, args, pieces, states);
}

}  // namespace fw::kernels::cuda
