// Small result files of commands.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/base/result.h"

namespace fw::cli {

// Replaces the file, or the one a link names, at once or not at all: a reader never sees half of it, and a full
// disk leaves what was there. Nothing else is touched. Io.
[[nodiscard]] Status writeWhole(const std::filesystem::path& path, std::string_view bytes);

}  // namespace fw::cli
