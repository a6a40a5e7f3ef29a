#include "core/weights/read_file.h"

#include <fstream>
#include <system_error>

namespace fw::weights {

Result<std::string> readSmallFile(const std::filesystem::path& path, std::uintmax_t maxBytes) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        const bool missing = !std::filesystem::exists(path, error);
        return fail(ErrorCode::BadModel, "{} {}", path.string(), missing ? "is missing" : "is not a file");
    }
    const std::uintmax_t bytes = std::filesystem::file_size(path, error);
    if (error) {
        return fail(ErrorCode::Io, "{} cannot be examined: {}", path.string(), error.message());
    }
    if (bytes > maxBytes) {
        return fail(ErrorCode::BadModel, "{} has {} bytes; the limit is {}", path.string(), bytes, maxBytes);
    }
    std::ifstream stream(path, std::ios::binary);
    std::string content(static_cast<std::size_t>(bytes), '\0');
    if (!stream || !stream.read(content.data(), static_cast<std::streamsize>(bytes))) {
        return fail(ErrorCode::Io, "{} cannot be read", path.string());
    }
    return content;
}

}  // namespace fw::weights
