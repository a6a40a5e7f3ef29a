// Runs one clip job after another; lives on the engine's thread.
#pragma once

#include <QObject>

#include "app/engine/clip_job.h"
#include "app/studio/clip_engine.h"
#include "core/base/cancel.h"

namespace fw::app {

class JobWorker final : public QObject {
    Q_OBJECT

 public:
    // Blocks until the job ends. Previews and progress are sent as signals with data of their own.
    void run(JobId job, const job::GenerationRequest& request, const QString& folder, const CancelToken& cancel);

 signals:
    void progressed(fw::app::JobId job, const fw::app::JobProgress& progress);
    void previewed(fw::app::JobId job, const fw::app::JobPreview& preview);
    void finished(fw::app::JobId job, const fw::app::FinishedClip& clip);
    void failed(fw::app::JobId job, const fw::Error& error);

 private:
    Result<FinishedClip> makeClip(JobId job, const job::GenerationRequest& request, const QString& folder,
                                  const CancelToken& cancel);

    ClipJobRunner m_runner;
};

}  // namespace fw::app
