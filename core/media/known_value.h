// Enumerations that libav fills from the bytes of a file. Private to core/media.
#pragma once

#include <cstring>
#include <type_traits>

namespace fw::media {

// `field`, or 0 where it holds no value below `end`. Damaged files put any number into these fields, and merely
// loading such an enumerator is undefined; so it is read as a number first.
template <class Enum>
[[nodiscard]] Enum knownValue(const Enum& field, Enum end) {
    std::underlying_type_t<Enum> number = 0;
    std::memcpy(&number, &field, sizeof(number));
    return number < static_cast<std::underlying_type_t<Enum>>(end) ? static_cast<Enum>(number) : Enum{};
}

}  // namespace fw::media
