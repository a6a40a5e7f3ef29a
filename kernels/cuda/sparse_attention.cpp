// Which kernel computes sparse attention. A fixed rule, so that two runs give the same bits.
#include "kernels/cuda/attention.h"
#include "kernels/cuda/sparse.h"

namespace fw::kernels::cuda {

namespace {

Code unknownKernel(Queue& queue) {
    return queue.fail(Code::Unsupported, "no kernel of this name takes this sparse attention");
}

// Attention by a kernel that adds a branch itself, where it can read it 16 bytes at a time.
template <class Args>
Code addingItself(Queue& queue, const Args& given, Code (*compute)(Queue&, const Args&)) {
    Args args = given;
    const bool itself = branchHasUnits(given.added);
    if (!itself) {
        args.added = {};
    }
    Code code = itself ? prepareGates(queue, args.added) : Code::Ok;
    if (code == Code::Ok) {
        code = compute(queue, args);
    }
    return code == Code::Ok && given.added.branch.data != nullptr && !itself ? addBranch(&queue, given.added)
                                                                             : code;
}

// Attention, then a pass over its result when there is a branch to add.
template <class Args>
Code addingAfter(Queue& queue, const Args& args, Code (*compute)(Queue&, const Args&)) {
    const Code code = compute(queue, args);
    return code == Code::Ok && args.added.branch.data != nullptr ? addBranch(&queue, args.added) : code;
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
        return addingItself(*queue, args, wgmmaBlockSparse);
    }
    if ((any || kernel == AttentionKernel::Mma) && mmaSparseApplies(*queue, args.operands)) {
        return addingAfter(*queue, args, mmaBlockSparse);
    }
    return any || kernel == AttentionKernel::Simple ? addingAfter(*queue, args, simpleBlockSparse)
                                                    : unknownKernel(*queue);
}

Code windowAttention(Queue* queue, const WindowArgs& args) {
    const AttentionKernel kernel = args.operands.kernel;
    const bool any = kernel == AttentionKernel::Auto;
    if ((any || kernel == AttentionKernel::Wgmma) && wgmmaWindowApplies(*queue, args)) {
        return addingItself(*queue, args, wgmmaWindow);
    }
    if ((any || kernel == AttentionKernel::Mma) && mmaSparseApplies(*queue, args.operands)) {
        return addingAfter(*queue, args, mmaWindow);
    }
    return any || kernel == AttentionKernel::Simple ? addingAfter(*queue, args, simpleWindow)
                                                    : unknownKernel(*queue);
}

}  // namespace fw::kernels::cuda
