#include "core/job/utf8.h"

#include <cstddef>

namespace fw::job {

namespace {

// Bytes of a well-formed sequence at the front of `text`; 0 when it is not one. Unicode standard, table 3-7.
std::size_t sequenceLength(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto between = [&](std::size_t i, unsigned low, unsigned high) {
        return byte(i) >= low && byte(i) <= high;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80U) {
        return 1;
    }
    if (lead >= 0xc2U && lead <= 0xdfU) {
        return between(1, 0x80, 0xbf) ? 2 : 0;
    }
    if (lead >= 0xe0U && lead <= 0xefU) {
        const unsigned low = lead == 0xe0U ? 0xa0U : 0x80U;   // no overlong forms
        const unsigned high = lead == 0xedU ? 0x9fU : 0xbfU;  // no surrogates
        return between(1, low, high) && between(2, 0x80, 0xbf) ? 3 : 0;
    }
    if (lead >= 0xf0U && lead <= 0xf4U) {
        const unsigned low = lead == 0xf0U ? 0x90U : 0x80U;
        const unsigned high = lead == 0xf4U ? 0x8fU : 0xbfU;
        return between(1, low, high) && between(2, 0x80, 0xbf) && between(3, 0x80, 0xbf) ? 4 : 0;
    }
    return 0;
}

}  // namespace

std::optional<std::int64_t> utf8Length(std::string_view text) {
    std::int64_t count = 0;
    while (!text.empty()) {
        const std::size_t length = sequenceLength(text);
        if (length == 0) {
            return std::nullopt;
        }
        text.remove_prefix(length);
        ++count;
    }
    return count;
}

}  // namespace fw::job
