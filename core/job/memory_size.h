// Amounts of memory as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace fw::job {

// "8G", "7.5 GiB", "800M", "900000000": a number with an optional K, M, G or T (of 1024; "B" and "iB" may follow),
// in bytes. InvalidArgument for anything else, for less than one byte and for more than an int64 holds.
[[nodiscard]] Result<std::int64_t> memorySizeFromText(std::string_view text);
// "1.50 GiB", "12.0 MiB" below a gibibyte: for messages.
[[nodiscard]] std::string memorySizeText(std::int64_t bytes);

}  // namespace fw::job
