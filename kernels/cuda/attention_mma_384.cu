// Heads of 384 channels.
#include "kernels/cuda/attention_mma.cuh"

namespace fw::kernels::cuda {

Code mmaAttention384(Queue& queue, const AttentionArgs& args) {
    return launchMma<384, 192, 32>(queue, args);
}

}  // namespace fw::kernels::cuda
