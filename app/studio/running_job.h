// The job the worker has, as a window shows it: what it makes, how far it is, what can be seen of it.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <cstdint>
#include <optional>

#include "app/library/job_queue.h"
#include "app/library/library_service.h"
#include "app/values/studio_values.h"
#include "core/job/generation_request.h"
#include "core/store/records.h"

namespace fw::app {

// Lives on the window's thread. began and ended alternate, and ended carries the row as the library has it then:
// Done, Failed, Cancelled, or Interrupted when the worker was lost and the job will go on.
class RunningJob : public QObject {
    Q_OBJECT

 public:
    // Both outlive this.
    RunningJob(LibraryService& library, JobQueue& queue, QObject* parent = nullptr);

    [[nodiscard]] qint64 id() const { return m_id; }  // 0: none
    [[nodiscard]] const job::GenerationRequest& request() const { return m_request; }
    [[nodiscard]] const std::optional<JobProgress>& progress() const { return m_progress; }
    [[nodiscard]] const std::optional<JobPreview>& preview() const { return m_preview; }

 signals:
    void began();
    void progressed();
    void previewed();
    void ended(const fw::store::Job& job);

 private:
    void follow();
    void begin(const store::Job& job);
    void takeProgress(const ipc::Progress& progress);
    void takePreview(const PreviewFrames& frames);

    LibraryService& m_library;
    JobQueue& m_queue;
    qint64 m_followed = 0;  // the queue's job when it last told us
    qint64 m_id = 0;        // the one announced
    job::GenerationRequest m_request;
    std::optional<JobProgress> m_progress;
    std::optional<JobPreview> m_preview;
    QThreadPool m_converter;  // the last member: its thread ends before the others do
};

}  // namespace fw::app

Q_DECLARE_METATYPE(fw::store::Job)
