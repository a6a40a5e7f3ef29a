// Windows, heads of 64 channels.
#include "kernels/cuda/sparse_mma.cuh"

namespace fw::kernels::cuda {

Code mmaWindow64(Queue& queue, const WindowArgs& args) {
    return launchMmaSparse<64, 64, WindowWalk<kMmaQueries, 64>>(queue, args);
}

}  // namespace fw::kernels::cuda
