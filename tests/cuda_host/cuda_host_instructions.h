// Tensor-core and asynchronous instructions on the host, after the tables of the PTX manual: lanes exchange their
// fragments, asynchronous copies are done at once. In front of kernels/cuda/mma.cuh and wgmma.cuh when the kernels
// are compiled as C++.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace fw::kernels::cuda {

inline float bf16At(std::uint32_t word, int half) {
    return __uint_as_float(half == 0 ? word << 16U : word & 0xffff0000U);
}
inline void mmaBf16(float (&sums)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
    struct Fragments {
        std::uint32_t a[4], b[2];
    };
    const Fragments mine{{a[0], a[1], a[2], a[3]}, {b0, b1}};
    Fragments all[32];
    fw::cuda_host::exchangeInWarp(&mine, all, sizeof(mine));
    const int lane = static_cast<int>(threadIdx.x % 32);
    for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + (i / 2) * 8;
        const int column = lane % 4 * 2 + i % 2;
        float sum = sums[i];
        for (int k = 0; k < 16; ++k) {
            // A: {(r, k), (r+8, k), (r, k+8), (r+8, k+8)} at k = 2(l%4); B: {(k, n), (k+8, n)} at n = l/4.
            const std::uint32_t left = all[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2];
            const std::uint32_t right = all[column * 4 + k % 8 / 2].b[k / 8];
            sum += bf16At(left, k % 2) * bf16At(right, k % 2);
        }
        sums[i] = sum;
    }
}
inline void loadMatricesAny(std::uint32_t (&words)[4], const void* row, bool transposed) {
    const void* rows[32];
    fw::cuda_host::exchangeInWarp(&row, rows, sizeof(row));
    const int lane = static_cast<int>(threadIdx.x % 32);
    for (int matrix = 0; matrix < 4; ++matrix) {
        std::uint32_t word = 0;
        for (int half = 0; half < 2; ++half) {
            const int r = transposed ? lane % 4 * 2 + half : lane / 4;
            const int c = transposed ? lane / 4 : lane % 4 * 2 + half;
            const auto* elements = static_cast<const std::uint16_t*>(rows[matrix * 8 + r]);
            word |= static_cast<std::uint32_t>(elements[c]) << (16 * half);
        }
        words[matrix] = word;
    }
}
inline void loadMatrices(std::uint32_t (&words)[4], const void* row) {
    loadMatricesAny(words, row, false);
}
inline void loadMatricesTransposed(std::uint32_t (&words)[4], const void* row) {
    loadMatricesAny(words, row, true);
}
inline void copyAsync16(void* shared, const void* global, bool exists) {
    if (exists) {
        std::memcpy(shared, global, 16);
    } else {
        std::memset(shared, 0, 16);
    }
}
inline void commitCopies() {}
template <int kPending>
void waitForCopies() {}
inline std::uint32_t multiplyBf16(std::uint32_t a, std::uint32_t b) {
    std::uint32_t result = 0;
    for (int half = 0; half < 2; ++half) {
        const std::uint32_t bits = fw::cuda_host::floatToBf16(bf16At(a, half) * bf16At(b, half));
        result |= bits << (16 * half);
    }
    return result;
}
inline float exp2Fast(float x) {
    return exp2f(x);
}

// --- compute capability 9.0

struct TensorMap;
// Addresses of shared memory count from its beginning.
inline std::uint32_t sharedAddressOf(const void* pointer) {
    return static_cast<std::uint32_t>(static_cast<const unsigned char*>(pointer) - fw::cuda_host::dynamicShared());
}

void initBarrier(std::uint64_t* barrier, int arrivals);
inline void publishBarriers() {}
void arriveExpecting(std::uint64_t* barrier, int bytes);
void arrive(std::uint64_t* barrier);
void waitFor(std::uint64_t* barrier, int parity);
void loadBox(void* shared, const TensorMap& map, std::uint64_t* barrier, int column, int token, int head,
             int batch);
void loadBytes(void* shared, const void* global, int bytes, std::uint64_t* barrier);
void loadGridBox(void* shared, const TensorMap& map, std::uint64_t* barrier, const int (&at)[5]);
template <int kRegisters>
void giveRegisters() {}
template <int kRegisters>
void takeRegisters() {}
void waitForTurn(int id, int threads);
void giveTurn(int id, int threads);
inline void publishToProducts() {}
inline void beginProducts() {}
inline void commitProducts() {}
template <int kPending>
void waitForProducts() {}
template <int kCount>
void claim(float (&)[kCount]) {}

// Element (row, column) of an operand in swizzled shared memory. `rowsAlongSum`: rows hold neighbours of the sum's
// dimension; otherwise neighbouring columns of the result, and `row` is the index in the sum.
inline float operandElement(std::uint64_t operand, int row, int column, bool rowsAlongSum) {
    const auto start = static_cast<std::uint32_t>(operand & 0x3fffU) << 4U;
    const auto leading = static_cast<std::uint32_t>(operand >> 16U & 0x3fffU) << 4U;
    const auto stride = static_cast<std::uint32_t>(operand >> 32U & 0x3fffU) << 4U;
    const auto r = static_cast<std::uint32_t>(row);
    const auto c = static_cast<std::uint32_t>(column);
    std::uint32_t address = start + r / 8 * stride + r % 8 * 128;
    address += rowsAlongSum ? c * 2 : c / 64 * leading + c % 64 * 2;
    address ^= (address >> 7U & 7U) << 4U;
    std::uint16_t bits = 0;
    std::memcpy(&bits, fw::cuda_host::dynamicShared() + address, sizeof(bits));
    return __uint_as_float(static_cast<std::uint32_t>(bits) << 16U);
}

template <int kCount>
void wgmmaFromShared(float (&sums)[kCount], std::uint64_t a, std::uint64_t b, bool add) {
    const int lane = static_cast<int>(threadIdx.x % 128);
    for (int i = 0; i < kCount; ++i) {
        const int row = lane / 32 * 16 + lane % 32 / 4 + i % 4 / 2 * 8;
        const int column = i / 4 * 8 + lane % 4 * 2 + i % 2;
        float sum = add ? sums[i] : 0.0F;
        for (int k = 0; k < 16; ++k) {
            sum += operandElement(a, row, k, true) * operandElement(b, column, k, true);
        }
        sums[i] = sum;
    }
}
template <int kCount>
void wgmmaOntoColumns(float (&sums)[kCount], std::uint64_t a, std::uint64_t b) {
    const int lane = static_cast<int>(threadIdx.x % 128);
    for (int i = 0; i < kCount; ++i) {
        const int row = lane / 32 * 16 + lane % 32 / 4 + i % 4 / 2 * 8;
        const int column = i / 4 * 8 + lane % 4 * 2 + i % 2;
        for (int k = 0; k < 16; ++k) {
            sums[i] += operandElement(a, row, k, true) * operandElement(b, k, column, false);
        }
    }
}
template <int kCount>
void wgmmaFromRegisters(float (&sums)[kCount], const std::uint32_t (&a)[4], std::uint64_t b) {
    struct Fragment {
        std::uint32_t words[4];
    };
    const Fragment mine{{a[0], a[1], a[2], a[3]}};
    Fragment all[32];
    fw::cuda_host::exchangeInWarp(&mine, all, sizeof(mine));
    const int lane = static_cast<int>(threadIdx.x % 32);
    for (int i = 0; i < kCount; ++i) {
        const int row = lane / 4 + i % 4 / 2 * 8;
        const int column = i / 4 * 8 + lane % 4 * 2 + i % 2;
        float sum = sums[i];
        for (int k = 0; k < 16; ++k) {
            const std::uint32_t left = all[row % 8 * 4 + k % 8 / 2].words[row / 8 + k / 8 * 2];
            sum += bf16At(left, k % 2) * operandElement(b, k, column, false);
        }
        sums[i] = sum;
    }
}

// --- e4m3

inline float fp8At(std::uint32_t word, int byte) {
    const std::uint32_t bits = word >> (8 * byte) & 0xffU;
    const std::uint32_t magnitude = bits & 0x7fU;
    const std::uint32_t sign = (bits & 0x80U) << 24U;
    if (magnitude == 0x7fU) {
        return NAN;
    }
    if (magnitude < 8U) {
        return (sign != 0U ? -0x1p-9F : 0x1p-9F) * static_cast<float>(magnitude);
    }
    return __uint_as_float(sign | ((magnitude + (120U << 3U)) << 20U));
}
// Element (row, k) of an operand whose rows are the 32 bytes of one product, in 32-byte swizzle.
inline float fp8OperandElement(std::uint64_t operand, int row, int k) {
    const auto start = static_cast<std::uint32_t>(operand & 0x3fffU) << 4U;
    const auto stride = static_cast<std::uint32_t>(operand >> 32U & 0x3fffU) << 4U;
    const auto r = static_cast<std::uint32_t>(row);
    std::uint32_t address = start + r / 8 * stride + r % 8 * 32 + static_cast<std::uint32_t>(k);
    address ^= (address >> 7U & 1U) << 4U;
    return operand >> 62U == 3 ? fp8At(fw::cuda_host::dynamicShared()[address], 0) : NAN;
}

template <int kCount>
void wgmmaFp8FromShared(float (&sums)[kCount], std::uint64_t a, std::uint64_t b, bool add) {
    const int lane = static_cast<int>(threadIdx.x % 128);
    for (int i = 0; i < kCount; ++i) {
        const int row = lane / 32 * 16 + lane % 32 / 4 + i % 4 / 2 * 8;
        const int column = i / 4 * 8 + lane % 4 * 2 + i % 2;
        float sum = add ? sums[i] : 0.0F;
        for (int k = 0; k < 32; ++k) {
            sum += fp8OperandElement(a, row, k) * fp8OperandElement(b, column, k);
        }
        sums[i] = sum;
    }
}
// A: {(r, k), (r+8, k), (r, k+16), (r+8, k+16)} at k = 4(l%4), four neighbours each.
template <int kCount>
void wgmmaFp8FromRegisters(float (&sums)[kCount], const std::uint32_t (&a)[4], std::uint64_t b) {
    struct Fragment {
        std::uint32_t words[4];
    };
    const Fragment mine{{a[0], a[1], a[2], a[3]}};
    Fragment all[32];
    fw::cuda_host::exchangeInWarp(&mine, all, sizeof(mine));
    const int lane = static_cast<int>(threadIdx.x % 32);
    for (int i = 0; i < kCount; ++i) {
        const int row = lane / 4 + i % 4 / 2 * 8;
        const int column = i / 4 * 8 + lane % 4 * 2 + i % 2;
        float sum = sums[i];
        for (int k = 0; k < 32; ++k) {
            const std::uint32_t left = all[row % 8 * 4 + k % 16 / 4].words[row / 8 + k / 16 * 2];
            sum += fp8At(left, k % 4) * fp8OperandElement(b, column, k);
        }
        sums[i] = sum;
    }
}

}  // namespace fw::kernels::cuda
