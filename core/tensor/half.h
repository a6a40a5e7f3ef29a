// IEEE binary16 where the compiler has no type for it.
#pragma once

#include <cstdint>
#include <span>

namespace fw {

// The nearest binary16, ties to even; beyond 65504 infinity. NaN stays NaN. halfToFloat() (dtype.h) is its inverse.
[[nodiscard]] std::uint16_t floatToHalf(float value);
// The same of many, in vectors. Of equal length.
void floatsToHalves(std::span<const float> floats, std::span<std::uint16_t> halves);
// halfToFloat() of many, in vectors. Of equal length.
void halvesToFloats(std::span<const std::uint16_t> halves, std::span<float> floats);

}  // namespace fw
