// Which kernel computes sparse attention.
#include "kernels/cuda/sparse.h"

namespace fw::kernels::cuda {

Code blockSparseAttention(Queue* queue, const BlockSparseArgs& args) {
    return simpleBlockSparse(*queue, args);
}

Code windowAttention(Queue* queue, const WindowArgs& args) {
    return simpleWindow(*queue, args);
}

}  // namespace fw::kernels::cuda
