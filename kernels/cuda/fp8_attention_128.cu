// Heads of 128 channels.
#include "kernels/cuda/fp8_attention.cuh"

namespace fw::kernels::cuda {

Code fp8Attention128(Queue& queue, const AttentionArgs& args) {
    return launchFp8<128>(queue, args);
}

}  // namespace fw::kernels::cuda
