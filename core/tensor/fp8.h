// Numbers of eight bits in the format e4m3 (https://arxiv.org/abs/2209.05433): sign, four bits of exponent, three
// of mantissa; no infinities, 448 is the largest.
#pragma once

#include <bit>
#include <cstdint>

namespace fw {

inline constexpr float kLargestFp8 = 448.0F;

// The nearest, ties to even; what is too large becomes 448, NaN stays NaN.
[[nodiscard]] std::uint8_t floatToFp8(float value);
[[nodiscard]] constexpr float fp8ToFloat(std::uint8_t bits) {
    const std::uint32_t exponent = bits >> 3U & 15U;
    const std::uint32_t mantissa = bits & 7U;
    const std::uint32_t sign = (bits & 0x80U) << 24U;
    if (exponent == 15U && mantissa == 7U) {
        return std::bit_cast<float>(sign | 0x7fc00000U);
    }
    const float magnitude = exponent == 0U ? static_cast<float>(mantissa) * 0x1p-9F
                                           : std::bit_cast<float>((exponent + 120U) << 23U | mantissa << 20U);
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

}  // namespace fw
