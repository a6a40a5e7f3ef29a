#include "app/cli/write_whole.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace fw::cli {

Status writeWhole(const std::filesystem::path& path, std::string_view bytes) {
    const std::filesystem::path part = path.string() + ".part";
    std::error_code error;
    errno = 0;
    std::ofstream file(part, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (file) {
        std::filesystem::rename(part, path, error);
    } else {
        error = std::error_code(errno != 0 ? errno : EIO, std::generic_category());
    }
    if (error) {
        std::error_code ignored;
        std::filesystem::remove(part, ignored);
        return fail(ErrorCode::Io, "{} cannot be written: {}", path.string(), error.message());
    }
    return {};
}

}  // namespace fw::cli
