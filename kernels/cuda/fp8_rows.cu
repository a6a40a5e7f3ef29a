// Rows of numbers as e4m3 with a scale each, and back: the largest magnitude becomes 448. One pass over memory, a row's
// values stay in registers.
#include <type_traits>

#include "kernels/cuda/fp8.cuh"

namespace fw::kernels::cuda {

namespace {

constexpr int kRowThreads = 256;

// The largest over groups of kGroup neighbouring threads, in every thread of the group; as groupSum().
template <int kGroup>
__device__ __forceinline__ float groupLargest(float value, float* shared) {
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, offset));
    }
    if constexpr (kGroup > 32) {
        static_assert(kGroup == kRowThreads);
        if (threadIdx.x % 32 == 0) {
            shared[threadIdx.x / 32] = value;
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < kRowThreads / 32; ++i) {
            value = fmaxf(value, shared[i]);
        }
    }
    return value;
}

// A group of kGroup threads a row, 8 neighbours a thread at a time, kChunks times.
template <class T, int kGroup, int kChunks>
__global__ __launch_bounds__(kRowThreads) void quantiseRowsKernel(const QuantiseArgs args) {
    __shared__ float shared[kRowThreads / 32];
    const int lane = static_cast<int>(threadIdx.x) % kGroup;
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * (kRowThreads / kGroup) + threadIdx.x / kGroup;
    const bool exists = row < args.rows;
    const T* x = static_cast<const T*>(args.x) + (exists ? row : 0) * args.xStride;
    float values[kChunks][8];
    float largest = 0.0F;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
        const int first = (chunk * kGroup + lane) * 8;
        if (exists && first < args.channels) {
            load8(x + first, values[chunk]);
#pragma unroll
            for (const float value : values[chunk]) {
                largest = fmaxf(largest, fabsf(value));
            }
        }
    }
    largest = groupLargest<kGroup>(largest, shared);
    if (!exists) {
        return;
    }
    const float scale = fp8Scale(largest);
    const float factor = 1.0F / scale;
    std::uint8_t* y = static_cast<std::uint8_t*>(args.y) + row * args.channels;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
        const int first = (chunk * kGroup + lane) * 8;
        if (first < args.channels) {
            const float(&v)[8] = values[chunk];
            *reinterpret_cast<uint2*>(y + first) =
                make_uint2(packFp8(v[0] * factor, v[1] * factor, v[2] * factor, v[3] * factor),
                           packFp8(v[4] * factor, v[5] * factor, v[6] * factor, v[7] * factor));
        }
    }
    if (lane == 0) {
        args.scales[row] = scale;
    }
}

// Any width and alignment; a block a row, read twice.
template <class T>
__global__ __launch_bounds__(kRowThreads) void quantiseAnyRowKernel(const QuantiseArgs args) {
    __shared__ float shared[kRowThreads / 32];
    const std::int64_t row = blockIdx.x;
    const T* x = static_cast<const T*>(args.x) + row * args.xStride;
    float largest = 0.0F;
    for (std::int64_t i = threadIdx.x; i < args.channels; i += kRowThreads) {
        largest = fmaxf(largest, fabsf(toFloat(x[i])));
    }
    const float scale = fp8Scale(groupLargest<kRowThreads>(largest, shared));
    const float factor = 1.0F / scale;
    std::uint8_t* y = static_cast<std::uint8_t*>(args.y) + row * args.channels;
    for (std::int64_t i = threadIdx.x; i < args.channels; i += kRowThreads) {
        y[i] = static_cast<std::uint8_t>(packFp8(toFloat(x[i]) * factor, 0.0F, 0.0F, 0.0F));
    }
    if (threadIdx.x == 0) {
        args.scales[row] = scale;
    }
}

// Eight neighbours of one row a thread.
template <class T>
__global__ __launch_bounds__(kRowThreads) void unpackVectorsKernel(const UnpackRowsArgs args) {
    const std::int64_t first = (static_cast<std::int64_t>(blockIdx.x) * kRowThreads + threadIdx.x) * 8;
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
__global__ __launch_bounds__(kRowThreads) void unpackAnyKernel(const UnpackRowsArgs args) {
    const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * kRowThreads + threadIdx.x;
    if (at < args.rows * args.channels) {
        const Fp8 bits{static_cast<const std::uint8_t*>(args.x)[at]};
        store(static_cast<T*>(args.y) + at, toFloat(bits) * args.scales[at / args.channels]);
    }
}

}  // namespace

Code quantiseRows(Queue* queue, const QuantiseArgs& args) {
    const bool vectors = args.channels % 8 == 0 && args.xStride % 8 == 0 &&
                         reinterpret_cast<std::uintptr_t>(args.x) % 16 == 0 &&
                         reinterpret_cast<std::uintptr_t>(args.y) % 8 == 0;
    return withAct(args.element, [&](auto element) {
        using T = decltype(element);
        const auto with = [&](auto kernel, int group) {
            LaunchShape shape;
            shape.grid = dim3(static_cast<unsigned>(ceilDiv(args.rows, kRowThreads / group)));
            shape.threads = kRowThreads;
            return launch(*queue, kernel, shape, args);
        };
        if (vectors && args.channels <= 512) {
            return with(quantiseRowsKernel<T, 32, 2>, 32);
        }
        if (vectors && args.channels <= 1536) {
            return with(quantiseRowsKernel<T, 32, 6>, 32);
        }
        if (vectors && args.channels <= 6144) {
            return with(quantiseRowsKernel<T, kRowThreads, 3>, kRowThreads);
        }
        if (vectors && args.channels <= 14336) {
            return with(quantiseRowsKernel<T, kRowThreads, 7>, kRowThreads);
        }
        return with(quantiseAnyRowKernel<T>, kRowThreads);
    });
}

Code unpackRows(Queue* queue, const UnpackRowsArgs& args) {
    const std::int64_t count = args.rows * args.channels;
    const bool vectors = args.channels % 8 == 0 && reinterpret_cast<std::uintptr_t>(args.x) % 8 == 0 &&
                         reinterpret_cast<std::uintptr_t>(args.y) % 16 == 0;
    return withAct(args.element, [&](auto element) {
        using T = decltype(element);
        LaunchShape shape;
        shape.grid = dim3(static_cast<unsigned>(ceilDiv(count, kRowThreads * (vectors ? 8 : 1))));
        shape.threads = kRowThreads;
        return vectors ? launch(*queue, unpackVectorsKernel<T>, shape, args)
                       : launch(*queue, unpackAnyKernel<T>, shape, args);
    });
}

}  // namespace fw::kernels::cuda
