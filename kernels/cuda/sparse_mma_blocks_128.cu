// Listed blocks, heads of 128 channels.
#include "kernels/cuda/sparse_mma.cuh"

namespace fw::kernels::cuda {

Code mmaBlockSparse128(Queue& queue, const BlockSparseArgs& args) {
    return launchMmaSparse<128, 64, BlockWalk<kMmaQueries, 64>>(queue, args);
}

}  // namespace fw::kernels::cuda
