#include "app/cli/write_whole.h"

#include <span>

#include "core/base/part_file.h"

namespace fw::cli {

Status writeWhole(const std::filesystem::path& path, std::string_view bytes) {
    std::error_code error;
    // Through a link to the file it stands for, which a rename would replace.
    std::filesystem::path target = path;
    if (std::filesystem::is_symlink(path, error)) {
        target = std::filesystem::weakly_canonical(path, error);
        if (error) {
            return fail(ErrorCode::Io, "{} cannot be written: {}", path.string(), error.message());
        }
    }
    PartFile file(target);
    FW_TRY(file.create());
    FW_TRY(file.write(std::as_bytes(std::span(bytes))));
    return file.finish();
}

}  // namespace fw::cli
