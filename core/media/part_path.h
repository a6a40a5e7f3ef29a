// A file or folder that is either finished under its own name or not there at all. Private to core/media.
#pragma once

#include <filesystem>
#include <memory>

#include "core/base/result.h"

namespace fw::media {

// Owns `<name>.part` (or `.part2`, … where that exists) beside the target until commit() renames it; destroyed
// before that, it removes what it made. The name is claimed exclusively, so two writers never share one.
class PartPath {
 public:
    enum class Kind { File, Folder };

    // Refuses a target whose folder is missing or not writable, a file target that is a folder, and a folder target
    // that is a file or not empty. An existing file will be replaced by commit().
    [[nodiscard]] static Result<std::unique_ptr<PartPath>> claim(const std::filesystem::path& target, Kind kind);
    ~PartPath();
    PartPath(const PartPath&) = delete;
    PartPath& operator=(const PartPath&) = delete;

    [[nodiscard]] const std::filesystem::path& target() const { return m_target; }
    [[nodiscard]] const std::filesystem::path& part() const { return m_part; }
    // Syncs the file (or each file of the folder), renames, and syncs the containing folder. Once.
    [[nodiscard]] Status commit();

 private:
    PartPath(std::filesystem::path target, std::filesystem::path part, Kind kind);

    std::filesystem::path m_target, m_part;
    Kind m_kind;
    bool m_committed = false;
};

// Writes a whole new file; errors name `path`. Not synced: PartPath::commit() does that.
[[nodiscard]] Status writeWholeFile(const std::filesystem::path& path, const void* data, std::size_t bytes);

}  // namespace fw::media
