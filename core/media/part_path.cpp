#include "core/media/part_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "core/base/check.h"

namespace fw::media {
namespace {

namespace fs = std::filesystem;

// Closes on destruction; -1 owns nothing.
class Descriptor {
 public:
    explicit Descriptor(int fd) : m_fd(fd) {}
    ~Descriptor() {
        if (m_fd >= 0) {
            ::close(m_fd);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return m_fd; }
    // close() is where a network file system reports what it could not store.
    [[nodiscard]] bool close() {
        const int fd = m_fd;
        m_fd = -1;
        return ::close(fd) == 0;
    }

 private:
    int m_fd;
};

std::string errnoText(int code) {
    return std::system_category().message(code);
}

Status syncPath(const fs::path& path, int flags) {
    Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
    // EINVAL: a file system that cannot sync folders; the rename is then as durable as it gets.
    if (file.get() < 0 || (::fsync(file.get()) != 0 && errno != EINVAL)) {
        const int code = errno;
        return fail(ErrorCode::Io, "cannot store {} safely: {}", path.string(), errnoText(code));
    }
    return {};
}

// The containing folder of `target`; "." for a bare name.
fs::path folderOf(const fs::path& target) {
    const fs::path folder = target.parent_path();
    return folder.empty() ? fs::path(".") : folder;
}

Status checkTarget(const fs::path& target, PartPath::Kind kind) {
    std::error_code ignored;
    const fs::path folder = folderOf(target);
    if (!fs::exists(folder, ignored)) {
        return fail(ErrorCode::Io, "cannot write {}: the folder {} does not exist", target.string(),
                    folder.string());
    }
    if (!fs::is_directory(folder, ignored)) {
        return fail(ErrorCode::Io, "cannot write {}: {} is not a folder", target.string(), folder.string());
    }
    const bool isFolder = fs::is_directory(target, ignored);
    if (kind == PartPath::Kind::File && isFolder) {
        return fail(ErrorCode::Io, "cannot write {}: a folder of that name exists; choose another name",
                    target.string());
    }
    if (kind == PartPath::Kind::Folder && !isFolder && fs::exists(target, ignored)) {
        return fail(ErrorCode::Io, "cannot write {}: a file of that name exists; choose another name",
                    target.string());
    }
    if (kind == PartPath::Kind::Folder && isFolder && !fs::is_empty(target, ignored)) {
        return fail(ErrorCode::Io, "cannot write {}: that folder is not empty; choose another name or empty it",
                    target.string());
    }
    return {};
}

}  // namespace

PartPath::PartPath(fs::path target, fs::path part, Kind kind)
    : m_target(std::move(target)), m_part(std::move(part)), m_kind(kind) {}

Result<std::unique_ptr<PartPath>> PartPath::claim(const fs::path& target, Kind kind) {
    FW_CHECK(target.has_filename(), "no file name in '{}'", target.string());
    FW_TRY(checkTarget(target, kind));
    constexpr int kMaxTries = 1000;
    for (int attempt = 1; attempt <= kMaxTries; ++attempt) {
        fs::path part = target;
        part += attempt == 1 ? ".part" : ".part" + std::to_string(attempt);
        bool made = false;
        if (kind == Kind::Folder) {
            made = ::mkdir(part.c_str(), 0777) == 0;
        } else {
            const Descriptor file(::open(part.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
            made = file.get() >= 0;
        }
        const int code = errno;
        if (made) {
            return std::unique_ptr<PartPath>(new PartPath(target, std::move(part), kind));
        }
        if (code != EEXIST) {
            return fail(ErrorCode::Io, "cannot write {}: {}; choose another folder", target.string(),
                        errnoText(code));
        }
    }
    return fail(ErrorCode::Io, "cannot write {}: {} unfinished files lie beside it; remove {}.part*",
                target.string(), kMaxTries, target.string());
}

PartPath::~PartPath() {
    if (!m_committed) {
        std::error_code ignored;
        fs::remove_all(m_part, ignored);
    }
}

Status PartPath::commit() {
    FW_CHECK(!m_committed, "{} is committed already", m_target.string());
    if (m_kind == Kind::Folder) {
        std::error_code error;
        for (fs::directory_iterator entry(m_part, error), end; !error && entry != end; entry.increment(error)) {
            FW_TRY(syncPath(entry->path(), O_RDONLY));
        }
        if (error) {
            return fail(ErrorCode::Io, "cannot read {}: {}", m_part.string(), error.message());
        }
    }
    FW_TRY(syncPath(m_part, O_RDONLY));
    if (::rename(m_part.c_str(), m_target.c_str()) != 0) {
        const int code = errno;
        return fail(ErrorCode::Io, "cannot name the finished clip {}: {}", m_target.string(), errnoText(code));
    }
    m_committed = true;
    // A folder that may be written but not read cannot be synced; the clip in it is complete all the same.
    if (::access(folderOf(m_target).c_str(), R_OK) != 0) {
        return {};
    }
    return syncPath(folderOf(m_target), O_RDONLY | O_DIRECTORY);
}

Status writeWholeFile(const fs::path& path, const void* data, std::size_t bytes) {
    Descriptor file(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666));
    bool good = file.get() >= 0;
    const auto* next = static_cast<const unsigned char*>(data);
    while (good && bytes > 0) {
        const ssize_t written = ::write(file.get(), next, bytes);
        if (written < 0) {
            good = errno == EINTR;
            continue;
        }
        next += written;
        bytes -= static_cast<std::size_t>(written);
    }
    if (!good || !file.close()) {
        const int code = errno;
        return fail(ErrorCode::Io, "cannot write {}: {}; free some space or choose another folder", path.string(),
                    errnoText(code));
    }
    return {};
}

}  // namespace fw::media
