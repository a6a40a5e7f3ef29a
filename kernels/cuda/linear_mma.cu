// Linear attention by mma.sync: what it takes, and how the sequence is cut.
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

}  // namespace

bool mmaLinearApplies(const Queue& queue, const LinearAttentionArgs& args) {
    return mmaSparseApplies(queue, args.operands) &&
           (args.cosine == nullptr ||
            (isAligned(args.cosine, args.cosineRow) && isAligned(args.sine, args.sineRow)));
}

Code mmaLinearAttention(Queue& queue, const LinearAttentionArgs& args) {
    const AttentionArgs& o = args.operands;
    const LinearPieces pieces = piecesFor(queue, o);
    const std::int64_t bytes =
        o.batch * o.heads * pieces.count * stateFloats(o.headDim) * static_cast<std::int64_t>(sizeof(float));
    auto* states = static_cast<float*>(queue.sparse.take(queue.stream, bytes));
    if (states == nullptr) {
        return queue.fail(Code::OutOfMemory, "no device memory for the states of linear attention");
    }
    return o.headDim == 64 ? linearMma64(queue, args, pieces, states) : linearMma128(queue, args, pieces, states);
}

}  // namespace fw::kernels::cuda
