// Text from files of unknown origin: validity and safe quotation in messages.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fw::weights {

// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at
// most U+10FFFF); nothing when all of it is.
[[nodiscard]] std::optional<std::size_t> firstInvalidUtf8(std::string_view text);

// The longest start of well-formed `text` of at most `bytes` bytes that ends between two characters.
[[nodiscard]] std::string_view cutUtf8(std::string_view text, std::size_t bytes);

// 'text' between single quotes: control characters and invalid bytes as \xNN, cut after about 120 bytes with "…".
[[nodiscard]] std::string quoteText(std::string_view text);

}  // namespace fw::weights
