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
    WgmmaMaps maps{};
    const TensorMapSpec q{args.q,      args.batch,  args.queries, args.heads,   args.headDim,
                          args.qBatch, args.qToken, args.qHead,   kWgmmaQueries};
    const TensorMapSpec k{args.k,      args.batch,  args.keys,  args.heads, args.headDim,
                          args.kBatch, args.kToken, args.kHead, kWgmmaKeys};
    const TensorMapSpec v{args.v,      args.batch,  args.keys,  args.heads, args.headDim,
                          args.vBatch, args.vToken, args.vHead, kWgmmaKeys};
    if (!makeTensorMap(maps.q, q) || !makeTensorMap(maps.k, k) || !makeTensorMap(maps.v, v)) {
        return queue.fail(Code::Failed, "the driver refuses to describe an attention operand");
    }
    return args.headDim == 64 ? wgmmaAttention64(queue, args, maps) : wgmmaAttention128(queue, args, maps);
}

}  // namespace fw::kernels::cuda
