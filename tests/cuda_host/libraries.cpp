// cuBLASLt and cuDNN without the libraries: everything goes through the kernels' own arithmetic.
#include "kernels/cuda/blas.h"
#include "kernels/cuda/dnn.h"
#include "kernels/cuda/simple_product.h"

namespace fw::kernels::cuda {

namespace {

class NoBlas final : public BlasContext {
 public:
    Code linear(Queue&, const LinearArgs&) override { return Code::Unsupported; }
    Code fp8Linear(Queue&, const Fp8LinearArgs&) override { return Code::Unsupported; }
    bool fp8Applies(std::int64_t, std::int64_t) override { return true; }
};
class NoDnn final : public DnnContext {
 public:
    // Even pictures as cuDNN would compute them: the convolution alone, then the pass that finishes it.
    Code conv(Queue& queue, const ConvArgs& args) override {
        if (args.width % 2 != 0) {
            return Code::Unsupported;
        }
        ConvArgs alone = args;
        alone.bias = nullptr;
        alone.accumulate = false;
        if (args.accumulate) {
            constexpr std::int64_t kMostElementBytes = 4;
            alone.y = queue.convSums.take(queue.stream, args.batch * args.outFrames * args.outHeight *
                                                            args.outWidth * args.outChannels * kMostElementBytes);
        }
        const Code code = simpleConv(queue, alone);
        return code == Code::Ok ? finishConv(queue, args, alone.y) : code;
    }
    Code attention(Queue& queue, const AttentionArgs&) override {
        return queue.fail(Code::Unsupported, "there is no cuDNN on the host");
    }
};

}  // namespace

std::unique_ptr<BlasContext> BlasContext::create(Queue&) {
    return std::make_unique<NoBlas>();
}
std::int32_t BlasContext::libraryVersion() {
    return 0;
}
std::unique_ptr<DnnContext> DnnContext::create(Queue&) {
    return std::make_unique<NoDnn>();
}
std::int32_t DnnContext::libraryVersion() {
    return 0;
}

}  // namespace fw::kernels::cuda
