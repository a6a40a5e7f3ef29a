// Files of a job on their way into the library: staging folder, checkpoint, finished clip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "core/ipc/messages.h"
#include "core/store/library_store.h"

namespace fw::app {

// Io with a sentence for the user when the library's folder or its database is no longer there.
[[nodiscard]] Status checkLibrary(const std::filesystem::path& library);

// Where the worker writes what belongs to a job: <library>/staging/<id>.
[[nodiscard]] std::filesystem::path stagingFolder(const std::filesystem::path& library, std::int64_t jobId);
// The trace of a job that runs or failed, if it left one.
[[nodiscard]] std::filesystem::path traceOf(const std::filesystem::path& library, std::int64_t jobId);
// Removes the staging folders of jobs that will not go on: done, cancelled or without a row.
void sweepStaging(const std::filesystem::path& library, store::LibraryStore& store);

// What a worker says is not believed: InvalidArgument unless `file` is a plain file (no link) directly inside
// `staging`.
[[nodiscard]] Status checkOwnFile(const std::filesystem::path& file, const std::filesystem::path& staging);

// Where clips go, relative to the library: clips/2026-11/2026-11-22 a-red-fox 17.mp4. Safe for any prompt.
[[nodiscard]] std::string clipPath(std::int64_t createdUs, const std::string& prompt, std::int64_t jobId);

// Moves one finished clip with what lies beside it into the library, then writes its row. Used by one thread at a
// time; file() may be called again after it failed and goes on where it stopped.
class ClipFiling {
 public:
    ClipFiling(std::filesystem::path library, store::Job job, ipc::ClipReady ready);

    // InvalidArgument when the worker named a file that is not its own: no use in trying again.
    [[nodiscard]] Result<store::Clip> file(store::LibraryStore& store);
    // For a clip nobody wants any more: removes what file() had moved before it failed.
    void undo();

 private:
    [[nodiscard]] Status moveClip();
    [[nodiscard]] std::string freePath() const;
    [[nodiscard]] std::string moveBeside(const std::string& from, const char* suffix) const;

    std::filesystem::path m_library, m_staging;
    store::Job m_job;
    ipc::ClipReady m_ready;
    store::Clip m_clip;
    bool m_moved = false;
};

}  // namespace fw::app
