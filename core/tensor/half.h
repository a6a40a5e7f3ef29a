// IEEE binary16 where the compiler has no type for it.
#pragma once

#include <cstdint>

namespace fw {

// The nearest binary16, ties to even; beyond 65504 infinity. NaN stays NaN. halfToFloat() (dtype.h) is its inverse.
[[nodiscard]] std::uint16_t floatToHalf(float value);

}  // namespace fw
