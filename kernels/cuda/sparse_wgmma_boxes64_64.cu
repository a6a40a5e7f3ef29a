// Listed boxes in tiles of 64 tokens, heads of 64 channels.
#include "kernels/cuda/sparse_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaBoxes64Width64(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps) {
    return launchWgmmaSparse<64, BoxTiles<64>>(queue, args, maps);
}

}  // namespace fw::kernels::cuda
