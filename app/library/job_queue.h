// The queue: rows in the library, one worker that runs them, and the rules that join the two.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QTimer>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/library/clip_filing.h"
#include "app/library/library_service.h"
#include "app/library/queue_clock.h"
#include "app/supervisor/worker_client.h"
#include "core/ipc/preview_ring.h"

namespace fw::app {

// A preview copied out of shared memory: rgb is frames·height·width·3 bytes.
struct PreviewFrames {
    std::int64_t jobId = 0;
    int step = 0, steps = 0, frames = 0, width = 0, height = 0;
    bool exact = false;  // decoded by the VAE, asked for by showNow(); else a projection of the latents
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

    void start();  // the worker, and the first job unless paused; removes what dead sessions left behind
    [[nodiscard]] bool isPaused() const { return m_paused; }
    [[nodiscard]] std::int64_t runningJob() const { return m_running; }
    [[nodiscard]] const WorkerClient& worker() const { return m_worker; }
    [[nodiscard]] const QueueClock& clock() const { return m_clock; }  // costs and time left

    // --- the user's commands; failures arrive as notice()
    void add(const std::vector<job::GenerationRequest>& requests, std::int64_t projectId);
    void edit(std::int64_t id, const job::GenerationRequest& request);
    void duplicate(const std::vector<std::int64_t>& ids);
    void move(const std::vector<std::int64_t>& ids, std::int64_t beforeId);
    // The waiting jobs among `ids` in this order; the others behind them as they are.
    void restoreOrder(const std::vector<std::int64_t>& ids);
    void remove(const std::vector<std::int64_t>& ids);  // waiting or finished jobs
    // Failed or cancelled jobs, queued again under the same id. A failed one goes on from its last completed step:
    // where only decoding or writing failed, nothing is sampled again.
    void retry(const std::vector<std::int64_t>& ids);
    void setPaused(bool paused);  // the running job goes on
    // Waiting jobs are marked cancelled; the running one stops within a layer. keepEstimate: decode what there is.
    // Holds whatever happens meanwhile: a job being taken, a worker lost and its successor.
    void cancel(std::int64_t id, bool keepEstimate);
    void cancelWaiting(const std::vector<std::int64_t>& ids);  // one that was taken meanwhile is stopped
    void showNow();                                            // one exact preview of the running job
    // traceReady() of the running job from its next step on. `probes`: what a job without any looks at from then on
    // (job::ProbeSelection); null: nothing more.
    void lookInside(const Json& probes);
    // Of jobs that begin from now on: a preview every `steps` steps, for at most `share` of the time (0: no limit).
    void setPreviews(int steps, double share);

 signals:
    void jobsChanged();
    void pausedChanged(bool paused);
    void workerChanged();
    void progress(const fw::ipc::Progress& progress);
    void preview(const fw::app::PreviewFrames& frames);
    void traceReady(std::int64_t jobId, int step, const QString& file);  // what was seen so far, on lookInside()
    void clipAdded(std::int64_t clipId, std::int64_t jobId);
    void jobFailed(std::int64_t jobId, const QString& code, const QString& message);
    void notice(const QString& sentence);  // something the user should know that belongs to no job

 private:
    // What happens to the job at the head of the queue.
    enum class Stage {
        Idle,      // there is none
        Taking,    // the next row is being marked Running
        Running,   // the worker has it
        Settling,  // it is over for the worker, its row not yet written
    };
    // How a job ends; kept until its row says so.
    struct Ending {
        store::JobState state = store::JobState::Failed;
        std::string code, message;
        bool workerLost = false;  // counts; the second time it is a failure
    };
    struct Taken;
    struct Settled;

    void advance();
    void taken(Result<Taken> taken);
    void launch(const Taken& taken);
    void handle(const ipc::Message& message);
    void handleOfJob(const ipc::Message& message);
    void saveProgress(const ipc::Checkpoint& saved);
    void showPreview(const ipc::PreviewReady& seen);
    void takeClip(const ipc::ClipReady& ready);
    void fileClip();
    void workerLost(const QString& reason);
    void settle(Ending ending);
    void writeEnding();
    void settled(const Settled& result);
    void becomeIdle();
    void tryAgainLater(const Error& error, void (JobQueue::*what)());
    template <class Work>
    void change(Work work);  // a store call that returns Status; notice() on failure, jobsChanged() after

    LibraryService& m_library;
    WorkerClient& m_worker;
    QueueClock m_clock;
    std::unique_ptr<ipc::PreviewRing> m_ring;
    std::string m_ringName;
    bool m_paused = false;
    bool m_started = false;
    Stage m_stage = Stage::Idle;
    std::int64_t m_running = 0;            // 0: none
    store::Job m_job;                      // of m_running
    Ending m_ending;                       // of m_running while Settling
    std::shared_ptr<int> m_losses;         // counted for m_ending; kept when its row could not be written
    std::shared_ptr<ClipFiling> m_filing;  // the clip of m_running on its way into the library
    std::map<std::int64_t, bool> m_stops;  // cancelled, perhaps not heard of yet; true: keep the estimate
    QTimer m_again;                        // repeats what the library refused
    void (JobQueue::*m_whatAgain)() = nullptr;
    bool m_troubleTold = false;
    int m_previewEvery = ipc::Generate().previewEvery;
    double m_previewShare = ipc::Generate().previewShare;
    int m_startFailures = 0;     // workers lost in a row that did no work
    QElapsedTimer m_sinceReady;  // of the present worker
};

}  // namespace fw::app

Q_DECLARE_METATYPE(fw::app::PreviewFrames)
