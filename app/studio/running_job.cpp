#include "app/studio/running_job.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "core/base/json.h"

namespace fw::app {
namespace {

constexpr std::array<std::pair<std::string_view, JobPhase>, 5> kPhases{{{"load", JobPhase::Load},
                                                                        {"text", JobPhase::Text},
                                                                        {"denoise", JobPhase::Denoise},
                                                                        {"decode", JobPhase::Decode},
                                                                        {"encode", JobPhase::Encode}}};

// Of a phase this version does not know: the worker may be newer.
JobPhase phaseOf(std::string_view name) {
    const auto* found =
        std::find_if(kPhases.begin(), kPhases.end(), [&](const auto& phase) { return phase.first == name; });
    return found != kPhases.end() ? found->second : JobPhase::Load;
}

// A preview has one frame per latent frame but takes as long as the finished clip.
double previewRate(const job::GenerationRequest& request, int previewFrames) {
    const auto rate = request.frameRate.value_or(job::FrameRate{});
    const auto frames = request.frames.value_or(0);
    const double clipRate = static_cast<double>(rate.numerator) / static_cast<double>(rate.denominator);
    return frames > 0 ? clipRate * static_cast<double>(previewFrames) / static_cast<double>(frames) : clipRate;
}

QList<QImage> imagesOf(const PreviewFrames& frames) {
    QList<QImage> images;
    const qsizetype row = qsizetype{3} * frames.width;
    const qsizetype picture = row * frames.height;
    for (int i = 0; i < frames.frames; ++i) {
        const QImage borrowed(frames.rgb.data() + i * picture, frames.width, frames.height, row,
                              QImage::Format_RGB888);
        images.append(borrowed.convertToFormat(QImage::Format_RGB32));
    }
    return images;
}

}  // namespace

RunningJob::RunningJob(LibraryService& library, JobQueue& queue, QObject* parent)
    : QObject(parent), m_library(library), m_queue(queue) {
    m_converter.setMaxThreadCount(1);
    connect(&queue, &JobQueue::jobsChanged, this, &RunningJob::follow);
    connect(&queue, &JobQueue::progress, this, &RunningJob::takeProgress);
    connect(&queue, &JobQueue::preview, this, &RunningJob::takePreview);
}

void RunningJob::follow() {
    const qint64 now = m_queue.runningJob();
    if (now == m_followed) {
        return;
    }
    const qint64 before = std::exchange(m_followed, now);
    // The rows are read in this order, so that an end is always told before the next beginning.
    if (before != 0) {
        m_library.read(
            this, [before](store::LibraryStore& store) { return store.job(before); },
            [this, before](const Result<store::Job>& job) {
                store::Job gone;  // removed by hand between its end and now
                gone.id = before;
                gone.state = store::JobState::Cancelled;
                m_id = 0;
                emit ended(job ? *job : gone);
            });
    }
    if (now != 0) {
        m_library.read(
            this, [now](store::LibraryStore& store) { return store.job(now); },
            [this](const Result<store::Job>& job) {
                if (job) {
                    begin(*job);
                }
            });
    }
}

void RunningJob::begin(const store::Job& job) {
    const auto request = job::requestFromJson(Json::parse(job.requestJson, nullptr, false));
    m_id = job.id;
    m_request = request.value_or(job::GenerationRequest{});
    m_progress.reset();
    m_preview.reset();
    emit began();
}

void RunningJob::takeProgress(const ipc::Progress& progress) {
    if (progress.jobId == m_id) {
        m_progress = JobProgress{phaseOf(progress.phase), progress.step, progress.steps, progress.fraction,
                                 progress.secondsLeft};
        emit progressed();
    }
}

// A clip of full size takes longer than a frame of the screen: it is converted beside the window's thread, one
// after the other and none left out, because each can be gone back to.
void RunningJob::takePreview(const PreviewFrames& frames) {
    if (frames.jobId != m_id) {
        return;
    }
    const auto taken = std::make_shared<PreviewFrames>(frames);
    m_converter.start([this, taken, rate = previewRate(m_request, frames.frames)] {
        JobPreview preview{taken->step, taken->steps, {imagesOf(*taken), rate}, taken->exact};
        QMetaObject::invokeMethod(this, [this, job = taken->jobId, preview = std::move(preview)] {
            if (job == m_id) {
                m_preview = preview;
                emit previewed();
            }
        });
    });
}

}  // namespace fw::app
