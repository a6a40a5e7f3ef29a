// RMS norm of what a gate leaves, by groups of channels.
#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kThreads = 128;

// A block for each part of a row. The first kKept values of a thread stay in registers between the sum and the
// result; a wider part is computed again.
template <class T>
__global__ __launch_bounds__(kThreads) void gatedNormKernel(const GatedRmsNormArgs args) {
    constexpr int kKept = 8;
    __shared__ float shared[kThreads / 32];
    const auto rows = static_cast<std::uint32_t>(args.extents.rows);
    const auto groups = static_cast<std::uint32_t>(args.groups);
    const std::uint32_t index = blockIdx.x / groups;
    const std::int64_t width = args.extents.channels / args.groups;
    const std::int64_t offset = static_cast<std::int64_t>(blockIdx.x % groups) * width;
    const T* x = rowOf<T>(args.x, index / rows, index % rows) + offset;
    const T* gate = rowOf<T>(args.gate, index / rows, index % rows) + offset;
    T* y = rowOf<T>(args.y, index / rows, index % rows) + offset;
    const auto gated = [&](std::int64_t i) { return toFloat(x[i]) * siluOf(toFloat(gate[i])); };
    float kept[kKept];
    float squares = 0.0F;
#pragma unroll
    for (int j = 0; j < kKept; ++j) {
        const std::int64_t i = static_cast<std::int64_t>(j) * kThreads + threadIdx.x;
        kept[j] = i < width ? gated(i) : 0.0F;
        squares += kept[j] * kept[j];
    }
    for (std::int64_t i = kKept * kThreads + threadIdx.x; i < width; i += kThreads) {
        const float value = gated(i);
        squares += value * value;
    }
    squares = groupSum<kThreads>(squares, shared);
    const float factor = 1.0F / sqrtf(squares / static_cast<float>(width) + args.eps);
    const float* weight = args.weight + offset;
#pragma unroll
    for (int j = 0; j < kKept; ++j) {
        const std::int64_t i = static_cast<std::int64_t>(j) * kThreads + threadIdx.x;
        if (i < width) {
            store(y + i, kept[j] * factor * weight[i]);
        }
    }
    for (std::int64_t i = kKept * kThreads + threadIdx.x; i < width; i += kThreads) {
        store(y + i, gated(i) * factor * weight[i]);
    }
}

// The same 8 neighbouring channels a thread at a time, all of them kept: parts of up to kChunks · 8 · kThreads.
template <class T, int kChunks>
__global__ __launch_bounds__(kThreads) void gatedNormRegisters(const GatedRmsNormArgs args) {
    __shared__ float shared[kThreads / 32];
    const auto rows = static_cast<std::uint32_t>(args.extents.rows);
    const auto groups = static_cast<std::uint32_t>(args.groups);
    const std::uint32_t index = blockIdx.x / groups;
    const auto width = static_cast<int>(args.extents.channels / args.groups);
    const std::int64_t offset = static_cast<std::int64_t>(blockIdx.x % groups) * width;
    const T* x = rowOf<T>(args.x, index / rows, index % rows) + offset;
    const T* gate = rowOf<T>(args.gate, index / rows, index % rows) + offset;
    float values[kChunks][8];
    float squares = 0.0F;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
        const int first = (chunk * kThreads + static_cast<int>(threadIdx.x)) * 8;
        float gates[8] = {};
#pragma unroll
        for (float& value : values[chunk]) {
            value = 0.0F;
        }
        if (first < width) {
            load8(x + first, values[chunk]);
            load8(gate + first, gates);
        }
#pragma unroll
        for (int j = 0; j < 8; ++j) {
            values[chunk][j] *= siluOf(gates[j]);
            squares += values[chunk][j] * values[chunk][j];
        }
    }
    squares = groupSum<kThreads>(squares, shared);
    const float factor = 1.0F / sqrtf(squares / static_cast<float>(width) + args.eps);
    T* y = rowOf<T>(args.y, index / rows, index % rows) + offset;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
        const int first = (chunk * kThreads + static_cast<int>(threadIdx.x)) * 8;
        if (first < width) {
            float weights[8];
            load8(args.weight + offset + first, weights);
#pragma unroll
            for (int j = 0; j < 8; ++j) {
                values[chunk][j] *= factor * weights[j];
            }
            store8(y + first, values[chunk]);
        }
    }
}

}  // namespace

Code gatedRmsNorm(Queue* queue, const GatedRmsNormArgs& args) {
    constexpr std::int64_t kNarrow = 8 * kThreads;
    const std::int64_t width = args.extents.channels / args.groups;
    const bool wide = width % 8 == 0 && isVectorisable(args.x) && isVectorisable(args.gate) &&
                      isVectorisable(args.y) && reinterpret_cast<std::uintptr_t>(args.weight) % 16 == 0;
    LaunchShape shape;
    shape.grid = dim3(static_cast<unsigned>(args.extents.batch * args.extents.rows * args.groups));
    shape.threads = kThreads;
    return withAct(args.x.element, [&](auto t) {
        using T = decltype(t);
        if (wide && width <= kNarrow) {
            return launch(*queue, gatedNormRegisters<T, 1>, shape, args);
        }
        if (wide && width <= 3 * kNarrow) {
            return launch(*queue, gatedNormRegisters<T, 3>, shape, args);
        }
        if (wide && width <= 6 * kNarrow) {
            return launch(*queue, gatedNormRegisters<T, 6>, shape, args);
        }
        return launch(*queue, gatedNormKernel<T>, shape, args);
    });
}

}  // namespace fw::kernels::cuda
