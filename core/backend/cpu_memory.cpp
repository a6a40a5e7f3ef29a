#include "core/backend/cpu_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace fw::backend {

namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

// The number after `key` in a file of "key value" lines; with an empty key the file's first word.
std::optional<std::int64_t> readNumber(const std::filesystem::path& file, const std::string& key = "") {
    std::ifstream stream(file);
    std::string word;
    while (stream >> word) {
        if (!key.empty()) {
            if (word != key) {
                continue;
            }
            stream >> word;
        }
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (error == std::errc() && end == word.data() + word.size()) {
            return value;
        }
        return std::nullopt;  // "max"
    }
    return std::nullopt;
}

struct GroupFiles {
    std::filesystem::path folder;
    const char* limit;
    const char* usage;
    const char* reclaimable;  // key in memory.stat: page cache that is given up under pressure
};

// Lowers `memory` to what one control group allows.
void applyGroup(const GroupFiles& group, HostMemory& memory) {
    const auto limit = readNumber(group.folder / group.limit);
    const auto usage = readNumber(group.folder / group.usage);
    if (!limit || *limit <= 0) {
        return;
    }
    memory.totalBytes = std::min(memory.totalBytes, *limit);
    if (usage) {
        const std::int64_t cache = readNumber(group.folder / "memory.stat", group.reclaimable).value_or(0);
        const std::int64_t free = *limit - std::max<std::int64_t>(0, *usage - cache);
        memory.availableBytes = std::min(memory.availableBytes, std::max<std::int64_t>(0, free));
    }
}

// Applies the limits of a group and of everything above it.
void applyGroups(const std::filesystem::path& mount, std::string group, const char* limit, const char* usage,
                 const char* reclaimable, HostMemory& memory) {
    while (true) {
        applyGroup({mount / std::filesystem::path(group).relative_path(), limit, usage, reclaimable}, memory);
        const std::size_t slash = group.rfind('/');
        if (group.empty() || slash == std::string::npos) {
            return;
        }
        group.resize(slash);
    }
}

}  // namespace

HostMemory readHostMemory(const std::filesystem::path& root) {
    HostMemory memory{kUnlimited, kUnlimited};
    constexpr std::int64_t kKibi = 1024;
    if (const auto total = readNumber(root / "proc/meminfo", "MemTotal:")) {
        memory.totalBytes = *total * kKibi;
    }
    if (const auto available = readNumber(root / "proc/meminfo", "MemAvailable:")) {
        memory.availableBytes = *available * kKibi;
    }
    // Lines are "hierarchy:controllers:group"; version 2 has hierarchy 0 and no controllers.
    std::ifstream groups(root / "proc/self/cgroup");
    std::string line;
    while (std::getline(groups, line)) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) {
            continue;
        }
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const std::string group = line.substr(second + 1);
        if (controllers == ",,") {
            applyGroups(root / "sys/fs/cgroup", group, "memory.max", "memory.current", "inactive_file", memory);
        } else if (controllers.find(",memory,") != std::string::npos) {
            applyGroups(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes", "memory.usage_in_bytes",
                        "total_inactive_file", memory);
        }
    }
    return memory;
}

}  // namespace fw::backend
