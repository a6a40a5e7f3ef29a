// How far one tensor is from another: sums of a fixed shape, so that the bits depend on the operands alone.
#include "kernels/cuda/rows.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kMostBlocks = 512;
constexpr int kSums = 4;

// Each block's four sums into partial[block].
template <class Ta, class Tb, int kWide>
__global__ __launch_bounds__(kThreads) void partialDifference(const DifferenceArgs args, double* partial) {
    __shared__ float shared[kThreads / 32];
    const std::int64_t items = rowItems<kWide>(args.extents);
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
    float sums[kSums] = {};
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < items; i += step) {
        const RowPosition at = rowPosition<kWide>(args.extents, i);
        float a[kWide], b[kWide];
        loadWide<kWide>(rowOf<Ta>(args.a, at.batch, at.row) + at.channel, a);
        loadWide<kWide>(rowOf<Tb>(args.b, at.batch, at.row) + at.channel, b);
#pragma unroll
        for (int j = 0; j < kWide; ++j) {
            const float delta = a[j] - b[j];
            sums[0] += fabsf(delta);
            sums[1] += fabsf(b[j]);
            sums[2] += delta * delta;
            sums[3] += b[j] * b[j];
        }
    }
#pragma unroll
    for (int s = 0; s < kSums; ++s) {
        const float sum = groupSum<kThreads>(sums[s], shared);
        if (threadIdx.x == 0) {
            partial[blockIdx.x * kSums + s] = sum;
        }
    }
}

// A warp for each of the sums.
__global__ __launch_bounds__(kSums * 32) void meansOfPartials(const double* partial, int blocks, double elements,
                                                              float* means) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int which = static_cast<int>(threadIdx.x) / 32;
    double sum = 0.0;
    for (int block = lane; block < blocks; block += 32) {
        sum += partial[block * kSums + which];
    }
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) {
        sum += __shfl_xor_sync(0xffffffffU, sum, offset);
    }
    if (lane == 0) {
        means[which] = static_cast<float>(sum / elements);
    }
}

}  // namespace

Code difference(Queue* queue, const DifferenceArgs& args) {
    const bool wide = args.extents.channels % 8 == 0 && isVectorisable(args.a) && isVectorisable(args.b);
    const std::int64_t elements = args.extents.batch * args.extents.rows * args.extents.channels;
    const std::int64_t wanted = ceilDiv(wide ? elements / 8 : elements, kThreads);
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
            using Ta = decltype(ta);
            using Tb = decltype(tb);
            return wide ? launch(*queue, partialDifference<Ta, Tb, 8>, shape, args, partial)
                        : launch(*queue, partialDifference<Ta, Tb, 1>, shape, args, partial);
        });
    });
    if (code != Code::Ok) {
        return code;
    }
    LaunchShape last;
    last.grid = dim3(1);
    last.threads = kSums * 32;
    const double* sums = partial;
    return launch(*queue, meansOfPartials, last, sums, blocks, static_cast<double>(elements), args.means);
}

}  // namespace fw::kernels::cuda
