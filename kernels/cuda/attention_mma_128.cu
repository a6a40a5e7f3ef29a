// Heads of 128 channels.
#include "kernels/cuda/attention_mma.cuh"

namespace fw::kernels::cuda {

Code mmaAttention128(Queue& queue, const AttentionArgs& args) {
    return launchMma<128, 128, 64>(queue, args);
}

}  // namespace fw::kernels::cuda
