// Linear attention on tensor cores: what it takes, and how the sequence is cut.
#include <algorithm>

#include "kernels/cuda/linear_mma.cuh"

namespace fw::kernels::cuda {

namespace {

// Whether rows can be read in units of 16 bytes.
bool isAligned(const float* table, std::int64_t row) {
    return reinterpret_cast<std::uintptr_t>(table) % 16 == 0 && row % 4 == 0;
}

// Two thread blocks a processor in one round.
LinearPieces piecesFor(const Queue& queue, const AttentionArgs& o) {
    const std::int64_t wanted = std::max<std::int64_t>(1, 2LL * queue.multiprocessors / (o.heads * o.batch));
    const std::int64_t size = ceilDiv(ceilDiv(o.keys, wanted), kLinearTokens) * kLinearTokens;
    return {static_cast<int>(ceilDiv(o.keys, size)), static_cast<int>(size)};
}

Code linearByPieces(Queue& queue, const LinearAttentionArgs& args, bool wgmma) {
    const AttentionArgs& o = args.operands;
    const LinearPieces pieces = piecesFor(queue, o);
    const std::int64_t bytes =
        o.batch * o.heads * pieces.count * stateFloats(o.headDim) * static_cast<std::int64_t>(sizeof(float));
    auto* states = static_cast<float*>(queue.sparse.take(queue.stream, bytes));
    if (states == nullptr) {
        return queue.fail(Code::OutOfMemory, "no device memory for the states of linear attention");
    }
    const LinearCall call{args, pieces, states};
    if (o.headDim == 64) {
        const Code code = linearStates64(queue, call);
        return code != Code::Ok ? code : wgmma ? wgmmaLinearResult64(queue, call) : linearResult64(queue, call);
    }
    const Code code = linearStates128(queue, call);
    return code != Code::Ok ? code : wgmma ? wgmmaLinearResult128(queue, call) : linearResult128(queue, call);
}

}  // namespace

bool mmaLinearApplies(const Queue& queue, const LinearAttentionArgs& args) {
    return mmaSparseApplies(queue, args.operands) &&
           (args.cosine == nullptr ||
            (isAligned(args.cosine, args.cosineRow) && isAligned(args.sine, args.sineRow)));
}
bool wgmmaLinearApplies(const Queue& queue, const LinearAttentionArgs& args) {
    return queue.capability == 90 && mmaLinearApplies(queue, args);
}

Code mmaLinearAttention(Queue& queue, const LinearAttentionArgs& args) {
    return linearByPieces(queue, args, false);
}
Code wgmmaLinearAttention(Queue& queue, const LinearAttentionArgs& args) {
    return linearByPieces(queue, args, true);
}

}  // namespace fw::kernels::cuda
