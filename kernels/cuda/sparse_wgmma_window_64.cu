// Windows, heads of 64 channels.
#include "kernels/cuda/sparse_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaWindowWidth64(Queue& queue, const WindowArgs& args, const SparseMaps& maps) {
    return launchWgmmaSparse<64, WindowTiles>(queue, args, maps);
}

}  // namespace fw::kernels::cuda
