// Heads of 128 channels.
#include "kernels/cuda/attention_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaAttention128(Queue& queue, const AttentionArgs& args, const WgmmaMaps& maps) {
    return launchWgmma<128>(queue, args, maps);
}

}  // namespace fw::kernels::cuda
