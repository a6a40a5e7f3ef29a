// Windows, heads of 128 channels.
#include "kernels/cuda/sparse_mma.cuh"

namespace fw::kernels::cuda {

Code mmaWindow128(Queue& queue, const WindowArgs& args) {
    return launchMmaSparse<128, 64, WindowWalk<kMmaQueries, 64>>(queue, args);
}

}  // namespace fw::kernels::cuda
