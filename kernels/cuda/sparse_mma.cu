// Sparse attention by mma.sync: which width.
#include "kernels/cuda/sparse_mma.cuh"

namespace fw::kernels::cuda {

Code mmaBlockSparse(Queue& queue, const BlockSparseArgs& args) {
    return args.operands.headDim == 64 ? mmaBlockSparse64(queue, args) : mmaBlockSparse128(queue, args);
}

Code mmaWindow(Queue& queue, const WindowArgs& args) {
    return args.operands.headDim == 64 ? mmaWindow64(queue, args) : mmaWindow128(queue, args);
}

}  // namespace fw::kernels::cuda
