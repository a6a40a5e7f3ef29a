// Heads of 64 channels.
#include "kernels/cuda/attention_mma.cuh"

namespace fw::kernels::cuda {

Code mmaAttention64(Queue& queue, const AttentionArgs& args) {
    return launchMma<64, 64, 64>(queue, args);
}

}  // namespace fw::kernels::cuda
