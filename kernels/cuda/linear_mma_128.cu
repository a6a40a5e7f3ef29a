// Heads of 128 channels.
#include "kernels/cuda/linear_mma.cuh"

namespace fw::kernels::cuda {

Code linearStates128(Queue& queue, const LinearCall& call) {
    return call.args.cosine != nullptr ? launchLinearStates<128, true>(queue, call)
                                       : launchLinearStates<128, false>(queue, call);
}

Code linearResult128(Queue& queue, const LinearCall& call) {
    return call.args.cosine != nullptr ? launchLinearResult<128, true>(queue, call)
                                       : launchLinearResult<128, false>(queue, call);
}

}  // namespace fw::kernels::cuda
