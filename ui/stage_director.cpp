#include "ui/stage_director.h"

#include <QPushButton>
#include <utility>

#include "app/library/clip_paths.h"
#include "app/studio/studio_session.h"
#include "ui/error_presenter.h"
#include "ui/progress_row.h"
#include "ui/stage_canvas.h"
#include "ui/stage_widget.h"

namespace fw::ui {
namespace {

QString quoted(const std::string& prompt) {
    constexpr int kMost = 60;
    const QString text = QString::fromStdString(prompt).simplified();
    return text.size() > kMost ? text.left(kMost - 1).trimmed() + QChar(0x2026) : text;
}

std::string promptOf(const store::Job& job) {
    const auto request = job::requestFromJson(Json::parse(job.requestJson, nullptr, false));
    return request ? request->prompt : std::string();
}

}  // namespace

StageDirector::StageDirector(app::StudioSession& session, StageWidget& stage, QObject* parent)
    : QObject(parent), m_session(session), m_stage(stage), m_running(session.library(), session.queue()) {
    connect(&m_running, &app::RunningJob::began, this, &StageDirector::onBegan);
    connect(&m_running, &app::RunningJob::ended, this, &StageDirector::onEnded);
    connect(&m_running, &app::RunningJob::progressed, this, [this] {
        if (m_shownJob == m_running.id()) {
            m_stage.setProgress(*m_running.progress());
        } else if (isAway()) {
            emit awayChanged();
        }
    });
    connect(&m_running, &app::RunningJob::previewed, this, [this] {
        if (m_shownJob == m_running.id()) {
            m_stage.showPreview(*m_running.preview());
        }
    });
    connect(&session.clips(), &app::ClipFiles::loaded, this, [this](const app::LoadedClip& clip) {
        if (clip.file == m_wantedFile) {
            m_wantedFile.clear();
            m_shownJob = 0;
            m_clip = std::exchange(m_wanted, std::nullopt);
            const bool hadFocus = m_stage.progressRow()->isAncestorOf(m_stage.window()->focusWidget());
            m_stage.showClip(clip, m_clip && m_clip->seconds > 0.0 ? m_clip->seconds : -1.0);
            if (hadFocus) {
                m_stage.canvas()->setFocus();
            }
            emit shownChanged();
        }
    });
    connect(&session.clips(), &app::ClipFiles::loadFailed, this, [this](const QString& file, const Error& error) {
        if (file == m_wantedFile) {
            m_wantedFile.clear();
            say(asSentence(error.message));
        }
    });
    connect(&m_stage, &StageWidget::noticeActionRequested, this, [this] {
        if (const auto action = std::exchange(m_action, {})) {
            action();
        }
    });
    connect(&session.queue(), &app::JobQueue::notice, this,
            [this](const QString& sentence) { say(asSentence(sentence.toStdString())); });
}

void StageDirector::say(const QString& text, const QString& button, std::function<void()> action) {
    m_action = std::move(action);
    m_stage.showNotice(text, button);
}

void StageDirector::load(const store::Clip& clip) {
    m_wanted = clip;
    m_wantedFile = app::fileInLibrary(m_session.library().folder(), clip.file);
    m_session.clips().load(m_wantedFile);
}

void StageDirector::showClip(const store::Clip& clip) {
    m_following = false;
    m_shownJob = 0;  // no more previews on the stage, the clip will be there in a moment
    load(clip);
    emit awayChanged();
}

void StageDirector::showClip(qint64 clipId) {
    m_session.library().read(
        this, [clipId](store::LibraryStore& store) { return store.clip(clipId); },
        [this](const Result<store::Clip>& clip) {
            if (clip) {
                showClip(*clip);
            } else {
                say(asSentence(clip.error().message));
            }
        });
}

void StageDirector::follow() {
    m_following = true;
    if (m_running.id() != 0) {
        showRunning();
    }
    emit awayChanged();
}

void StageDirector::expectJob() {
    if (m_running.id() == 0) {
        m_following = true;
    }
}

void StageDirector::cancel(bool keepEstimate) {
    if (m_running.id() == 0) {
        return;
    }
    m_session.queue().cancel(m_running.id(), keepEstimate);
    if (!keepEstimate && m_shownJob == m_running.id()) {
        m_shownJob = 0;  // what the worker still sends is no longer wanted
        const bool hadFocus = m_stage.progressRow()->isAncestorOf(m_stage.window()->focusWidget());
        m_stage.showCancelled();
        if (hadFocus) {
            emit focusReleased();
        }
    }
}

void StageDirector::showRunning() {
    m_wantedFile.clear();
    m_clip.reset();
    emit shownChanged();
    m_shownJob = m_running.id();
    m_stage.beginJob(m_running.request());
    if (m_running.progress()) {
        m_stage.setProgress(*m_running.progress());
    }
    if (m_running.preview()) {
        m_stage.showPreview(*m_running.preview());
    }
}

void StageDirector::onBegan() {
    const bool resumed = m_shownJob == m_running.id() && m_stage.state() == StageState::Running;
    if (m_following && !resumed) {
        showRunning();
    }
    emit awayChanged();
}

void StageDirector::onEnded(const store::Job& job) {
    emit awayChanged();
    switch (job.state) {
        case store::JobState::Done:
            m_session.library().read(
                this, [id = job.clipId](store::LibraryStore& store) { return store.clip(id); },
                [this, id = job.id](const Result<store::Clip>& clip) {
                    if (clip) {
                        onDone(*clip, id);
                    }
                });
            break;
        case store::JobState::Failed:
            onFailed(job);
            break;
        case store::JobState::Cancelled:
            if (m_shownJob == job.id) {
                m_shownJob = 0;
                m_stage.showCancelled();
            }
            break;
        case store::JobState::Interrupted:  // the stage keeps the picture: the job goes on
        case store::JobState::Queued:
        case store::JobState::Running:
            break;
    }
    emit jobEnded(job);
}

void StageDirector::onDone(const store::Clip& clip, qint64 jobId) {
    emit clipMade(clip);
    if (m_shownJob == jobId) {
        load(clip);
    } else {
        say(tr("Finished: %1").arg(quoted(clip.prompt)), tr("Show"), [this, clip] { showClip(clip); });
    }
}

void StageDirector::onFailed(const store::Job& job) {
    const Error error{errorCodeFromName(job.errorCode), job.errorMessage};
    if (m_shownJob == job.id) {
        m_shownJob = 0;
        emit failed(error);
    } else {
        say(tr("Not made: %1. %2").arg(quoted(promptOf(job)), asSentence(error.message)));
    }
}

}  // namespace fw::ui
