// The engine inside the studio's process: clips are made on one thread of their own, questions (what is this
// folder, what will this cost, read that file) are answered by a small pool, and the caller's thread never waits.
#pragma once

#include <QThread>
#include <QThreadPool>
#include <atomic>
#include <functional>
#include <memory>

#include "app/studio/clip_engine.h"
#include "core/base/cancel.h"

namespace fw::app {

class JobWorker;

class EngineRunner final : public ClipEngine {
    Q_OBJECT

 public:
    explicit EngineRunner(QObject* parent = nullptr);
    // Cancels what runs and waits for it: at most one layer of the model or one file.
    ~EngineRunner() override;

    void openModel(const QString& folder) override;
    void forecast(Ticket ticket, const job::GenerationRequest& request) override;
    JobId start(const job::GenerationRequest& request, const QString& folder) override;
    void cancel(JobId job) override;
    [[nodiscard]] bool busy() const override { return m_job != 0; }
    void loadClip(const QString& file) override;
    void findRecentClips(const QString& folder, int limit) override;
    void exportClip(const QString& from, const QString& to) override;

 private:
    // Runs `work` on the pool and then its result, a function, on this object's thread.
    void inBackground(std::function<std::function<void()>()> work);
    [[nodiscard]] bool isWanted(JobId job) const { return job == m_job && !m_cancelling; }
    void onFinished(JobId job, const FinishedClip& clip);
    void onFailed(JobId job, const Error& error);

    QThread m_thread;
    JobWorker* m_worker = nullptr;  // lives on m_thread and is deleted when it ends
    CancelSource m_cancel;          // of the job that runs
    JobId m_job = 0;                // 0: none runs
    JobId m_lastJob = 0;
    bool m_cancelling = false;

    QThreadPool m_pool;
    CancelSource m_closing;
    std::atomic<Ticket> m_newestForecast{0};
    quint64 m_newestModel = 0;
};

}  // namespace fw::app
