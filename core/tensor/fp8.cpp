#include "core/tensor/fp8.h"

#include <algorithm>
#include <bit>

namespace fw {

std::uint8_t floatToFp8(float value) {
    constexpr std::uint32_t kNan = 0x7fU;
    constexpr std::uint32_t kLargest = 0x7eU;
    constexpr std::uint32_t kInfinity = 0x7f800000U;
    constexpr std::uint32_t kSmallestNormal = 121U << 23U;  // 2^-6
    const auto word = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = word >> 24U & 0x80U;
    std::uint32_t magnitude = word & 0x7fffffffU;
    if (magnitude > kInfinity) {
        return static_cast<std::uint8_t>(sign | kNan);
    }
    if (magnitude < kSmallestNormal) {
        // Units of 2^-9: those of 2^14 as a float, so the addition rounds to them.
        constexpr float kCarrier = 16384.0F;
        const float shifted = std::bit_cast<float>(magnitude) + kCarrier;
        return static_cast<std::uint8_t>(
            sign | (std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kCarrier)));
    }
    magnitude += 0x7ffffU + (magnitude >> 20U & 1U);
    return static_cast<std::uint8_t>(sign | std::min(kLargest, (magnitude >> 20U) - (120U << 3U)));
}

}  // namespace fw
