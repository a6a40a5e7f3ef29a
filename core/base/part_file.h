// A file that is either finished under its own name or not there at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "core/base/result.h"

namespace fw {

// A new file `<target>.part`, or `<target>.part-2` … where such a file stands, perhaps somebody's: removed unless
// finish() succeeds. Every failure is Io.
class PartFile {
 public:
    explicit PartFile(const std::filesystem::path& target) : m_target(target) {}
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;
    ~PartFile();

    [[nodiscard]] Status create();
    [[nodiscard]] Status write(std::span<const std::byte> bytes);
    // To disk, then under its final name, in place of what stood there.
    [[nodiscard]] Status finish();

 private:
    std::filesystem::path m_target, m_path;
    int m_descriptor = -1;
    bool m_created = false;
};

}  // namespace fw
