#include "core/tensor/half.h"

#include <bit>

namespace fw {

std::uint16_t floatToHalf(float value) {
    constexpr std::uint32_t kInfinity = 0x7c00U;
    const auto word = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint32_t>(word >> 16U & 0x8000U);
    const std::uint32_t magnitude = word & 0x7fffffffU;
    const auto with = [sign](std::uint32_t bits) { return static_cast<std::uint16_t>(sign | bits); };
    if (magnitude > 0x7f800000U) {
        return with(0x7e00U);
    }
    if (magnitude >= 0x477ff000U) {  // 65520 rounds up to 65536
        return with(kInfinity);
    }
    if (magnitude < 0x38800000U) {  // below 2^-14: a subnormal, in units of 2^-24
        // Adding 0.5 leaves the units in the lowest bits of the mantissa, rounded by the addition itself.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        return with(std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5F));
    }
    const std::uint32_t odd = magnitude >> 13U & 1U;
    return with((magnitude - 0x38000000U + 0xfffU + odd) >> 13U);
}

// All that a number may become, of which masks choose: no branch keeps the compiler from vectors.
void floatsToHalves(std::span<const float> floats, std::span<std::uint16_t> halves) {
    const auto choose = [](bool condition, std::uint32_t yes, std::uint32_t no) {
        const std::uint32_t mask = 0U - static_cast<std::uint32_t>(condition);
        return (yes & mask) | (no & ~mask);
    };
    for (std::size_t i = 0; i < floats.size(); ++i) {
        const auto word = std::bit_cast<std::uint32_t>(floats[i]);
        const std::uint32_t magnitude = word & 0x7fffffffU;
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5F);
        const std::uint32_t normal = (magnitude - 0x38000000U + 0xfffU + (magnitude >> 13U & 1U)) >> 13U;
        std::uint32_t bits = choose(magnitude < 0x38800000U, subnormal, normal);
        bits = choose(magnitude >= 0x477ff000U, 0x7c00U, bits);
        bits = choose(magnitude > 0x7f800000U, 0x7e00U, bits);
        halves[i] = static_cast<std::uint16_t>((word >> 16U & 0x8000U) | bits);
    }
}

// Exponent and mantissa moved to their places are too small by 2^112, also where they are subnormal; infinities and
// NaN get the exponent they lack.
void halvesToFloats(std::span<const std::uint16_t> halves, std::span<float> floats) {
    const auto scale = std::bit_cast<float>(0x77800000U);  // 2^112
    for (std::size_t i = 0; i < halves.size(); ++i) {
        const std::uint32_t half = halves[i];
        const std::uint32_t special = (half & 0x7c00U) == 0x7c00U ? 0x7f800000U : 0U;
        const float magnitude = std::bit_cast<float>((half & 0x7fffU) << 13U) * scale;
        floats[i] =
            std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | special | (half & 0x8000U) << 16U);
    }
}

}  // namespace fw
