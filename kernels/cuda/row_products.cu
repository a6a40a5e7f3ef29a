// Products with a single column, such as a gate's logit of every token: a warp a row, memory in and next to nothing
// out. A library's tiles would compute 63 columns of zeros beside it.
#include "kernels/cuda/platform.cuh"
#include "kernels/cuda/row_products.h"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kRowsOfBlock = kThreads / 32;
constexpr int kUnit = 8;  // neighbours a lane reads at once

template <class T, class Ty>
__global__ __launch_bounds__(kThreads) void rowProductKernel(const LinearArgs args) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kRowsOfBlock + threadIdx.x / 32;
    if (row >= args.rows) {
        return;
    }
    const T* x = static_cast<const T*>(args.x) + row * args.xStride;
    const T* weight = static_cast<const T*>(args.weight);
    const int depth = static_cast<int>(args.in);
    float sum = 0.0F;
#pragma unroll 6
    for (int first = lane * kUnit; first < depth; first += 32 * kUnit) {
        float values[kUnit];
        float factors[kUnit];
        load8(x + first, values);
        load8(weight + first, factors);
#pragma unroll
        for (int i = 0; i < kUnit; ++i) {
            sum += values[i] * factors[i];
        }
    }
    sum = groupSum<32>(sum, nullptr);
    if (lane == 0) {
        const float bias = args.bias == nullptr ? 0.0F : args.bias[0];
        store(static_cast<Ty*>(args.y) + row * args.yStride, activated(sum + bias, args.activation));
    }
}

}  // namespace

bool rowProductApplies(const LinearArgs& args) {
    constexpr std::int64_t kDeepest = 1 << 20;
    const ConstRows x{args.x, args.compute, 0, args.xStride};
    const ConstRows weight{args.weight, args.compute, 0, args.in};
    return args.out == 1 && args.in % kUnit == 0 && args.in <= kDeepest && isVectorisable(x) &&
           isVectorisable(weight);
}

Code rowProduct(Queue& queue, const LinearArgs& args) {
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.rows, kRowsOfBlock)));
    shape.threads = kThreads;
    return withAct(args.compute, [&](auto t) {
        return withAct(args.result, [&](auto ty) {
            return launch(queue, rowProductKernel<decltype(t), decltype(ty)>, shape, args);
        });
    });
}

}  // namespace fw::kernels::cuda
