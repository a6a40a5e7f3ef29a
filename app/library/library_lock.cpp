#include "app/library/library_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <QDebug>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace fw::app {

namespace {

std::string holderOf(int file) {
    std::array<char, 16> text{};
    const ssize_t count = pread(file, text.data(), text.size(), 0);
    std::string digits;
    for (ssize_t i = 0;
         i < count && text[static_cast<std::size_t>(i)] >= '0' && text[static_cast<std::size_t>(i)] <= '9'; ++i) {
        digits += text[static_cast<std::size_t>(i)];
    }
    return digits.empty() ? "unknown" : digits;
}

}  // namespace

Result<LibraryLock> LibraryLock::take(const std::filesystem::path& folder) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    const std::filesystem::path path = folder / "studio.lock";
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return LibraryLock(-1);
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        const std::string holder = holderOf(file);
        close(file);
        if (error == EWOULDBLOCK) {
            return fail(ErrorCode::InUse, "The library {} is open in another window of the studio (process {}).",
                        folder.string(), holder);
        }
        qWarning("The library cannot be locked: %s", std::strerror(error));
        return LibraryLock(-1);
    }
    const std::string holder = std::to_string(getpid()) + "\n";
    if (ftruncate(file, 0) != 0 || pwrite(file, holder.data(), holder.size(), 0) < 0) {
        qWarning("The process number cannot be written to %s", path.c_str());
    }
    return LibraryLock(file);
}

LibraryLock::~LibraryLock() {
    if (m_file >= 0) {
        close(m_file);
    }
}

LibraryLock::LibraryLock(LibraryLock&& other) noexcept : m_file(std::exchange(other.m_file, -1)) {}

}  // namespace fw::app
