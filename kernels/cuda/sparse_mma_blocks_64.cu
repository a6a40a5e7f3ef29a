// Listed blocks, heads of 64 channels.
#include "kernels/cuda/sparse_mma.cuh"

namespace fw::kernels::cuda {

Code mmaBlockSparse64(Queue& queue, const BlockSparseArgs& args) {
    return launchMmaSparse<64, 64, BlockWalk<kMmaQueries, 64>>(queue, args);
}

}  // namespace fw::kernels::cuda
