#include "kernels/cuda/attention.h"

#include "kernels/cuda/dnn.h"

namespace fw::kernels::cuda {

namespace {

Code runKernel(Queue& queue, const AttentionArgs& args, AttentionKernel kernel) {
    switch (kernel) {
        case AttentionKernel::Simple:
            return simpleAttention(queue, args);
        case AttentionKernel::Mma:
            return mmaAttentionApplies(queue, args)
                       ? mmaAttention(queue, args)
                       : queue.fail(Code::Unsupported, "the mma kernel does not take this attention");
        case AttentionKernel::Wgmma:
            return wgmmaAttentionApplies(queue, args)
                       ? wgmmaAttention(queue, args)
                       : queue.fail(Code::Unsupported, "the wgmma kernel does not take this attention");
        case AttentionKernel::Cudnn:
            if (args.firstKeyRaise != 0.0F) {
                return queue.fail(Code::Unsupported, "cuDNN does not weigh keys");
            }
            return queue.dnn ? queue.dnn->attention(queue, args)
                             : queue.fail(Code::Unsupported, "cuDNN is not available");
        case AttentionKernel::Fp8:
            return fp8AttentionApplies(queue, args)
                       ? fp8Attention(queue, args)
                       : queue.fail(Code::Unsupported, "the e4m3 kernel does not take this attention");
        case AttentionKernel::OneTile:
            return oneTileAttentionApplies(queue, args)
                       ? oneTileAttention(queue, args)
                       : queue.fail(Code::Unsupported,
                                    "the kernel for one tile of keys does not take this attention");
        case AttentionKernel::Auto:
            break;
    }
    return queue.fail(Code::Failed, "attention: unknown kernel");
}

}  // namespace

AttentionKernel preferredAttention(const Queue& queue, const AttentionArgs& args) {
    if (oneTileAttentionApplies(queue, args)) {
        return AttentionKernel::OneTile;
    }
    if (wgmmaAttentionApplies(queue, args)) {
        return AttentionKernel::Wgmma;
    }
    return mmaAttentionApplies(queue, args) ? AttentionKernel::Mma : AttentionKernel::Simple;
}

Code attention(Queue* queue, const AttentionArgs& args) {
    if (args.kernel != AttentionKernel::Auto) {
        return runKernel(*queue, args, args.kernel);
    }
    const AttentionKernel preferred = preferredAttention(*queue, args);
    // With the few keys of a prompt the wgmma kernel has hardly begun when it ends: 0.251 ms for 32,760 queries and
    // 512 keys on an H100, cuDNN 0.187.
    constexpr std::int64_t kFewKeys = 1024;
    if (preferred == AttentionKernel::Wgmma && args.headDim == 128 && args.keys <= kFewKeys &&
        args.firstKeyRaise == 0.0F && queue->dnn) {
        if (runKernel(*queue, args, AttentionKernel::Cudnn) == Code::Ok) {
            return Code::Ok;
        }
    }
    return runKernel(*queue, args, preferred);
}

}  // namespace fw::kernels::cuda
