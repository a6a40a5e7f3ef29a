// Listed blocks of 128 tokens, heads of 64 channels.
#include "kernels/cuda/sparse_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaBlocks128Width64(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps) {
    return launchWgmmaSparse<64, BlockTiles<128>>(queue, args, maps);
}

}  // namespace fw::kernels::cuda
