// The queue: rows in the library, one worker that runs them, and the rules that join the two.
#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/library/library_service.h"
#include "app/supervisor/worker_client.h"
#include "core/ipc/preview_ring.h"

namespace fw::app {

// A preview copied out of shared memory: rgb is frames·height·width·3 bytes.
struct PreviewFrames {
    std::int64_t jobId = 0;
    int step = 0, steps = 0, frames = 0, width = 0, height = 0;
    std::vector<std::uint8_t> rgb;
};

// Lives on the window's thread; nothing here blocks. Every change is in the database before it is signalled, and a
// clip's row is written only after its file is in place. A job is Running in the database exactly while a worker
// has it (or had it when everything ended).
class JobQueue : public QObject {
    Q_OBJECT

 public:
    // `library` and `worker` outlive the queue, which starts the worker, sends it jobs and starts it again when it
    // was lost. Begins paused after an unclean end (LibraryService::openReport).
    JobQueue(LibraryService& library, WorkerClient& worker, QObject* parent = nullptr);
    ~JobQueue() override;

    void start();  // the worker, and the first job unless paused
    [[nodiscard]] bool isPaused() const { return m_paused; }
    [[nodiscard]] std::int64_t runningJob() const { return m_running; }
    [[nodiscard]] const WorkerClient& worker() const { return m_worker; }

    // --- the user's commands; failures arrive as notice()
    void add(const std::vector<job::GenerationRequest>& requests, std::int64_t projectId);
    void edit(std::int64_t id, const job::GenerationRequest& request);
    void duplicate(const std::vector<std::int64_t>& ids);
    void move(const std::vector<std::int64_t>& ids, std::int64_t beforeId);
    void remove(const std::vector<std::int64_t>& ids);  // waiting or finished jobs
    void retry(const std::vector<std::int64_t>& ids);   // failed or cancelled: queued again under the same id
    void setPaused(bool paused);                        // the running job goes on
    // Waiting jobs are marked cancelled; the running one stops within a layer. keepEstimate: decode what there is.
    void cancel(std::int64_t id, bool keepEstimate);
    void showNow();  // one exact preview of the running job

    // Where clips go, relative to the library: clips/2026-11/2026-11-22 a-red-fox 17.mp4. Safe for any prompt.
    [[nodiscard]] static std::string clipPath(std::int64_t createdUs, const std::string& prompt,
                                              std::int64_t jobId);

 signals:
    void jobsChanged();
    void pausedChanged(bool paused);
    void workerChanged();
    void progress(const fw::ipc::Progress& progress);
    void preview(const fw::app::PreviewFrames& frames);
    void clipAdded(std::int64_t clipId, std::int64_t jobId);
    void jobFailed(std::int64_t jobId, const QString& code, const QString& message);
    void notice(const QString& sentence);  // something the user should know that belongs to no job

 private:
    void advance();
    void launch(const store::Job& job);
    void handle(const ipc::Message& message);
    void takeClip(const ipc::ClipReady& ready);
    void workerLost(const QString& reason);
    void settle(std::int64_t id, store::JobState state, const std::string& code, const std::string& message);
    template <class Work>
    void change(Work work);  // a store call that returns Status; notice() on failure, jobsChanged() after

    LibraryService& m_library;
    WorkerClient& m_worker;
    std::unique_ptr<ipc::PreviewRing> m_ring;
    std::string m_ringName;
    bool m_paused = false;
    bool m_started = false;
    bool m_taking = false;       // a takeNextJob() is on its way
    bool m_settling = false;     // the running job is over for the worker, its row not yet written
    std::int64_t m_running = 0;  // 0: none
    store::Job m_job;            // of m_running
    int m_startFailures = 0;     // workers lost in a row without having been ready
};

}  // namespace fw::app

Q_DECLARE_METATYPE(fw::app::PreviewFrames)
