// How far one tensor is from another: sums of a fixed shape, so that the bits depend on the operands alone.
#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kMostBlocks = 512;
constexpr int kSums = 4;

// Each block's four sums into partial[block].
template <class Ta, class Tb>
__global__ __launch_bounds__(kThreads) void partialDifference(const DifferenceArgs args, double* partial) {
    __shared__ float shared[kThreads / 32];
    const std::int64_t items = args.extents.batch * args.extents.rows * args.extents.channels;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
    float sums[kSums] = {};
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < items; i += step) {
        const std::int64_t channel = i % args.extents.channels;
        const std::int64_t row = i / args.extents.channels;
        const std::int64_t batch = row / args.extents.rows;
        const float b = toFloat(rowOf<Tb>(args.b, batch, row % args.extents.rows)[channel]);
        const float delta = toFloat(rowOf<Ta>(args.a, batch, row % args.extents.rows)[channel]) - b;
        sums[0] += fabsf(delta);
        sums[1] += fabsf(b);
        sums[2] += delta * delta;
        sums[3] += b * b;
    }
#pragma unroll
    for (int s = 0; s < kSums; ++s) {
        const float sum = groupSum<kThreads>(sums[s], shared);
        if (threadIdx.x == 0) {
            partial[blockIdx.x * kSums + s] = sum;
        }
    }
}

__global__ void meansOfPartials(const double* partial, int blocks, double elements, float* means) {
    double sum = 0.0;
    for (int block = 0; block < blocks; ++block) {
        sum += partial[block * kSums + threadIdx.x];
    }
    means[threadIdx.x] = static_cast<float>(sum / elements);
}

}  // namespace

Code difference(Queue* queue, const DifferenceArgs& args) {
    const std::int64_t items = args.extents.batch * args.extents.rows * args.extents.channels;
    const std::int64_t wanted = ceilDiv(items, kThreads);
    const int blocks = static_cast<int>(wanted < kMostBlocks ? wanted : kMostBlocks);
    auto* partial = static_cast<double*>(
        queue->sums.take(queue->stream, kMostBlocks * kSums * static_cast<std::int64_t>(sizeof(double))));
    if (partial == nullptr) {
        return queue->fail(Code::OutOfMemory, "no device memory for the sums of a difference");
    }
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(blocks));
    shape.threads = kThreads;
    const Code code = withAct(args.a.element, [&](auto ta) {
        return withAct(args.b.element, [&](auto tb) {
            return launch(*queue, partialDifference<decltype(ta), decltype(tb)>, shape, args, partial);
        });
    });
    if (code != Code::Ok) {
        return code;
    }
    LaunchShape last;
    last.threads = kSums;
    const double* sums = partial;
    return launch(*queue, meansOfPartials, last, sums, blocks, static_cast<double>(items), args.means);
}

}  // namespace fw::kernels::cuda
