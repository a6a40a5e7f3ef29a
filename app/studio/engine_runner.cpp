#include "app/studio/engine_runner.h"

#include <QFile>

#include "app/engine/clip_job.h"
#include "app/studio/clip_files.h"
#include "app/studio/job_worker.h"
#include "core/base/check.h"
#include "core/model/video_model.h"
#include "core/pipeline/generator.h"

namespace fw::app {
namespace {

// Forecasts and files side by side: a long export must not hold up the forecast of the next clip.
constexpr int kPoolThreads = 2;

QString toText(const std::filesystem::path& path) {
    return QString::fromStdU16String(path.u16string());
}

Result<ModelSummary> summarise(const QString& folder) {
    std::filesystem::path path(folder.toStdU16String());
    if (folder.isEmpty()) {
        FW_ASSIGN(path, embeddedModelFolder());
    }
    FW_ASSIGN(const auto info, model::inspectModel(path));
    ModelSummary summary{toText(info.folder),
                         QString::fromStdString(info.name),
                         folder.isEmpty(),
                         info.defaults,
                         info.parameters,
                         info.bytes,
                         {}};
    for (const auto& problem : info.problems) {
        summary.problems.append(QString::fromStdString(problem));
    }
    return summary;
}

}  // namespace

EngineRunner::EngineRunner(QObject* parent) : ClipEngine(parent), m_worker(new JobWorker) {
    qRegisterMetaType<JobId>("fw::app::JobId");
    m_pool.setMaxThreadCount(kPoolThreads);
    m_thread.setObjectName(QStringLiteral("engine"));
    m_worker->moveToThread(&m_thread);
    connect(&m_thread, &QThread::finished, m_worker, &QObject::deleteLater);
    connect(m_worker, &JobWorker::progressed, this, [this](JobId job, const JobProgress& progress) {
        if (isWanted(job)) {
            emit progressed(job, progress);
        }
    });
    connect(m_worker, &JobWorker::previewed, this, [this](JobId job, const JobPreview& preview) {
        if (isWanted(job)) {
            emit previewed(job, preview);
        }
    });
    connect(m_worker, &JobWorker::finished, this, &EngineRunner::onFinished);
    connect(m_worker, &JobWorker::failed, this, &EngineRunner::onFailed);
    m_thread.start();
}

EngineRunner::~EngineRunner() {
    m_cancel.cancel();
    m_closing.cancel();
    m_thread.quit();
    m_thread.wait();
    m_pool.clear();
    m_pool.waitForDone();
}

void EngineRunner::inBackground(std::function<std::function<void()>()> work) {
    m_pool.start([this, work = std::move(work)] {
        // `this` outlives the pool's threads: the destructor waits for them.
        QMetaObject::invokeMethod(this, work(), Qt::QueuedConnection);
    });
}

void EngineRunner::openModel(const QString& folder) {
    const quint64 call = ++m_newestModel;
    inBackground([this, call, folder]() -> std::function<void()> {
        return [this, call, folder, summary = summarise(folder)] {
            if (call != m_newestModel) {
                return;
            }
            if (summary) {
                emit modelReady(*summary);
            } else {
                emit modelFailed(folder, summary.error());
            }
        };
    });
}

void EngineRunner::forecast(Ticket ticket, const job::GenerationRequest& request) {
    m_newestForecast = ticket;
    inBackground([this, ticket, request]() -> std::function<void()> {
        if (ticket != m_newestForecast) {
            return [] {};
        }
        return [this, ticket, plan = pipeline::makePlan(request)] {
            if (plan) {
                emit forecastReady(ticket, {plan->tokens, plan->totalFlops(), plan->peakBytes});
            } else {
                emit forecastFailed(ticket, plan.error());
            }
        };
    });
}

JobId EngineRunner::start(const job::GenerationRequest& request, const QString& folder) {
    FW_CHECK(!busy(), "job {} still runs", m_job);
    m_job = ++m_lastJob;
    m_cancelling = false;
    m_cancel = CancelSource();
    const auto work = [worker = m_worker, job = m_job, request, folder, token = m_cancel.token()] {
        worker->run(job, request, folder, token);
    };
    QMetaObject::invokeMethod(m_worker, work, Qt::QueuedConnection);
    return m_job;
}

void EngineRunner::cancel(JobId job) {
    if (job != 0 && job == m_job) {
        m_cancelling = true;
        m_cancel.cancel();
    }
}

void EngineRunner::onFinished(JobId job, const FinishedClip& clip) {
    m_job = 0;
    if (m_cancelling) {
        // The last frame was faster than the button: what was cancelled leaves nothing behind.
        QFile::remove(clip.clip.file);
        emit cancelled(job);
    } else {
        emit finished(job, clip);
    }
}

void EngineRunner::onFailed(JobId job, const Error& error) {
    m_job = 0;
    if (m_cancelling || error.code == ErrorCode::Cancelled) {
        emit cancelled(job);
    } else {
        emit failed(job, error);
    }
}

void EngineRunner::loadClip(const QString& file) {
    inBackground([this, file]() -> std::function<void()> {
        return [this, file, clip = app::loadClip(file)] {
            if (clip) {
                emit clipLoaded(*clip);
            } else {
                emit clipFailed(file, clip.error());
            }
        };
    });
}

void EngineRunner::findRecentClips(const QString& folder, int limit) {
    inBackground([this, folder, limit]() -> std::function<void()> {
        return [this, clips = findClips(folder, limit)] { emit recentClips(clips); };
    });
}

void EngineRunner::exportClip(const QString& from, const QString& to) {
    inBackground([this, from, to]() -> std::function<void()> {
        return [this, from, to, status = app::exportClip(from, to, m_closing.token())] {
            if (status) {
                emit exported(from, to);
            } else {
                emit exportFailed(to, status.error());
            }
        };
    });
}

}  // namespace fw::app
