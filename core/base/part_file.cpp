#include "core/base/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace fw {

namespace {

tl::unexpected<Error> ioFailure(const std::filesystem::path& path, std::string_view doing) {
    const std::string reason = std::system_category().message(errno);
    return fail(ErrorCode::Io, "{} cannot be {}: {}", path.string(), doing, reason);
}

// Makes the rename itself durable. The file is whole either way, so a file system that cannot is no failure.
void syncFolder(const std::filesystem::path& target) {
    const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)::fsync(descriptor);
        ::close(descriptor);
    }
}

}  // namespace

PartFile::~PartFile() {
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
    }
    if (m_created) {
        ::unlink(m_path.c_str());
    }
}

Status PartFile::create() {
    constexpr int kNames = 100;
    for (int number = 1; m_descriptor < 0 && number <= kNames; ++number) {
        m_path = m_target;
        m_path += number == 1 ? std::string(".part") : ".part-" + std::to_string(number);
        m_descriptor = ::open(m_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (m_descriptor < 0 && errno != EEXIST) {
            break;
        }
    }
    if (m_descriptor < 0 && errno == EEXIST) {
        return fail(ErrorCode::Io,
                    "{} cannot be created: {} files that were never finished lie beside it, the last of them {}; "
                    "remove those that nobody is writing",
                    m_target.string(), kNames, m_path.filename().string());
    }
    if (m_descriptor < 0) {
        return ioFailure(m_target, "created");
    }
    m_created = true;
    return {};
}

Status PartFile::write(std::span<const std::byte> bytes) {
    constexpr std::size_t kPiece = std::size_t{1} << 30U;  // one call moves less than 2 GiB
    while (!bytes.empty()) {
        const ssize_t written = ::write(m_descriptor, bytes.data(), std::min(bytes.size(), kPiece));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return ioFailure(m_target, "written");
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Status PartFile::finish() {
    if (::fsync(m_descriptor) != 0) {
        return ioFailure(m_target, "written to disk");
    }
    const int descriptor = m_descriptor;
    m_descriptor = -1;
    if (::close(descriptor) != 0) {
        return ioFailure(m_target, "closed");
    }
    if (::rename(m_path.c_str(), m_target.c_str()) != 0) {
        return ioFailure(m_target, "put in place");
    }
    m_created = false;
    syncFolder(m_target);
    return {};
}

}  // namespace fw
