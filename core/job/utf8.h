// Validity of UTF-8 text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fw::job {

// Number of code points, or nothing when `text` is not well-formed UTF-8 (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
[[nodiscard]] std::optional<std::int64_t> utf8Length(std::string_view text);

}  // namespace fw::job
