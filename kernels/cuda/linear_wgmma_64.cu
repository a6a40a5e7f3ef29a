// Heads of 64 channels.
#include "kernels/cuda/linear_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaLinearResult64(Queue& queue, const LinearCall& call) {
    return call.args.cosine != nullptr ? launchWgmmaLinearResult<64, true>(queue, call)
                                       : launchWgmmaLinearResult<64, false>(queue, call);
}

}  // namespace fw::kernels::cuda
