// cuBLASLt and cuDNN that take no shape, so that everything goes through the kernels' own arithmetic.
#include "kernels/cuda/blas.h"
#include "kernels/cuda/dnn.h"

namespace fw::kernels::cuda {

namespace {

class NoBlas final : public BlasContext {
 public:
    Code linear(Queue&, const LinearArgs&) override { return Code::Unsupported; }
};
class NoDnn final : public DnnContext {
 public:
    Code conv(Queue&, const ConvArgs&) override { return Code::Unsupported; }
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
