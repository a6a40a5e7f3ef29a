// Heads of 64 channels.
#include "kernels/cuda/linear_mma.cuh"

namespace fw::kernels::cuda {

Code linearStates64(Queue& queue, const LinearCall& call) {
    return call.args.cosine != nullptr ? launchLinearStates<64, true>(queue, call)
                                       : launchLinearStates<64, false>(queue, call);
}

Code linearResult64(Queue& queue, const LinearCall& call) {
    return call.args.cosine != nullptr ? launchLinearResult<64, true>(queue, call)
                                       : launchLinearResult<64, false>(queue, call);
}

}  // namespace fw::kernels::cuda
