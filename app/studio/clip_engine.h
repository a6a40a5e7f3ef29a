// What the window needs from the engine, as Qt signals: an interface, so that the window can be driven by a real
// engine thread, by a worker process or by a test's script alike.
//
// Everything here lives on the caller's thread and returns at once; answers come as signals on that thread.
#pragma once

#include <QList>
#include <QObject>
#include <QString>

#include "app/values/studio_values.h"
#include "core/base/result.h"

namespace fw::app {

class ClipEngine : public QObject {
    Q_OBJECT

 public:
    using QObject::QObject;

    // `folder` empty: the embedded model. Answers modelReady or modelFailed; only the newest call is answered.
    virtual void openModel(const QString& folder) = 0;
    // Answers forecastReady or forecastFailed with `ticket`; a newer call may swallow an older one.
    virtual void forecast(Ticket ticket, const job::GenerationRequest& request) = 0;

    // Starts a job that writes into `folder`. One at a time: busy() must be false. Signals of the job follow, and
    // exactly one of finished, failed, cancelled ends it.
    virtual JobId start(const job::GenerationRequest& request, const QString& folder) = 0;
    // Nothing but cancelled(job) follows, when the engine has let go and no file is left. Unknown jobs are ignored.
    virtual void cancel(JobId job) = 0;
    [[nodiscard]] virtual bool busy() const = 0;

    // Answers clipLoaded or clipFailed.
    virtual void loadClip(const QString& file) = 0;
    // The finished clips in `folder`, newest first, at most `limit`. Answers recentClips.
    virtual void findRecentClips(const QString& folder, int limit) = 0;
    // Copies or re-encodes `from` to `to`, whose extension says how (a folder for png), replacing what is there.
    // Answers exported or exportFailed.
    virtual void exportClip(const QString& from, const QString& to) = 0;

 signals:
    void modelReady(const fw::app::ModelSummary& model);
    void modelFailed(const QString& folder, const fw::Error& error);
    void forecastReady(fw::app::Ticket ticket, const fw::app::Forecast& forecast);
    void forecastFailed(fw::app::Ticket ticket, const fw::Error& error);

    void progressed(fw::app::JobId job, const fw::app::JobProgress& progress);
    void previewed(fw::app::JobId job, const fw::app::JobPreview& preview);
    void finished(fw::app::JobId job, const fw::app::FinishedClip& clip);
    void failed(fw::app::JobId job, const fw::Error& error);
    void cancelled(fw::app::JobId job);

    void clipLoaded(const fw::app::LoadedClip& clip);
    void clipFailed(const QString& file, const fw::Error& error);
    void recentClips(const QList<fw::app::LoadedClip>& clips);  // one frame each
    void exported(const QString& from, const QString& to);
    void exportFailed(const QString& to, const fw::Error& error);
};

}  // namespace fw::app
