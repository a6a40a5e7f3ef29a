// Everything behind the window, made and joined in one place: the library, the engine process, the queue between
// them, questions to the engine and clips on disk.
#pragma once

#include <QString>
#include <filesystem>
#include <memory>

#include "app/clips/clip_files.h"
#include "app/library/engine_link.h"
#include "app/library/job_queue.h"
#include "app/library/library_service.h"
#include "app/supervisor/log_book.h"
#include "app/supervisor/worker_client.h"
#include "core/base/result.h"

namespace fw::app {

// framewright-worker beside the running program, or what FRAMEWRIGHT_WORKER names.
[[nodiscard]] QString workerProgram();
// `Framewright` among the user's videos.
[[nodiscard]] QString defaultLibraryFolder();

// Lives on the window's thread. The parts it hands out live as long as it does.
class StudioSession {
 public:
    // Opens the library in `folder`, which is made when it does not exist. Errors: those of LibraryService::open.
    [[nodiscard]] static Result<std::unique_ptr<StudioSession>> open(const std::filesystem::path& folder,
                                                                     const WorkerClientOptions& worker);
    // Ends the worker, then closes the library.
    ~StudioSession();

    // Starts the worker and, unless the queue is paused, its first job.
    void start();

    [[nodiscard]] LibraryService& library() { return *m_library; }
    [[nodiscard]] WorkerClient& worker() { return m_worker; }
    [[nodiscard]] JobQueue& queue() { return m_queue; }
    [[nodiscard]] EngineLink& engine() { return m_engine; }
    [[nodiscard]] ClipFiles& clips() { return m_clips; }
    // What the engine and the queue said since the start.
    [[nodiscard]] LogBook& log() { return m_log; }
    [[nodiscard]] QString folder() const;

 private:
    StudioSession(std::unique_ptr<LibraryService> library, const WorkerClientOptions& worker);

    void keepLog();

    // In the order of their needs: what comes later uses what comes before.
    LogBook m_log;
    std::unique_ptr<LibraryService> m_library;
    WorkerClient m_worker;
    EngineLink m_engine;
    JobQueue m_queue;
    ClipFiles m_clips;
};

}  // namespace fw::app
