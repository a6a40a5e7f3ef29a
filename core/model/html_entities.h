// HTML character references ("&amp;", "&#233;") as the reference's prompt cleaning reads them.
#pragma once

#include <string>

namespace fw::model {

// Python's html.unescape: every reference of HTML 5, numeric ones with the standard's replacements, names also
// without their semicolon where HTML allows it and as prefixes ("&notit" → "¬it").
[[nodiscard]] std::u32string unescapeHtml(const std::u32string& text);

// ftfy's stricter reading: only references that end in a semicolon; names also in upper case ("&NTILDE;" → "Ñ").
[[nodiscard]] std::u32string unescapeUnambiguousHtml(const std::u32string& text);

}  // namespace fw::model
