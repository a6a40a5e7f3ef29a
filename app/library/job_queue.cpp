#include "app/library/job_queue.h"

#include <unistd.h>

#include <QRandomGenerator>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "core/base/json.h"

namespace fw::app {

namespace {

constexpr int kMaxWorkerLosses = 2;         // of one job, then it fails
constexpr int kMaxStartFailures = 3;        // of the worker in a row, then the queue pauses
constexpr qint64 kSteadyWorkerMs = 60'000;  // a worker lost after this long did not fail to start
constexpr int kTryAgainMs = 1'500;
constexpr const char* kRingPrefix = "framewright-";
constexpr int kRingSlots = 4;
constexpr std::int64_t kSlotBytes = std::int64_t{24} << 20;

QString text(const std::string& utf8) {
    return QString::fromStdString(utf8);
}

// What a job goes back to when it was taken but not run.
store::JobState waitingState(const store::Job& job) {
    return job.checkpointFile.empty() ? store::JobState::Queued : store::JobState::Interrupted;
}

}  // namespace

// A row marked Running, and its folder made ready on the library's thread.
struct JobQueue::Taken {
    std::optional<store::Job> job;  // none: nothing waits
    std::filesystem::path staging;
    std::string checkpoint;  // absolute, of an earlier run; empty: from the start
    Status ready;            // why the job cannot be run here
};

// What writing an ending came to.
struct JobQueue::Settled {
    Status status;
    Ending ending;
};

JobQueue::JobQueue(LibraryService& library, WorkerClient& worker, QObject* parent)
    : QObject(parent),
      m_library(library),
      m_worker(worker),
      m_clock(*this, library, worker),
      m_paused(library.openReport().uncleanExit) {
    m_again.setSingleShot(true);
    m_again.setInterval(kTryAgainMs);
    connect(&m_again, &QTimer::timeout, this, [this] { (this->*m_whatAgain)(); });
    connect(&m_worker, &WorkerClient::ready, this, [this] {
        m_sinceReady.start();
        emit workerChanged();
        advance();
    });
    connect(&m_worker, &WorkerClient::received, this, &JobQueue::handle);
    connect(&m_worker, &WorkerClient::lost, this, &JobQueue::workerLost);
    connect(&m_worker, &WorkerClient::stopped, this, &JobQueue::workerChanged);
}

JobQueue::~JobQueue() {
    if (m_ring) {
        m_ring->unlink();
    }
}

void JobQueue::start() {
    m_started = true;
    ipc::PreviewRing::sweep(kRingPrefix);
    // Two queues in one process or two studios never share a name.
    m_ringName = fmt::format("/{}{}-{:08x}", kRingPrefix, getpid(), QRandomGenerator::system()->generate());
    if (auto ring = ipc::PreviewRing::create(m_ringName, kRingSlots, kSlotBytes)) {
        m_ring = std::move(*ring);
    } else {
        m_ringName.clear();  // clips are made without previews
        emit notice(text(ring.error().message));
    }
    m_library.write(
        this,
        [folder = m_library.folder()](store::LibraryStore& store) {
            sweepStaging(folder, store);
            return true;
        },
        [](bool) {});
    m_clock.start();
    m_worker.start();
    emit workerChanged();
    advance();
}

template <class Work>
void JobQueue::change(Work work) {
    const auto guarded = [work = std::move(work),
                          folder = m_library.folder()](store::LibraryStore& store) -> Status {
        FW_TRY(checkLibrary(folder));
        return work(store);
    };
    m_library.write(this, guarded, [this](Status status) {
        if (!status) {
            emit notice(text(status.error().message));
        }
        emit jobsChanged();
        advance();
    });
}

void JobQueue::add(const std::vector<job::GenerationRequest>& requests, std::int64_t projectId) {
    change([requests, projectId](store::LibraryStore& store) -> Status {
        std::vector<store::Job> jobs;
        const std::string batch =
            requests.size() > 1 ? fmt::format("{:016x}", QRandomGenerator::system()->generate64()) : "";
        for (const auto& request : requests) {
            store::Job job;
            job.projectId = projectId;
            job.requestJson = job::toJson(request).dump();
            job.batch = batch;
            jobs.push_back(std::move(job));
        }
        FW_TRY(store.addJobs(jobs));
        std::vector<store::LibraryStore::PromptPair> prompts;
        for (const auto& request : requests) {
            prompts.emplace_back(request.prompt, request.negativePrompt);
        }
        return store.rememberPrompts(prompts);
    });
}

void JobQueue::edit(std::int64_t id, const job::GenerationRequest& request) {
    change(
        [id, json = job::toJson(request).dump()](store::LibraryStore& store) { return store.editJob(id, json); });
}

void JobQueue::duplicate(const std::vector<std::int64_t>& ids) {
    change([ids](store::LibraryStore& store) -> Status {
        std::vector<store::Job> copies;
        for (const std::int64_t id : ids) {
            FW_ASSIGN(const store::Job job, store.job(id));
            store::Job copy;
            copy.projectId = job.projectId;
            copy.requestJson = job.requestJson;
            copies.push_back(std::move(copy));
        }
        FW_TRY(store.addJobs(copies));
        return {};
    });
}

void JobQueue::move(const std::vector<std::int64_t>& ids, std::int64_t beforeId) {
    change([ids, beforeId](store::LibraryStore& store) { return store.moveJobs(ids, beforeId); });
}

void JobQueue::restoreOrder(const std::vector<std::int64_t>& ids) {
    change([ids](store::LibraryStore& store) -> Status {
        FW_ASSIGN(const auto waiting, store.jobs({store::JobState::Queued, store::JobState::Interrupted}, -1));
        std::vector<std::int64_t> order = ids;
        const std::unordered_set<std::int64_t> known(ids.begin(), ids.end());
        for (const store::Job& job : waiting) {
            if (!known.contains(job.id)) {
                order.push_back(job.id);
            }
        }
        return store.moveJobs(order, 0);
    });
}

void JobQueue::remove(const std::vector<std::int64_t>& ids) {
    change([ids, folder = m_library.folder()](store::LibraryStore& store) -> Status {
        FW_TRY(store.removeJobs(ids));
        sweepStaging(folder, store);
        return {};
    });
}

void JobQueue::retry(const std::vector<std::int64_t>& ids) {
    change([ids](store::LibraryStore& store) { return store.requeueJobs(ids); });
}

void JobQueue::setPaused(bool paused) {
    if (m_paused == paused) {
        return;
    }
    m_paused = paused;
    emit pausedChanged(paused);
    if (!paused && m_started && m_worker.state() == WorkerClient::State::Stopped) {
        m_startFailures = 0;
        m_worker.start();
    }
    advance();
}

void JobQueue::cancel(std::int64_t id, bool keepEstimate) {
    if (id == 0 || id != m_running) {
        cancelWaiting({id});
        if (m_stage == Stage::Taking) {
            m_stops[id] = keepEstimate;
        }
        return;
    }
    m_stops[id] = keepEstimate;
    if (m_stage == Stage::Running) {
        m_worker.send(ipc::Cancel{id, keepEstimate});
    } else if (m_again.isActive()) {
        m_again.stop();  // it is not waited for any longer
        (this->*m_whatAgain)();
    }
}

void JobQueue::cancelWaiting(const std::vector<std::int64_t>& ids) {
    for (const std::int64_t id : ids) {
        if (id != 0 && id == m_running) {
            cancel(id, false);
        } else if (m_stage == Stage::Taking) {
            m_stops[id] = false;  // it may be the one
        }
    }
    m_library.write(
        this,
        [ids, folder = m_library.folder()](store::LibraryStore& store) -> Status {
            FW_TRY(checkLibrary(folder));
            FW_TRY(store.cancelJobs(ids));  // one that was taken meanwhile is in m_stops
            sweepStaging(folder, store);
            return {};
        },
        [this, ids](const Status& status) {
            for (const std::int64_t id : ids) {
                if (id != m_running) {
                    m_stops.erase(id);
                }
            }
            if (!status) {
                emit notice(text(status.error().message));
            }
            emit jobsChanged();
            advance();
        });
}

void JobQueue::showNow() {
    if (m_stage == Stage::Running) {
        m_worker.send(ipc::DecodeNow{m_running});
    }
}

void JobQueue::lookInside(const Json& probes) {
    if (m_stage == Stage::Running) {
        m_worker.send(ipc::LookInside{m_running, probes});
    }
}

void JobQueue::setPreviews(int steps, double share) {
    m_previewEvery = steps;
    m_previewShare = share;
}

void JobQueue::advance() {
    if (!m_started || m_paused || m_stage != Stage::Idle || m_worker.state() != WorkerClient::State::Ready) {
        return;
    }
    m_stage = Stage::Taking;
    m_library.write(
        this,
        [folder = m_library.folder()](store::LibraryStore& store) -> Result<Taken> {
            FW_TRY(checkLibrary(folder));
            Taken taken;
            FW_ASSIGN(taken.job, store.takeNextJob());
            if (!taken.job) {
                return taken;
            }
            taken.staging = stagingFolder(folder, taken.job->id);
            std::error_code error;
            std::filesystem::create_directories(taken.staging, error);
            if (error) {
                taken.ready = fail(ErrorCode::Io, "The folder {} cannot be made ({}); the queue is paused.",
                                   taken.staging.string(), error.message());
            }
            const std::filesystem::path checkpoint = folder / taken.job->checkpointFile;
            if (!taken.job->checkpointFile.empty() && checkOwnFile(checkpoint, taken.staging)) {
                taken.checkpoint = checkpoint.string();
            }
            return taken;
        },
        [this](Result<Taken> result) { taken(std::move(result)); });
}

void JobQueue::taken(Result<Taken> taken) {
    m_stage = Stage::Idle;
    if (!taken) {
        m_paused = true;
        emit pausedChanged(true);
        emit notice(text(taken.error().message));
        return;
    }
    if (!taken->job) {
        return;
    }
    m_job = *taken->job;
    m_running = m_job.id;
    m_stage = Stage::Settling;
    const auto stop = m_stops.find(m_running);
    if (stop != m_stops.end() && (!stop->second || taken->checkpoint.empty())) {
        settle({store::JobState::Cancelled, "cancelled", ""});
    } else if (!taken->ready) {
        // Not the job's fault, and the next one would meet the same.
        m_paused = true;
        settle({waitingState(m_job), "", ""});
        emit pausedChanged(true);
        emit notice(text(taken->ready.error().message));
    } else if (m_paused || m_worker.state() != WorkerClient::State::Ready) {
        // Paused, or the engine ended, while the row was on its way: it waits as before.
        settle({waitingState(m_job), "", ""});
    } else {
        launch(*taken);
    }
    emit jobsChanged();
}

void JobQueue::launch(const Taken& taken) {
    const auto request = job::requestFromJson(Json::parse(m_job.requestJson, nullptr, false));
    if (!request) {
        settle({store::JobState::Failed, "invalid_argument", request.error().message});
        return;
    }
    ipc::Generate generate;
    generate.jobId = m_job.id;
    generate.request = *request;
    generate.stagingFolder = taken.staging.string();
    generate.checkpointFile = taken.checkpoint;
    generate.previewMemory = m_ringName;
    generate.previewEvery = m_previewEvery;
    generate.previewShare = m_previewShare;
    m_stage = Stage::Running;
    m_worker.setBusy(true);
    m_worker.send(generate);
    if (m_stops.contains(m_running)) {
        m_worker.send(ipc::Cancel{m_running, true});  // the engine was lost before it could keep the estimate
    }
}

void JobQueue::handle(const ipc::Message& message) {
    if (m_stage == Stage::Running) {
        handleOfJob(message);
    }
}

void JobQueue::handleOfJob(const ipc::Message& message) {
    if (const auto* progressed = std::get_if<ipc::Progress>(&message);
        progressed && progressed->jobId == m_running) {
        m_startFailures = 0;
        m_job.steps = progressed->phase == "denoise" ? progressed->steps : m_job.steps;
        emit progress(*progressed);
    } else if (const auto* saved = std::get_if<ipc::Checkpoint>(&message); saved && saved->jobId == m_running) {
        saveProgress(*saved);
    } else if (const auto* seen = std::get_if<ipc::PreviewReady>(&message); seen && seen->jobId == m_running) {
        showPreview(*seen);
    } else if (const auto* trace = std::get_if<ipc::TraceReady>(&message); trace && trace->jobId == m_running) {
        // No other file than its own is opened for a worker.
        if (trace->file == traceOf(m_library.folder(), m_running).string()) {
            emit traceReady(trace->jobId, trace->step, text(trace->file));
        }
    } else if (const auto* clip = std::get_if<ipc::ClipReady>(&message); clip && clip->jobId == m_running) {
        takeClip(*clip);
    } else if (const auto* failed = std::get_if<ipc::Failed>(&message); failed && failed->jobId == m_running) {
        if (failed->deviceLost) {
            m_worker.abandon(text(failed->message));  // workerLost() decides whether to try again
            return;
        }
        const bool cancelled = failed->code == errorCodeName(ErrorCode::Cancelled);
        settle({cancelled ? store::JobState::Cancelled : store::JobState::Failed, failed->code, failed->message});
    }
}

void JobQueue::saveProgress(const ipc::Checkpoint& saved) {
    const std::filesystem::path folder = m_library.folder();
    const auto relative = std::filesystem::path(saved.file).lexically_relative(folder).string();
    m_library.write(
        this,
        [id = saved.jobId, step = saved.step, steps = m_job.steps, file = saved.file, relative,
         folder](store::LibraryStore& store) -> Status {
            FW_TRY(checkOwnFile(file, stagingFolder(folder, id)));
            return store.setJobProgress(id, "denoise", step, steps, relative);
        },
        [this, id = saved.jobId, step = saved.step, relative](const Status& status) {
            // A step that could not be noted is lost only if the engine ends before the next one.
            if (id == m_running && status) {
                m_job.checkpointFile = relative;
                m_job.step = step;
            }
        });
}

void JobQueue::showPreview(const ipc::PreviewReady& seen) {
    if (!m_ring) {
        return;
    }
    PreviewFrames frames{seen.jobId, seen.step, seen.steps, seen.frames, seen.width, seen.height, seen.exact, {}};
    frames.rgb = m_ring->read(seen.slot, seen.sequence);
    constexpr std::uint64_t kLargest = std::uint64_t{kSlotBytes};
    std::uint64_t expected = 3;
    for (const int side : {seen.frames, seen.height, seen.width}) {
        expected = std::min(expected * static_cast<std::uint64_t>(side), kLargest + 1);
    }
    if (expected > 0 && frames.rgb.size() == expected) {
        emit preview(frames);
    }
}

void JobQueue::takeClip(const ipc::ClipReady& ready) {
    m_worker.setBusy(false);
    m_stage = Stage::Settling;
    m_filing = std::make_shared<ClipFiling>(m_library.folder(), m_job, ready);
    fileClip();
}

// File work and rows on the writer thread: first the files, then one transaction.
void JobQueue::fileClip() {
    const auto stop = m_stops.find(m_running);
    if (m_troubleTold && stop != m_stops.end() && !stop->second) {
        m_library.write(
            this,
            [filing = m_filing](store::LibraryStore&) {
                filing->undo();
                return true;
            },
            [](bool) {});
        settle({store::JobState::Cancelled, "cancelled", ""});
        return;
    }
    m_library.write(
        this, [filing = m_filing](store::LibraryStore& store) { return filing->file(store); },
        [this](const Result<store::Clip>& stored) {
            if (stored) {
                const std::int64_t id = m_running;
                m_stops.erase(id);
                becomeIdle();
                emit jobsChanged();
                emit clipAdded(stored->id, id);
                advance();
            } else if (stored.error().code == ErrorCode::InvalidArgument) {
                settle({store::JobState::Failed, "internal", stored.error().message});
            } else {
                tryAgainLater(stored.error(), &JobQueue::fileClip);
            }
        });
}

void JobQueue::settle(Ending ending) {
    m_worker.setBusy(false);
    m_stage = Stage::Settling;
    m_ending = std::move(ending);
    m_losses = std::make_shared<int>(0);
    writeEnding();
}

void JobQueue::writeEnding() {
    // Cancelled while it was between two engines or its row could not be written.
    const auto stop = m_stops.find(m_running);
    const bool waits = m_ending.state == store::JobState::Interrupted || m_ending.state == store::JobState::Queued;
    if (waits && stop != m_stops.end() && (!stop->second || m_job.checkpointFile.empty())) {
        m_ending = {store::JobState::Cancelled, "cancelled", ""};
    }
    const std::string twice = tr("This happened twice with this job.").toStdString();
    m_library.write(
        this,
        [id = m_running, ending = m_ending, losses = m_losses, twice, folder = m_library.folder(),
         resumable = !m_job.checkpointFile.empty()](store::LibraryStore& store) mutable -> Settled {
            const auto write = [&]() -> Status {
                FW_TRY(checkLibrary(folder));
                if (ending.workerLost && *losses == 0) {
                    FW_ASSIGN(*losses, store.countWorkerLoss(id));
                }
                if (ending.workerLost && *losses >= kMaxWorkerLosses) {
                    ending.state = store::JobState::Failed;
                    ending.message += ' ' + twice;
                }
                FW_TRY(store.finishJob(id, ending.state, ending.code, ending.message));
                std::error_code ignored;
                // What was seen of a job that failed is there to be looked at, until the job is removed.
                const bool over = ending.state == store::JobState::Cancelled ||
                                  (ending.state == store::JobState::Failed && !resumable &&
                                   !std::filesystem::exists(traceOf(folder, id), ignored));
                if (over) {
                    std::filesystem::remove_all(stagingFolder(folder, id), ignored);
                }
                return {};
            };
            Status status = write();
            return {std::move(status), std::move(ending)};
        },
        [this](const Settled& result) { settled(result); });
}

void JobQueue::settled(const Settled& result) {
    if (!result.status && result.status.error().code != ErrorCode::InvalidArgument) {
        tryAgainLater(result.status.error(), &JobQueue::writeEnding);
        return;
    }
    const std::int64_t id = m_running;
    const bool waits =
        result.ending.state == store::JobState::Interrupted || result.ending.state == store::JobState::Queued;
    if (!waits) {
        m_stops.erase(id);
    }
    becomeIdle();
    if (!result.status) {
        emit notice(text(result.status.error().message));
    }
    emit jobsChanged();
    if (result.ending.state == store::JobState::Failed) {
        emit jobFailed(id, text(result.ending.code), text(result.ending.message));
    }
    advance();
}

void JobQueue::becomeIdle() {
    m_running = 0;
    m_stage = Stage::Idle;
    m_filing.reset();
    m_troubleTold = false;
}

// The job keeps its place: what is made is neither lost nor made again.
void JobQueue::tryAgainLater(const Error& error, void (JobQueue::*what)()) {
    if (!std::exchange(m_troubleTold, true)) {
        emit notice(tr("%1 Nothing is lost: this is tried again every few seconds.").arg(text(error.message)));
    }
    m_whatAgain = what;
    m_again.start();
}

void JobQueue::workerLost(const QString& reason) {
    emit workerChanged();
    emit notice(reason);
    if (m_stage == Stage::Running) {
        const auto stop = m_stops.find(m_running);
        if (stop != m_stops.end() && (!stop->second || m_job.checkpointFile.empty())) {
            settle({store::JobState::Cancelled, "cancelled", ""});
        } else {
            settle({store::JobState::Interrupted, "device_lost", reason.toStdString(), true});
        }
    } else if (m_stage != Stage::Settling) {
        const bool steady = m_sinceReady.isValid() && m_sinceReady.hasExpired(kSteadyWorkerMs);
        m_startFailures = steady ? 1 : m_startFailures + 1;
        m_sinceReady.invalidate();
        if (m_startFailures >= kMaxStartFailures) {
            setPaused(true);
            emit notice(tr("The engine failed %1 times in a row; the queue is paused.").arg(m_startFailures));
            return;
        }
    }
    m_worker.start();
}

}  // namespace fw::app
