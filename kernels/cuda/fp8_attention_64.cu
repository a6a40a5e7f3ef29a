// Heads of 64 channels.
#include "kernels/cuda/fp8_attention.cuh"

namespace fw::kernels::cuda {

Code fp8Attention64(Queue& queue, const AttentionArgs& args) {
    return launchFp8<64>(queue, args);
}

}  // namespace fw::kernels::cuda
