// Listed blocks of 64 tokens, heads of 128 channels.
#include "kernels/cuda/sparse_wgmma.cuh"

namespace fw::kernels::cuda {

Code wgmmaBlocks64Width128(Queue& queue, const BlockSparseArgs& args, const SparseMaps& maps) {
    return launchWgmmaSparse<128, BlockTiles<64>>(queue, args, maps);
}

}  // namespace fw::kernels::cuda
