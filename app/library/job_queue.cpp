#include "app/library/job_queue.h"

#include <unistd.h>

#include <QDateTime>
#include <QRandomGenerator>
#include <system_error>
#include <utility>

#include "core/base/json.h"

namespace fw::app {

namespace {

constexpr int kMaxWorkerLosses = 2;   // of one job, then it fails
constexpr int kMaxStartFailures = 3;  // of the worker in a row, then the queue pauses
constexpr int kRingSlots = 4;
constexpr std::int64_t kSlotBytes = std::int64_t{24} << 20;

QString text(const std::string& utf8) {
    return QString::fromStdString(utf8);
}

// Letters and digits of any script, everything else one dash; short enough for any file system together with the
// rest.
std::string slug(const std::string& prompt) {
    QString words;
    for (const QChar c : text(prompt).left(200)) {
        if (c.isLetterOrNumber()) {
            words += c.toLower();
        } else if (!words.isEmpty() && !words.endsWith(QLatin1Char('-'))) {
            words += QLatin1Char('-');
        }
    }
    std::string result;
    for (const QChar c : words) {
        const std::string utf8 = QString(c).toStdString();
        if (c.isSurrogate() || result.size() + utf8.size() > 48) {
            break;
        }
        result += utf8;
    }
    while (!result.empty() && result.back() == '-') {
        result.pop_back();
    }
    return result.empty() ? "clip" : result;
}

// rename(), or copy and rename where the staging folder is on another file system.
Status moveFile(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::error_code error;
    std::filesystem::create_directories(to.parent_path(), error);
    std::filesystem::rename(from, to, error);
    if (error == std::errc::cross_device_link) {
        const std::filesystem::path part = to.string() + ".part";
        error.clear();
        std::filesystem::copy_file(from, part, std::filesystem::copy_options::overwrite_existing, error);
        if (!error) {
            std::filesystem::rename(part, to, error);
        }
        std::error_code ignored;
        std::filesystem::remove(error ? part : from, ignored);
    }
    if (error) {
        return fail(ErrorCode::Io, "the clip cannot be moved to {}: {}", to.string(), error.message());
    }
    return {};
}

std::string stringOf(const Json& json, const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}
template <class Number>
Number numberOf(const Json& json, const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_number() ? it->get<Number>() : Number{};
}

// The library row of a finished job, from what the worker reported.
store::Clip makeClip(const store::Job& job, const ipc::ClipReady& ready) {
    store::Clip clip;
    clip.projectId = job.projectId;
    clip.jobId = job.id;
    clip.sha256 = ready.sha256;
    const Json& report = ready.report;
    const Json request =
        report.contains("request") ? report["request"] : Json::parse(job.requestJson, nullptr, false);
    clip.requestJson = request.dump();
    clip.reportJson = report.dump();
    if (const auto parsed = job::requestFromJson(request)) {
        clip.prompt = parsed->prompt;
        clip.negativePrompt = parsed->negativePrompt;
        clip.width = static_cast<int>(parsed->width.value_or(0));
        clip.height = static_cast<int>(parsed->height.value_or(0));
        clip.frames = static_cast<int>(parsed->frames.value_or(0));
        const job::FrameRate rate = parsed->frameRate.value_or(job::FrameRate{});
        clip.fpsNumerator = rate.numerator;
        clip.fpsDenominator = rate.denominator;
        clip.steps = parsed->steps.value_or(0);
        clip.guidance = parsed->guidance.value_or(0.0);
        clip.seed = parsed->seed ? std::to_string(*parsed->seed) : "";
        clip.method = parsed->method;
        clip.sampler = parsed->sampler == job::SamplerKind::Euler ? "euler" : "unipc";
    }
    clip.model = stringOf(report, "model");
    clip.modelHash = stringOf(report, "model_hash");
    clip.device = stringOf(report, "device");
    clip.dtype = stringOf(report, "dtype");
    clip.version = stringOf(report, "version");
    clip.seconds = numberOf<double>(report, "total_seconds");
    return clip;
}

}  // namespace

std::string JobQueue::clipPath(std::int64_t createdUs, const std::string& prompt, std::int64_t jobId) {
    const QDateTime time = QDateTime::fromMSecsSinceEpoch(createdUs / 1000);
    return fmt::format("clips/{}/{} {} {}.mp4", time.toString(QStringLiteral("yyyy-MM")).toStdString(),
                       time.toString(QStringLiteral("yyyy-MM-dd")).toStdString(), slug(prompt), jobId);
}

JobQueue::JobQueue(LibraryService& library, WorkerClient& worker, QObject* parent)
    : QObject(parent), m_library(library), m_worker(worker), m_paused(library.openReport().uncleanExit) {
    connect(&m_worker, &WorkerClient::ready, this, [this] {
        m_startFailures = 0;
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
    // Two queues in one process or two studios never share a name.
    m_ringName = fmt::format("/framewright-{}-{:08x}", getpid(), QRandomGenerator::system()->generate());
    if (auto ring = ipc::PreviewRing::create(m_ringName, kRingSlots, kSlotBytes)) {
        m_ring = std::move(*ring);
    } else {
        m_ringName.clear();  // clips are made without previews
        emit notice(text(ring.error().message));
    }
    m_worker.start();
    emit workerChanged();
}

template <class Work>
void JobQueue::change(Work work) {
    m_library.write(this, std::move(work), [this](Status status) {
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
        for (const auto& request : requests) {
            FW_TRY(store.rememberPrompt(request.prompt, request.negativePrompt));
        }
        return {};
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

void JobQueue::remove(const std::vector<std::int64_t>& ids) {
    change([ids](store::LibraryStore& store) { return store.removeJobs(ids); });
}

void JobQueue::retry(const std::vector<std::int64_t>& ids) {
    change([ids](store::LibraryStore& store) -> Status {
        for (const std::int64_t id : ids) {
            FW_TRY(store.requeueJob(id));
        }
        return {};
    });
}

void JobQueue::setPaused(bool paused) {
    if (m_paused != paused) {
        m_paused = paused;
        emit pausedChanged(paused);
        if (!paused && m_started && m_worker.state() == WorkerClient::State::Stopped) {
            m_startFailures = 0;
            m_worker.start();
        }
        advance();
    }
}

void JobQueue::cancel(std::int64_t id, bool keepEstimate) {
    if (id == m_running && id != 0) {
        m_worker.send(ipc::Cancel{id, keepEstimate});
        return;
    }
    change([id](store::LibraryStore& store) -> Status {
        FW_ASSIGN(const store::Job job, store.job(id));
        if (job.state != store::JobState::Queued && job.state != store::JobState::Interrupted) {
            return {};  // it finished meanwhile
        }
        return store.finishJob(id, store::JobState::Cancelled, "cancelled", "");
    });
}

void JobQueue::showNow() {
    if (m_running != 0) {
        m_worker.send(ipc::DecodeNow{m_running});
    }
}

void JobQueue::advance() {
    if (m_paused || m_taking || m_running != 0 || m_worker.state() != WorkerClient::State::Ready) {
        return;
    }
    m_taking = true;
    m_library.write(
        this, [](store::LibraryStore& store) { return store.takeNextJob(); },
        [this](Result<std::optional<store::Job>> job) {
            m_taking = false;
            if (!job) {
                m_paused = true;
                emit pausedChanged(true);
                emit notice(text(job.error().message));
            } else if (*job) {
                launch(**job);
            }
        });
}

void JobQueue::launch(const store::Job& job) {
    m_running = job.id;
    m_job = job;
    emit jobsChanged();
    const auto request = job::requestFromJson(Json::parse(job.requestJson, nullptr, false));
    if (!request) {
        settle(job.id, store::JobState::Failed, "invalid_argument", request.error().message);
        return;
    }
    ipc::Generate generate;
    generate.jobId = job.id;
    generate.request = *request;
    const std::filesystem::path staging = m_library.folder() / "staging" / std::to_string(job.id);
    std::error_code error;
    std::filesystem::create_directories(staging, error);
    if (error) {
        settle(job.id, store::JobState::Failed, "io",
               fmt::format("the folder {} cannot be made: {}", staging.string(), error.message()));
        return;
    }
    generate.stagingFolder = staging.string();
    if (!job.checkpointFile.empty() && std::filesystem::exists(m_library.folder() / job.checkpointFile, error)) {
        generate.checkpointFile = (m_library.folder() / job.checkpointFile).string();
    }
    generate.previewMemory = m_ringName;
    if (m_worker.state() != WorkerClient::State::Ready) {
        // The engine ended while the row was taken: not this job's fault, it goes first as soon as there is one
        // again.
        settle(job.id, store::JobState::Interrupted, "", "");
        return;
    }
    m_worker.setBusy(true);
    m_worker.send(generate);
}

void JobQueue::handle(const ipc::Message& message) {
    if (const auto* progressed = std::get_if<ipc::Progress>(&message);
        progressed && progressed->jobId == m_running) {
        emit progress(*progressed);
    } else if (const auto* saved = std::get_if<ipc::Checkpoint>(&message); saved && saved->jobId == m_running) {
        const auto relative = std::filesystem::path(saved->file).lexically_relative(m_library.folder());
        m_job.checkpointFile = relative.string();
        m_library.write(
            this,
            [id = saved->jobId, step = saved->step, file = relative.string()](store::LibraryStore& store) {
                return store.setJobProgress(id, "denoise", step, 0, file);
            },
            [](const Status&) {});
    } else if (const auto* seen = std::get_if<ipc::PreviewReady>(&message); seen && m_ring) {
        PreviewFrames frames{seen->jobId, seen->step, seen->steps, seen->frames, seen->width, seen->height, {}};
        frames.rgb = m_ring->read(seen->slot, seen->sequence);
        const auto expected = static_cast<std::size_t>(seen->frames) * static_cast<std::size_t>(seen->height) *
                              static_cast<std::size_t>(seen->width) * 3;
        if (frames.rgb.size() == expected && expected > 0 && seen->jobId == m_running) {
            emit preview(frames);
        }
    } else if (const auto* clip = std::get_if<ipc::ClipReady>(&message);
               clip && clip->jobId == m_running && !m_settling) {
        takeClip(*clip);
    } else if (const auto* failed = std::get_if<ipc::Failed>(&message);
               failed && failed->jobId == m_running && !m_settling) {
        if (failed->deviceLost) {
            return;  // the worker is about to end; workerLost() decides whether to try again
        }
        const bool cancelled = failed->code == errorCodeName(ErrorCode::Cancelled);
        settle(failed->jobId, cancelled ? store::JobState::Cancelled : store::JobState::Failed, failed->code,
               failed->message);
    } else if (const auto* log = std::get_if<ipc::Log>(&message)) {
        qInfo("worker: %s: %s", log->level.c_str(), log->text.c_str());
    }
}

void JobQueue::takeClip(const ipc::ClipReady& ready) {
    m_worker.setBusy(false);
    m_settling = true;
    store::Clip clip = makeClip(m_job, ready);
    clip.file = clipPath(m_job.createdUs, clip.prompt, m_job.id);
    const std::filesystem::path folder = m_library.folder();
    // File work and rows on the writer thread: first the files, then one transaction.
    m_library.write(
        this,
        [clip, ready, folder](store::LibraryStore& store) mutable -> Result<store::Clip> {
            const std::filesystem::path target = folder / clip.file;
            FW_TRY(moveFile(ready.file, target));
            std::error_code error;
            clip.bytes = static_cast<std::int64_t>(std::filesystem::file_size(target, error));
            const auto beside = [&](const std::string& from, const char* suffix) -> std::string {
                const std::string relative = clip.file.substr(0, clip.file.size() - 4) + suffix;
                return !from.empty() && moveFile(from, folder / relative) ? relative : std::string();
            };
            clip.traceFile = beside(ready.traceFile, ".trace.safetensors");
            clip.thumbnailFile = beside(ready.thumbnailFile, ".thumbnail.png");
            FW_ASSIGN(auto stored, store.addClip(clip));
            std::filesystem::remove_all(folder / "staging" / std::to_string(clip.jobId), error);
            return stored;
        },
        [this, id = m_running](Result<store::Clip> stored) {
            if (!stored) {
                // The last checkpoint is still in staging: going on only decodes again.
                setPaused(true);
                emit notice(text(stored.error().message));
                settle(id, store::JobState::Interrupted, std::string(errorCodeName(stored.error().code)),
                       stored.error().message);
                return;
            }
            m_running = 0;
            m_settling = false;
            emit jobsChanged();
            emit clipAdded(stored->id, id);
            advance();
        });
}

void JobQueue::settle(std::int64_t id, store::JobState state, const std::string& code, const std::string& message) {
    m_worker.setBusy(false);
    m_settling = true;
    const bool keepFiles = state == store::JobState::Interrupted;
    m_library.write(
        this,
        [id, state, code, message, keepFiles, folder = m_library.folder()](store::LibraryStore& store) {
            if (!keepFiles) {
                std::error_code ignored;
                std::filesystem::remove_all(folder / "staging" / std::to_string(id), ignored);
            }
            return store.finishJob(id, state, code, message);
        },
        [this, id, state, code, message](const Status& status) {
            m_running = 0;
            m_settling = false;
            if (!status) {
                emit notice(text(status.error().message));
            }
            emit jobsChanged();
            if (state == store::JobState::Failed) {
                emit jobFailed(id, text(code), text(message));
            }
            advance();
        });
}

void JobQueue::workerLost(const QString& reason) {
    emit workerChanged();
    emit notice(reason);
    if (m_running != 0 && !m_settling) {
        const std::int64_t id = m_running;
        m_settling = true;
        m_library.write(
            this, [id](store::LibraryStore& store) { return store.countWorkerLoss(id); },
            [this, id, reason](const Result<int>& losses) {
                if (losses && *losses < kMaxWorkerLosses) {
                    settle(id, store::JobState::Interrupted, "device_lost", reason.toStdString());
                } else {
                    settle(id, store::JobState::Failed, "device_lost",
                           tr("%1 This happened twice with this job.").arg(reason).toStdString());
                }
            });
    } else if (m_running == 0 && ++m_startFailures >= kMaxStartFailures) {
        setPaused(true);
        emit notice(tr("The engine failed %1 times in a row; the queue is paused.").arg(m_startFailures));
        return;
    }
    m_worker.start();
}

}  // namespace fw::app
