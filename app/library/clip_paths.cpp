#include "app/library/clip_paths.h"

#include <QFile>

namespace fw::app {

std::optional<std::filesystem::path> pathInLibrary(const std::filesystem::path& folder,
                                                   const std::string& relative) {
    const auto normal = std::filesystem::path(relative).lexically_normal();
    if (relative.empty() || relative.find('\0') != std::string::npos || normal.is_absolute() || normal == "." ||
        normal.begin() == normal.end() || *normal.begin() == "..") {
        return std::nullopt;
    }
    return folder / normal;
}

QString fileInLibrary(const std::filesystem::path& folder, const std::string& relative) {
    const auto path = pathInLibrary(folder, relative);
    return path ? QFile::decodeName(path->c_str()) : QString();
}

}  // namespace fw::app
