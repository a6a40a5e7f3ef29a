// Which attention goes to the wgmma kernel, and to which width of it.
#include "kernels/cuda/attention_wgmma.cuh"

namespace fw::kernels::cuda {

bool wgmmaAttentionApplies(const Queue& queue, const AttentionArgs& args) {
    // The same rows of 16-byte units as for mma.sync. Maxima are taken before the scale, which must not turn them
    // over.
    return queue.capability == 90 && mmaAttentionApplies(queue, args) && args.scale > 0.0F &&
           (args.headDim == 64 || args.headDim == 128);
}

Code wgmmaAttention(Queue& queue, const AttentionArgs& args) {
    const bool narrow = args.headDim == 64;
    const int queries = narrow ? kWgmmaQueries<64> : kWgmmaQueries<128>;
    const int keys = narrow ? kWgmmaKeys<64> : kWgmmaKeys<128>;
    WgmmaMaps maps{};
    const TensorMapSpec q{args.q,      args.batch,  args.queries, args.heads, args.headDim,
                          args.qBatch, args.qToken, args.qHead,   queries};
    const TensorMapSpec k{args.k,      args.batch,  args.keys,  args.heads, args.headDim,
                          args.kBatch, args.kToken, args.kHead, keys};
    const TensorMapSpec v{args.v,      args.batch,  args.keys,  args.heads, args.headDim,
                          args.vBatch, args.vToken, args.vHead, keys};
    if (!makeTensorMap(maps.q, q) || !makeTensorMap(maps.k, k) || !makeTensorMap(maps.v, v)) {
        return queue.fail(Code::Failed, "the driver refuses to describe an attention operand");
    }
    return narrow ? wgmmaAttention64(queue, args, maps) : wgmmaAttention128(queue, args, maps);
}

}  // namespace fw::kernels::cuda
