// What every kernel file shares: storage types, vector access, sums over groups of threads, launches.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>

#include "kernels/cuda/api.h"
#include "kernels/cuda/queue.h"

namespace fw::kernels::cuda {

// Elements in memory. Arithmetic is always f32.
struct Bf16 {
    std::uint16_t bits;
};
struct F16 {
    std::uint16_t bits;
};

#ifdef __CUDACC__
#define FW_DYNAMIC_SHARED(name) extern __shared__ __align__(1024) unsigned char name[]

__device__ __forceinline__ float toFloat(F16 value) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
}
__device__ __forceinline__ F16 toHalf(float value) {
    F16 result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
}
// Two values as bf16, `low` in the lower half; rounds to nearest even.
__device__ __forceinline__ std::uint32_t packBf16(float low, float high) {
    std::uint32_t result;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}
#else
// Compiled for the host: the tests run the kernels there, one thread after another (tests/cuda_host).
#define FW_DYNAMIC_SHARED(name) unsigned char* const name = fw::cuda_host::dynamicShared()

inline float toFloat(F16 value) {
    return fw::cuda_host::halfToFloat(value.bits);
}
inline F16 toHalf(float value) {
    return {fw::cuda_host::floatToHalf(value)};
}
inline std::uint32_t packBf16(float low, float high) {
    return fw::cuda_host::floatToBf16(low) | static_cast<std::uint32_t>(fw::cuda_host::floatToBf16(high)) << 16U;
}
#endif

__device__ __forceinline__ float toFloat(float value) {
    return value;
}
__device__ __forceinline__ float toFloat(Bf16 value) {
    return __uint_as_float(static_cast<std::uint32_t>(value.bits) << 16U);
}
__device__ __forceinline__ void store(float* to, float value) {
    *to = value;
}
__device__ __forceinline__ void store(Bf16* to, float value) {
    to->bits = static_cast<std::uint16_t>(packBf16(value, 0.0F));
}
__device__ __forceinline__ void store(F16* to, float value) {
    *to = toHalf(value);
}

__device__ __forceinline__ void unpackBf16(std::uint32_t pair, float& low, float& high) {
    low = __uint_as_float(pair << 16U);
    high = __uint_as_float(pair & 0xffff0000U);
}
// Eight neighbours as they lie, 16-byte aligned.
template <class T>
struct Eight;
template <>
struct Eight<float> {
    float4 low, high;

    __device__ __forceinline__ void load(const float* from) {
        low = *reinterpret_cast<const float4*>(from);
        high = *reinterpret_cast<const float4*>(from + 4);
    }
    __device__ __forceinline__ void unpack(float (&values)[8]) const {
        values[0] = low.x, values[1] = low.y, values[2] = low.z, values[3] = low.w;
        values[4] = high.x, values[5] = high.y, values[6] = high.z, values[7] = high.w;
    }
};
template <>
struct Eight<Bf16> {
    uint4 words;

    __device__ __forceinline__ void load(const Bf16* from) { words = *reinterpret_cast<const uint4*>(from); }
    __device__ __forceinline__ void unpack(float (&values)[8]) const {
        unpackBf16(words.x, values[0], values[1]);
        unpackBf16(words.y, values[2], values[3]);
        unpackBf16(words.z, values[4], values[5]);
        unpackBf16(words.w, values[6], values[7]);
    }
};
template <class T>
__device__ __forceinline__ void load8(const T* from, float (&values)[8]) {
    Eight<T> all;
    all.load(from);
    all.unpack(values);
}
__device__ __forceinline__ void store8(float* to, const float (&values)[8]) {
    *reinterpret_cast<float4*>(to) = make_float4(values[0], values[1], values[2], values[3]);
    *reinterpret_cast<float4*>(to + 4) = make_float4(values[4], values[5], values[6], values[7]);
}
__device__ __forceinline__ void store8(Bf16* to, const float (&values)[8]) {
    *reinterpret_cast<uint4*>(to) = make_uint4(packBf16(values[0], values[1]), packBf16(values[2], values[3]),
                                               packBf16(values[4], values[5]), packBf16(values[6], values[7]));
}

__device__ __forceinline__ float siluOf(float x) {
    return x / (1.0F + __expf(-x));
}
// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), written as x · sigmoid(2 u) so that one exponential is enough.
__device__ __forceinline__ float geluTanhOf(float x) {
    const float u = 0.7978845608028654F * (x + 0.044715F * x * x * x);
    return x / (1.0F + __expf(-2.0F * u));
}
__device__ __forceinline__ float activated(float x, Activation activation) {
    return activation == Activation::GeluTanh ? geluTanhOf(x) : activation == Activation::Silu ? siluOf(x) : x;
}

// The sum over groups of kGroup neighbouring threads, in every thread of the group, always in the same order. Wider
// than a warp: every thread of the block takes part, `shared` holds a float for each warp.
template <int kGroup>
__device__ __forceinline__ float groupSum(float value, float* shared) {
    constexpr int kLanes = kGroup < 32 ? kGroup : 32;
#pragma unroll
    for (int offset = kLanes / 2; offset > 0; offset /= 2) {
        value += __shfl_xor_sync(0xffffffffU, value, offset);
    }
    if constexpr (kGroup > 32) {
        constexpr int kWarps = kGroup / 32;
        const int warp = static_cast<int>(threadIdx.x) / 32;
        __syncthreads();  // the last sum has been read
        if (threadIdx.x % 32 == 0) {
            shared[warp] = value;
        }
        __syncthreads();
        value = 0.0F;
#pragma unroll
        for (int i = 0; i < kWarps; ++i) {
            value += shared[warp / kWarps * kWarps + i];
        }
    }
    return value;
}

template <class T>
__host__ __device__ __forceinline__ const T* rowOf(const ConstRows& rows, std::int64_t batch, std::int64_t row) {
    return static_cast<const T*>(rows.data) + batch * rows.batchStride + row * rows.rowStride;
}
template <class T>
__host__ __device__ __forceinline__ T* rowOf(const Rows& rows, std::int64_t batch, std::int64_t row) {
    return static_cast<T*>(rows.data) + batch * rows.batchStride + row * rows.rowStride;
}

// --- host side

// Whether rows can be read 8 elements at a time.
inline bool isVectorisable(const ConstRows& rows) {
    return reinterpret_cast<std::uintptr_t>(rows.data) % 16 == 0 && rows.batchStride % 8 == 0 &&
           rows.rowStride % 8 == 0;
}
inline bool isVectorisable(const Rows& rows) {
    return isVectorisable(ConstRows{rows.data, rows.element, rows.batchStride, rows.rowStride});
}

// Calls body with a value of the element's type.
template <class Body>
Code withAct(Element element, const Body& body) {
    switch (element) {
        case Element::F32:
            return body(float{});
        case Element::Bf16:
            return body(Bf16{});
        default:
            return Code::Unsupported;
    }
}
template <class Body>
Code withElement(Element element, const Body& body) {
    return element == Element::F16 ? body(F16{}) : withAct(element, body);
}

struct LaunchShape {
    dim3 grid;
    int threads = 0;
    std::int64_t sharedBytes = 0;
};

// Queues one kernel. Dynamic shared memory above 48 KiB is asked for here.
template <class... Parameters, class... Arguments>
Code launch(Queue& queue, void (*kernel)(Parameters...), const LaunchShape& shape, Arguments&&... arguments) {
    constexpr std::int64_t kDefaultSharedBytes = 48 << 10;
    if (shape.sharedBytes > queue.sharedBytesPerBlock) {
        return queue.fail(Code::Unsupported, "a kernel needs more shared memory than the device has");
    }
    if (shape.sharedBytes > kDefaultSharedBytes) {
        const cudaError_t status =
            cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(shape.sharedBytes));
        if (status != cudaSuccess) {
            return queue.check(status, "shared memory of a kernel");
        }
    }
    cudaLaunchConfig_t config{};
    config.gridDim = shape.grid;
    config.blockDim = dim3(static_cast<unsigned>(shape.threads));
    config.dynamicSmemBytes = static_cast<std::size_t>(shape.sharedBytes);
    config.stream = queue.stream;
    return queue.check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), "a kernel");
}

[[nodiscard]] __host__ __device__ constexpr std::int64_t ceilDiv(std::int64_t value, std::int64_t by) {
    return (value + by - 1) / by;
}

}  // namespace fw::kernels::cuda
