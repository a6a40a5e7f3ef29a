// Text as code points, and the few Unicode facts prompt cleaning needs.
#pragma once

#include <string>
#include <string_view>

namespace fw::model {

// `text` must be valid UTF-8 (weights::firstInvalidUtf8).
[[nodiscard]] std::u32string decodeUtf8(std::string_view text);
// `text` must hold Unicode scalar values only.
[[nodiscard]] std::string encodeUtf8(std::u32string_view text);

// What a byte of 0x80–0x9F means in Windows-1252; the five unassigned ones stay as they are.
[[nodiscard]] char32_t windows1252(char32_t c1);

// Python's str.isspace for one character.
[[nodiscard]] bool isSpace(char32_t c);

// Normalisation form C, and form KC.
[[nodiscard]] std::u32string normaliseNfc(std::u32string_view text);
[[nodiscard]] std::u32string normaliseNfkc(std::u32string_view text);

}  // namespace fw::model
