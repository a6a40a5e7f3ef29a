// From what a row says to a place on disk.
#pragma once

#include <QString>
#include <filesystem>
#include <optional>
#include <string>

namespace fw::app {

// `relative` inside the library folder, or nothing when it is empty, absolute or leads out of the folder: a row is
// data that may come from elsewhere, and files it names are opened, handed to other programs and deleted.
[[nodiscard]] std::optional<std::filesystem::path> pathInLibrary(const std::filesystem::path& folder,
                                                                 const std::string& relative);
// The same for Qt; empty instead of nothing. Bytes that are no UTF-8 become replacement characters.
[[nodiscard]] QString fileInLibrary(const std::filesystem::path& folder, const std::string& relative);

}  // namespace fw::app
