// Tensor-core and asynchronous-copy instructions of compute capability 8.0 and above, as functions.
// PTX ISA 9.0, sections "Matrix fragments for mma.m16n8k16" and "ldmatrix":
// https://docs.nvidia.com/cuda/parallel-thread-execution/
#pragma once

#include "kernels/cuda/platform.cuh"
#ifndef __CUDACC__
#include <cuda_host_instructions.h>
#endif

namespace fw::kernels::cuda {

#ifdef __CUDACC__
// sums += a · b for a 16 x 16 by 16 x 8 product of bf16. Lane l holds of the sums rows l/4 and l/4 + 8, columns
// 2(l%4) and 2(l%4) + 1: {(r, c), (r, c+1), (r+8, c), (r+8, c+1)}.
__device__ __forceinline__ void mmaBf16(float (&sums)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                        std::uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ __forceinline__ std::uint32_t sharedAddress(const void* pointer) {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

// Four 8 x 8 matrices of 16-bit elements; lane 8i + j gives the address of row j of matrix i. Lane l receives of
// each matrix row l/4, columns 2(l%4) and 2(l%4) + 1.
__device__ __forceinline__ void loadMatrices(std::uint32_t (&words)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(sharedAddress(row)));
}
// The same, each matrix transposed.
__device__ __forceinline__ void loadMatricesTransposed(std::uint32_t (&words)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(sharedAddress(row)));
}

// 16 bytes from global to shared memory in the background; zeros unless `exists`.
__device__ __forceinline__ void copyAsync16(void* shared, const void* global, bool exists) {
    const int bytes = exists ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(sharedAddress(shared)), "l"(global),
                 "r"(bytes)
                 : "memory");
}
__device__ __forceinline__ void commitCopies() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}
// Until at most kPending groups of this thread are under way.
template <int kPending>
__device__ __forceinline__ void waitForCopies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}
// a · b of two pairs in bf16, each rounded once.
__device__ __forceinline__ std::uint32_t multiplyBf16(std::uint32_t a, std::uint32_t b) {
    std::uint32_t result;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(0x80008000U));  // plus -0
    return result;
}
__device__ __forceinline__ float exp2Fast(float x) {
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}
#endif

// Four neighbouring lanes exchange words, so that words[i] of lane j becomes words[j] of lane i: of eight columns
// each held in parts, a lane gets all of one.
__device__ __forceinline__ void exchangeInQuad(std::uint32_t (&words)[4]) {
    const bool odd = threadIdx.x % 2 != 0;
    const bool upper = threadIdx.x % 4 >= 2;
#pragma unroll
    for (int i = 0; i < 4; i += 2) {
        const std::uint32_t got = __shfl_xor_sync(0xffffffffU, odd ? words[i] : words[i + 1], 1);
        words[i] = odd ? got : words[i];
        words[i + 1] = odd ? words[i + 1] : got;
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const std::uint32_t got = __shfl_xor_sync(0xffffffffU, upper ? words[i] : words[i + 2], 2);
        words[i] = upper ? got : words[i];
        words[i + 2] = upper ? words[i + 2] : got;
    }
}

}  // namespace fw::kernels::cuda
