// Which kernel computes sparse attention. A fixed rule, so that two runs give the same bits.
#include "kernels/cuda/attention.h"
#include "kernels/cuda/sparse.h"

namespace fw::kernels::cuda {

namespace {

Code unknownKernel(Queue& queue) {
    return queue.fail(Code::Unsupported, "no kernel of this name takes this sparse attention");
}

}  // namespace

bool mmaSparseApplies(const Queue& queue, const AttentionArgs& args) {
    return mmaAttentionApplies(queue, args) && (args.headDim == 64 || args.headDim == 128);
}

bool wgmmaWindowApplies(const Queue& queue, const WindowArgs& args) {
    constexpr std::int64_t kMostFrames = 128;  // a tile holds whole places
    return wgmmaAttentionApplies(queue, args.operands) && (args.orders == nullptr || args.frames <= kMostFrames);
}

Code blockSparseAttention(Queue* queue, const BlockSparseArgs& args) {
    const AttentionKernel kernel = args.operands.kernel;
    const bool any = kernel == AttentionKernel::Auto;
    if ((any || kernel == AttentionKernel::Wgmma) && wgmmaBlockSparseApplies(*queue, args)) {
        return wgmmaBlockSparse(*queue, args);
    }
    if ((any || kernel == AttentionKernel::Mma) && mmaSparseApplies(*queue, args.operands)) {
        return mmaBlockSparse(*queue, args);
    }
    return any || kernel == AttentionKernel::Simple ? simpleBlockSparse(*queue, args) : unknownKernel(*queue);
}

Code windowAttention(Queue* queue, const WindowArgs& args) {
    const AttentionKernel kernel = args.operands.kernel;
    const bool any = kernel == AttentionKernel::Auto;
    if ((any || kernel == AttentionKernel::Wgmma) && wgmmaWindowApplies(*queue, args)) {
        return wgmmaWindow(*queue, args);
    }
    if ((any || kernel == AttentionKernel::Mma) && mmaSparseApplies(*queue, args.operands)) {
        return mmaWindow(*queue, args);
    }
    return any || kernel == AttentionKernel::Simple ? simpleWindow(*queue, args) : unknownKernel(*queue);
}

}  // namespace fw::kernels::cuda
