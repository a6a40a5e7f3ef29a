// How messages name amounts of memory.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace fw::pipeline {

// "1.50 GiB".
[[nodiscard]] inline std::string gibibytes(std::int64_t bytes) {
    return fmt::format("{:.2f} GiB", static_cast<double>(bytes) / static_cast<double>(std::int64_t{1} << 30));
}

}  // namespace fw::pipeline
