// Rows of e4m3 with a scale each as numbers again: memory is all that counts.
#include "kernels/cuda/packed_rows.h"

#include "kernels/cuda/fp8.cuh"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

namespace {

constexpr int kUnpackThreads = 256;

// Eight neighbours of one row a thread.
template <class T>
__global__ __launch_bounds__(kUnpackThreads) void unpackVectorsKernel(const UnpackRowsArgs args) {
    const std::int64_t first = (static_cast<std::int64_t>(blockIdx.x) * kUnpackThreads + threadIdx.x) * 8;
    if (first >= args.rows * args.channels) {
        return;
    }
    const float scale = args.scales[first / args.channels];
    const uint2 packed = *reinterpret_cast<const uint2*>(static_cast<const std::uint8_t*>(args.x) + first);
    float values[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const std::uint32_t word = i < 4 ? packed.x : packed.y;
        values[i] = toFloat(Fp8{static_cast<std::uint8_t>(word >> (8 * (i % 4)))}) * scale;
    }
    store8(static_cast<T*>(args.y) + first, values);
}

// Any width and alignment.
template <class T>
__global__ __launch_bounds__(kUnpackThreads) void unpackAnyKernel(const UnpackRowsArgs args) {
    const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * kUnpackThreads + threadIdx.x;
    if (at < args.rows * args.channels) {
        const Fp8 bits{static_cast<const std::uint8_t*>(args.x)[at]};
        store(static_cast<T*>(args.y) + at, toFloat(bits) * args.scales[at / args.channels]);
    }
}

Code unpackRows(Queue* queue, const UnpackRowsArgs& args) {
    Code code = queue->check(cudaSetDevice(queue->device), "choosing the device");
    if (code == Code::Ok) {
        code = runWaitingAddition(*queue);
    }
    if (code != Code::Ok || args.rows * args.channels == 0) {
        return code;
    }
    queue->clock.working(queue->stream);
    const bool vectors = args.channels % 8 == 0 && reinterpret_cast<std::uintptr_t>(args.x) % 8 == 0 &&
                         reinterpret_cast<std::uintptr_t>(args.y) % 16 == 0;
    return withAct(args.element, [&](auto element) {
        using T = decltype(element);
        LaunchShape shape;
        shape.grid =
            dim3(static_cast<unsigned>(ceilDiv(args.rows * args.channels, kUnpackThreads * (vectors ? 8 : 1))));
        shape.threads = kUnpackThreads;
        return vectors ? launch(*queue, unpackVectorsKernel<T>, shape, args)
                       : launch(*queue, unpackAnyKernel<T>, shape, args);
    });
}

constexpr PackedRowsApi kPackedRowsApi = {
    .version = kPackedRowsVersion,
    .unpackRows = unpackRows,
};

}  // namespace
}  // namespace fw::kernels::cuda

extern "C" __attribute__((visibility("default"))) const fw::kernels::cuda::PackedRowsApi* fwCudaPackedRowsApi(
    std::int32_t version) {
    return version == fw::kernels::cuda::kPackedRowsVersion ? &fw::kernels::cuda::kPackedRowsApi : nullptr;
}
