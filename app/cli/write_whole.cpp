#include "app/cli/write_whole.h"

#include <span>

#include "core/base/part_file.h"

namespace fw::cli {

Status writeWhole(const std::filesystem::path& path, std::string_view bytes) {
    // Through links to the file they stand for, there or not: a rename would replace the first of them.
    constexpr int kMostLinks = 40;
    std::filesystem::path target = path;
    std::error_code absent;
    for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(target, absent); ++i) {
        target = target.parent_path() / std::filesystem::read_symlink(target, absent);
    }
    if (std::filesystem::is_symlink(target, absent)) {
        return fail(ErrorCode::Io, "{} cannot be written: its link leads nowhere", path.string());
    }
    PartFile file(target);
    FW_TRY(file.create());
    FW_TRY(file.write(std::as_bytes(std::span(bytes))));
    return file.finish();
}

}  // namespace fw::cli
