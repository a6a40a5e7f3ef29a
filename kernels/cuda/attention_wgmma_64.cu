// Heads of 64 channels.
#include "kernels/cuda/attention_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaAttention64(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps) {
    return launchWgmma<64>(queue, args, maps);
}

}  // namespace fw::kernels::cuda
