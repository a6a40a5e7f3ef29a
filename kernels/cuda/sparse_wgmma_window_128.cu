// Windows, heads of 128 channels.
#include "kernels/cuda/sparse_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaWindowWidth128(Queue& queue, const WindowArgs& args, const SparseMaps& maps) {
    return launchWgmmaSparse<128, WindowTiles>(queue, args, maps);
}

}  // namespace fw::kernels::cuda
