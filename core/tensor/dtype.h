// Element types of tensors.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fw {

// F8E4M3 is how weights may be stored: no operation takes a tensor of it.
enum class DType : std::uint8_t { F32, F64, F16, BF16, I32, I64, I8, U8, F8E4M3 };

[[nodiscard]] constexpr std::int64_t dtypeSize(DType dtype) {
    switch (dtype) {
        case DType::F64:
        case DType::I64:
            return 8;
        case DType::F32:
        case DType::I32:
            return 4;
        case DType::F16:
        case DType::BF16:
            return 2;
        case DType::I8:
        case DType::U8:
        case DType::F8E4M3:
            return 1;
    }
    return 0;
}

// "f32", "bf16", …: the names used on the command line and in JSON.
[[nodiscard]] std::string_view dtypeName(DType dtype);
[[nodiscard]] std::optional<DType> dtypeFromName(std::string_view name);

// The type of activations beside weights of `dtype`: the same, but bf16 beside fp8.
[[nodiscard]] constexpr DType activationType(DType dtype) {
    return dtype == DType::F8E4M3 ? DType::BF16 : dtype;
}

// bfloat16: the upper half of an IEEE binary32. Conversion from float rounds to nearest even; NaN stays NaN.
struct BFloat16 {
    std::uint16_t bits = 0;

    BFloat16() = default;
    explicit BFloat16(float value) {
        const auto word = std::bit_cast<std::uint32_t>(value);
        if ((word & 0x7fffffffU) > 0x7f800000U) {
            bits = static_cast<std::uint16_t>((word >> 16U) | 0x0040U);
        } else {
            bits = static_cast<std::uint16_t>((word + 0x7fffU + ((word >> 16U) & 1U)) >> 16U);
        }
    }
    explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }
};
static_assert(sizeof(BFloat16) == 2);

// IEEE binary16 to binary32, exact for every input (subnormals, infinities and NaN included).
[[nodiscard]] float halfToFloat(std::uint16_t bits);

// The DType of a C++ element type.
template <class T>
inline constexpr DType kDTypeOf = DType::U8;
template <>
inline constexpr DType kDTypeOf<float> = DType::F32;
template <>
inline constexpr DType kDTypeOf<double> = DType::F64;
template <>
inline constexpr DType kDTypeOf<BFloat16> = DType::BF16;
template <>
inline constexpr DType kDTypeOf<std::int32_t> = DType::I32;
template <>
inline constexpr DType kDTypeOf<std::int64_t> = DType::I64;

}  // namespace fw
