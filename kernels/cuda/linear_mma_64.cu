// Heads of 64 channels.
#include "kernels/cuda/linear_mma.cuh"

namespace fw::kernels::cuda {

Code linearMma64(Queue& queue, const LinearAttentionArgs& args, const LinearPieces& pieces, float* states) {
    return args.cosine != nullptr ? launchLinearMma<64, true>(queue, args, pieces, states)
                                  : launchLinearMma<64, false>(queue, args, pieces, states);
}

}  // namespace fw::kernels::cuda
