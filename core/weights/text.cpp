#include "core/weights/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace fw::weights {
namespace {

// Length of the well-formed sequence at the start of `text`; 0: none. `text` is not empty.
std::size_t sequenceLength(std::string_view text) {
    const auto byteAt = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto between = [&](std::size_t i, unsigned low, unsigned high) {
        return i < text.size() && byteAt(i) >= low && byteAt(i) <= high;
    };
    const unsigned lead = byteAt(0);
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return between(1, 0x80, 0xBF) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : 0xBF;
        return between(1, low, high) && between(2, 0x80, 0xBF) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
        return between(1, low, high) && between(2, 0x80, 0xBF) && between(3, 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

}  // namespace

std::optional<std::size_t> firstInvalidUtf8(std::string_view text) {
    std::size_t position = 0;
    while (position < text.size()) {
        const std::size_t length = sequenceLength(text.substr(position));
        if (length == 0) {
            return position;
        }
        position += length;
    }
    return std::nullopt;
}

std::string_view cutUtf8(std::string_view text, std::size_t bytes) {
    std::size_t end = std::min(bytes, text.size());
    // Bytes 10xxxxxx continue a character: the cut goes before its first byte.
    while (end > 0 && end < text.size() && (static_cast<std::uint8_t>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end);
}

std::string quoteText(std::string_view text) {
    constexpr std::size_t kLimit = 120;
    std::string result = "'";
    std::size_t position = 0;
    while (position < text.size() && position < kLimit) {
        const std::size_t length = sequenceLength(text.substr(position));
        const auto lead = static_cast<std::uint8_t>(text[position]);
        // U+0080 to U+009F: some terminals obey them as they do escape sequences.
        const bool c1 = length == 2 && lead == 0xC2 && static_cast<std::uint8_t>(text[position + 1]) < 0xA0;
        if (c1) {
            result += fmt::format("\\x{:02X}\\x{:02X}", lead, static_cast<std::uint8_t>(text[position + 1]));
            position += 2;
        } else if (length == 0 || lead < 0x20 || lead == 0x7F) {
            result += fmt::format("\\x{:02X}", lead);
            ++position;
        } else {
            result += text.substr(position, length);
            position += length;
        }
    }
    if (position < text.size()) {
        result += "…";
    }
    return result + "'";
}

}  // namespace fw::weights
