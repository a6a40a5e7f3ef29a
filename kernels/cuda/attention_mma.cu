// Which attention goes to the mma.sync kernel, and to which width of it.
#include "kernels/cuda/attention_mma.cuh"

namespace fw::kernels::cuda {

namespace {

// Rows of 16-byte units.
bool isAligned(const void* data, std::int64_t batch, std::int64_t token, std::int64_t head) {
    return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && batch % 8 == 0 && token % 8 == 0 && head % 8 == 0;
}

}  // namespace

bool mmaAttentionApplies(const Queue& queue, const AttentionArgs& args) {
    const bool width = args.headDim == 64 || args.headDim == 128 || args.headDim == 384;
    return queue.capability >= 80 && args.element == Element::Bf16 && args.bias == nullptr && width &&
           isAligned(args.q, args.qBatch, args.qToken, args.qHead) &&
           isAligned(args.k, args.kBatch, args.kToken, args.kHead) &&
           isAligned(args.v, args.vBatch, args.vToken, args.vHead) &&
           isAligned(args.out, args.outBatch, args.outToken, args.outHead);
}

Code mmaAttention(Queue& queue, const AttentionArgs& args) {
    switch (args.headDim) {
        case 64:
            return mmaAttention64(queue, args);
        case 128:
            return mmaAttention128(queue, args);
        default:
            return mmaAttention384(queue, args);
    }
}

}  // namespace fw::kernels::cuda
