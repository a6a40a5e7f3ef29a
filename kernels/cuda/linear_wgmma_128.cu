// Heads of 128 channels.
#include "kernels/cuda/linear_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaLinearResult128(Queue& queue, const LinearCall& call) {
    return call.args.cosine != nullptr ? launchWgmmaLinearResult<128, true>(queue, call)
                                       : launchWgmmaLinearResult<128, false>(queue, call);
}

}  // namespace fw::kernels::cuda
