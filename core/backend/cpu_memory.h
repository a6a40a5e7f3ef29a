// How much memory this process may still use.
#pragma once

#include <cstdint>
#include <filesystem>

namespace fw::backend {

struct HostMemory {
    std::int64_t totalBytes = 0;      // the machine's, or the control group's limit where that is lower
    std::int64_t availableBytes = 0;  // without swapping and without reaching the limit
};

// Reads /proc/meminfo and the control groups (version 2 or 1) of this process. `root` stands in for "/" in tests.
// A value that cannot be read counts as unlimited.
[[nodiscard]] HostMemory readHostMemory(const std::filesystem::path& root = "/");

}  // namespace fw::backend
