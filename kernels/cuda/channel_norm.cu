// The video auto-encoder's norm over channels, with SiLU.
#include "kernels/cuda/norm.cuh"

namespace fw::kernels::cuda {

Code channelNorm(Queue* queue, const ChannelNormArgs& args) {
    return launchNorm<ChannelPolicy>(*queue, args, false);
}

}  // namespace fw::kernels::cuda
