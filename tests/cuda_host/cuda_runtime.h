// The part of CUDA's runtime that the kernels use, on the host: device memory is host memory, a launch runs its
// blocks one after another, the threads of a block as fibers that switch at barriers and exchanges between lanes.
//
// It stands in front of the real header when tests/cuda_host compiles the kernels' sources as C++: their
// arithmetic, index calculations, barriers and dispatch can then be tested without a GPU. What it cannot show:
// races that need real parallelism, the memory model, and speed.
#pragma once

#include <math.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>

#define __host__
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __restrict__
#define __grid_constant__

// --- vector types

struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(8) float2 {
    float x, y;
};
inline float4 make_float4(float x, float y, float z, float w) {
    return {x, y, z, w};
}
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
    return {x, y, z, w};
}
inline float2 make_float2(float x, float y) {
    return {x, y};
}
inline uint2 make_uint2(unsigned x, unsigned y) {
    return {x, y};
}
struct dim3 {
    unsigned x = 1, y = 1, z = 1;
    dim3() = default;
    explicit dim3(unsigned x_, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// The running thread's coordinates; changed at every switch between fibers.
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace fw::cuda_host {

[[nodiscard]] unsigned char* dynamicShared();
// Waits for every thread of the block.
void syncThreads();
// A block begins with its named barriers as new, whatever the last one left announced.
void forgetTurns();
// Every lane of the warp hands over `bytes` and sees all 32; lanes that returned hand over nothing.
// `gathered` has room for 32 · bytes.
void exchangeInWarp(const void* mine, void* gathered, std::size_t bytes);
// Lets other threads run: in loops that wait for memory another thread writes.
void yieldThread();
void run(const dim3& grid, const dim3& block, std::size_t sharedBytes, const std::function<void()>& thread);

[[nodiscard]] float halfToFloat(std::uint16_t bits);
[[nodiscard]] std::uint16_t floatToHalf(float value);
[[nodiscard]] std::uint16_t floatToBf16(float value);

}  // namespace fw::cuda_host

// --- device functions

inline void __syncthreads() {
    fw::cuda_host::syncThreads();
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int offset) {
    T all[32];
    fw::cuda_host::exchangeInWarp(&value, all, sizeof(T));
    return all[(threadIdx.x % 32) ^ static_cast<unsigned>(offset)];
}
template <class T>
T __shfl_sync(unsigned, T value, int lane) {
    T all[32];
    fw::cuda_host::exchangeInWarp(&value, all, sizeof(T));
    return all[lane & 31];
}
inline void __syncwarp(unsigned = 0xffffffffU) {
    char mine = 0;
    char all[32];
    fw::cuda_host::exchangeInWarp(&mine, all, 1);
}
inline unsigned __ballot_sync(unsigned, bool mine) {
    // Lanes that returned vote no.
    char all[32] = {};
    const char vote = mine ? 1 : 0;
    fw::cuda_host::exchangeInWarp(&vote, all, 1);
    unsigned votes = 0;
    for (unsigned lane = 0; lane < 32; ++lane) {
        votes |= all[lane] == 1 ? 1U << lane : 0U;
    }
    return votes;
}
inline int __popc(unsigned bits) {
    return std::popcount(bits);
}
inline std::uint32_t __float_as_uint(float value) {
    return std::bit_cast<std::uint32_t>(value);
}
inline float __uint_as_float(std::uint32_t bits) {
    return std::bit_cast<float>(bits);
}
inline float __int_as_float(std::int32_t bits) {
    return std::bit_cast<float>(bits);
}
inline float __expf(float x) {
    return std::exp(x);
}

// --- runtime

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInsufficientDriver = 35,
    cudaErrorDevicesUnavailable = 46,
    cudaErrorNoDevice = 100,
    cudaErrorNoKernelImageForDevice = 209,
    cudaErrorECCUncorrectable = 214,
    cudaErrorNvlinkUncorrectable = 220,
    cudaErrorUnsupportedPtxVersion = 222,
    cudaErrorIllegalAddress = 700,
    cudaErrorLaunchTimeout = 702,
    cudaErrorContextIsDestroyed = 709,
    cudaErrorAssert = 710,
    cudaErrorHardwareStackError = 714,
    cudaErrorIllegalInstruction = 715,
    cudaErrorMisalignedAddress = 716,
    cudaErrorInvalidAddressSpace = 717,
    cudaErrorInvalidPc = 718,
    cudaErrorLaunchFailure = 719,
    cudaErrorUnknown = 999,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
inline constexpr unsigned cudaStreamNonBlocking = 1;
inline constexpr unsigned cudaEventDefault = 0;
inline constexpr unsigned cudaEventDisableTiming = 2;
using cudaStream_t = void*;
using cudaEvent_t = void*;
struct cudaDeviceProp {
    char name[256];
    int major, minor, multiProcessorCount;
    std::size_t sharedMemPerBlockOptin;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    std::size_t dynamicSmemBytes = 0;
    cudaStream_t stream = nullptr;
};

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);
// Filled with NaN patterns, so that what nothing wrote shows.
cudaError_t cudaMalloc(void** data, std::size_t bytes);
cudaError_t cudaFree(void* data);
cudaError_t cudaMallocHost(void** data, std::size_t bytes);
cudaError_t cudaFreeHost(void* data);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t last);
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value);
cudaError_t cudaGetLastError();
const char* cudaGetErrorString(cudaError_t status);
const char* cudaGetErrorName(cudaError_t status);

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
    if (config->gridDim.x == 0 || config->gridDim.y == 0 || config->gridDim.z == 0 || config->gridDim.y > 65535 ||
        config->gridDim.z > 65535) {
        return cudaErrorInvalidValue;
    }
    fw::cuda_host::run(config->gridDim, config->blockDim, config->dynamicSmemBytes,
                       [&] { kernel(static_cast<Parameters>(arguments)...); });
    return cudaSuccess;
}
