// Whole small files into memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace fw::weights {

// The bytes of a regular file of at most `maxBytes`. Messages name the file: BadModel when it is missing, no file
// (a pipe would block, a device never end) or larger; Io when it cannot be read.
[[nodiscard]] Result<std::string> readSmallFile(const std::filesystem::path& path, std::uintmax_t maxBytes);

}  // namespace fw::weights
