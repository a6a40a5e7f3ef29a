// Products of e4m3: what is asked of the device and the library, and the way of one product.
#include <cstdio>

#include "kernels/cuda/blas.h"
#include "kernels/cuda/fp8.h"

namespace fw::kernels::cuda {

Code fp8LinearApplies(Queue& queue, std::int64_t in, std::int64_t out) {
    constexpr std::int64_t kMultiple = 16;
    if (queue.capability != 90) {
        return queue.fail(Code::Unsupported, "products of e4m3 need a GPU of compute capability 9.0");
    }
    if (in % kMultiple != 0 || out % kMultiple != 0 || !queue.blas->fp8Applies(in, out)) {
        std::snprintf(queue.message.text, sizeof(queue.message.text), "no product of e4m3 takes %lld x %lld",
                      static_cast<long long>(out), static_cast<long long>(in));
        return Code::Unsupported;
    }
    return Code::Ok;
}

Code fp8Linear(Queue& queue, const LinearArgs& args) {
    constexpr std::int64_t kAlignment = 256;
    const std::int64_t scaleBytes =
        (args.rows * static_cast<std::int64_t>(sizeof(float)) + kAlignment - 1) / kAlignment * kAlignment;
    auto* scratch = static_cast<std::uint8_t*>(queue.fp8.take(queue.stream, scaleBytes + args.rows * args.in));
    if (scratch == nullptr) {
        return queue.fail(Code::OutOfMemory, "no device memory for the rows of a product in fp8");
    }
    Fp8LinearArgs product{};
    static_cast<LinearArgs&>(product) = args;
    product.xScales = reinterpret_cast<const float*>(scratch);
    product.x = scratch + scaleBytes;
    product.xStride = args.in;
    const Code code = quantiseRows(&queue, {.rows = args.rows,
                                            .channels = args.in,
                                            .x = args.x,
                                            .element = args.compute,
                                            .xStride = args.xStride,
                                            .y = scratch + scaleBytes,
                                            .scales = reinterpret_cast<float*>(scratch)});
    if (code != Code::Ok) {
        return code;
    }
    const Code done = queue.blas->fp8Linear(queue, product);
    return done == Code::Unsupported ? simpleFp8Linear(queue, product) : done;
}

}  // namespace fw::kernels::cuda
