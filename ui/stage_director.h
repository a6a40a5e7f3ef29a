// Decides what the stage shows: the clip that is being made, unless the user looks at another one.
#pragma once

#include <QObject>
#include <functional>
#include <optional>

#include "app/studio/running_job.h"
#include "core/store/records.h"

namespace fw::app {
class StudioSession;
}

namespace fw::ui {

class StageWidget;

class StageDirector : public QObject {
    Q_OBJECT

 public:
    // `session` and `stage` outlive the director.
    StageDirector(app::StudioSession& session, StageWidget& stage, QObject* parent = nullptr);

    // A clip the user chose: the stage stays with it until follow() or the next run().
    void showClip(const store::Clip& clip);
    void showClip(qint64 clipId);
    // Back to the clip that is being made.
    void follow();
    // To be called before a job is added: with nothing in the making the stage will follow the new job.
    void expectJob();
    // Stops the running job at once, on the stage too. Nothing happens when there is none.
    void cancel(bool keepEstimate);
    // A remark on the stage; `action` is called when its button is pressed.
    void say(const QString& text, const QString& button = QString(), std::function<void()> action = {});

    [[nodiscard]] const app::RunningJob& running() const { return m_running; }
    // True while a clip is being made and the stage shows something else.
    [[nodiscard]] bool isAway() const { return m_running.id() != 0 && !m_following; }
    // The library's clip on the stage, if it is one.
    [[nodiscard]] const std::optional<store::Clip>& clip() const { return m_clip; }

 signals:
    void shownChanged();  // clip() is another one, or there is none
    void awayChanged();   // also when the progress of the job one is away from changes
    void jobEnded(const fw::store::Job& job);
    void clipMade(const fw::store::Clip& clip);
    void failed(const fw::Error& error);  // on the stage: the window explains it there
    void focusReleased();                 // the control that had the focus is gone from the stage

 private:
    void onBegan();
    void onEnded(const store::Job& job);
    void onDone(const store::Clip& clip, qint64 jobId);
    void onFailed(const store::Job& job);
    void load(const store::Clip& clip);
    void showRunning();

    app::StudioSession& m_session;
    StageWidget& m_stage;
    app::RunningJob m_running;
    bool m_following = true;
    qint64 m_shownJob = 0;  // on the stage, running or just ended; 0: something else
    QString m_wantedFile;   // being read for the stage
    std::optional<store::Clip> m_wanted, m_clip;
    std::function<void()> m_action;
};

}  // namespace fw::ui
