// e4m3 numbers on the device and on the host: conversion to nearest even, what is too large becomes 448, what is
// not finite NaN.
#pragma once

#include "kernels/cuda/platform.cuh"

namespace fw::kernels::cuda {

struct Fp8 {
    std::uint8_t bits;
};

inline constexpr float kFp8Largest = 448.0F;

// The same as the instruction below, for architectures that lack it.
__host__ __device__ __forceinline__ std::uint32_t fp8BitsOf(float value) {
    constexpr std::uint32_t kNan = 0x7fU;
    constexpr std::uint32_t kLargest = 0x7eU;
    union {
        float number;
        std::uint32_t word;
    } in{value};
    const std::uint32_t sign = in.word >> 24U & 0x80U;
    std::uint32_t magnitude = in.word & 0x7fffffffU;
    if (magnitude > 0x7f800000U) {
        return kNan | sign;
    }
    // Below 2^-6 elements are 2^-9 apart: adding a large number rounds to them.
    constexpr std::uint32_t kSmallestNormal = 121U << 23U;
    if (magnitude < kSmallestNormal) {
        in.word = magnitude;
        in.number += 16384.0F;  // whose neighbours are 2^-9 apart
        return (in.word - 0x46800000U) | sign;
    }
    magnitude += 0x7ffffU + (magnitude >> 20U & 1U);
    const std::uint32_t bits = (magnitude >> 20U) - (120U << 3U);
    return (bits > kLargest ? kLargest : bits) | sign;
}

__host__ __device__ __forceinline__ float toFloat(Fp8 value) {
    const std::uint32_t exponent = value.bits >> 3U & 15U;
    const std::uint32_t mantissa = value.bits & 7U;
    union {
        std::uint32_t word;
        float number;
    } out{};
    if (exponent == 15U && mantissa == 7U) {
        out.word = 0x7fc00000U;
    } else if (exponent == 0U) {
        out.number = static_cast<float>(mantissa) * 0.001953125F;
    } else {
        out.word = (exponent + 120U) << 23U | mantissa << 20U;
    }
    return (value.bits & 0x80U) != 0U ? -out.number : out.number;
}

// Four neighbours, the first in the lowest byte.
__device__ __forceinline__ std::uint32_t packFp8(float a, float b, float c, float d) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
    std::uint16_t low;
    std::uint16_t high;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(low) : "f"(b), "f"(a));
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(high) : "f"(d), "f"(c));
    return static_cast<std::uint32_t>(low) | static_cast<std::uint32_t>(high) << 16U;
#else
    return fp8BitsOf(a) | fp8BitsOf(b) << 8U | fp8BitsOf(c) << 16U | fp8BitsOf(d) << 24U;
#endif
}

// What a row is divided by. Rows of nothing stay zero; one that holds an infinity becomes NaN, as its product
// would.
__host__ __device__ __forceinline__ float fp8Scale(float largest) {
    constexpr float kNothing = 1e-30F;  // whose reciprocal would be no number
    return largest > kNothing ? largest / kFp8Largest : 1.0F;
}

}  // namespace fw::kernels::cuda
