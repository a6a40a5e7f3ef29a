// One studio per library.
#pragma once

#include <filesystem>

#include "core/base/result.h"

namespace fw::app {

// Held while the object lives, by a lock of the kernel on `<folder>/studio.lock`: it ends with the process, however
// that ends, so that a lock is never stale. The file names the process that holds it and stays behind.
class LibraryLock {
 public:
    // Makes the folder when it is missing. InUse, naming the process, when somebody else holds the lock. A file
    // system without locks, or a folder that cannot be written, is no reason to refuse here: opening the database
    // will say what is wrong.
    [[nodiscard]] static Result<LibraryLock> take(const std::filesystem::path& folder);
    ~LibraryLock();
    LibraryLock(LibraryLock&& other) noexcept;
    LibraryLock& operator=(LibraryLock&&) = delete;

 private:
    explicit LibraryLock(int file) : m_file(file) {}

    int m_file;  // -1: nothing is held
};

}  // namespace fw::app
