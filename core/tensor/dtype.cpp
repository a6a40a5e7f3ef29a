#include "core/tensor/dtype.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace fw {

namespace {
constexpr std::array<std::pair<DType, std::string_view>, 9> kNames{{
    {DType::F32, "f32"},
    {DType::F64, "f64"},
    {DType::F16, "f16"},
    {DType::BF16, "bf16"},
    {DType::I32, "i32"},
    {DType::I64, "i64"},
    {DType::I8, "i8"},
    {DType::U8, "u8"},
    {DType::F8E4M3, "fp8"},
}};
}  // namespace

std::string_view dtypeName(DType dtype) {
    for (const auto& [value, name] : kNames) {
        if (value == dtype) {
            return name;
        }
    }
    return "?";
}

std::optional<DType> dtypeFromName(std::string_view name) {
    for (const auto& [value, known] : kNames) {
        if (known == name) {
            return value;
        }
    }
    return std::nullopt;
}

float halfToFloat(std::uint16_t bits) {
    const bool negative = (bits & 0x8000U) != 0;
    const int exponent = (bits >> 10U) & 0x1f;
    const int mantissa = bits & 0x3ff;
    float magnitude = 0.0F;
    if (exponent == 0x1f) {
        magnitude =
            mantissa != 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
    } else if (exponent == 0) {
        magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    } else {
        magnitude = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
    }
    return negative ? -magnitude : magnitude;
}

}  // namespace fw
