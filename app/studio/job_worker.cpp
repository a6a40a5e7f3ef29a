#include "app/studio/job_worker.h"

#include <QDir>
#include <ctime>
#include <new>

#include "app/engine/output_name.h"
#include "app/studio/clip_files.h"

namespace fw::app {
namespace {

JobPhase phaseOf(pipeline::Phase phase) {
    switch (phase) {
        case pipeline::Phase::Load:
            return JobPhase::Load;
        case pipeline::Phase::Text:
            return JobPhase::Text;
        case pipeline::Phase::Denoise:
            return JobPhase::Denoise;
        case pipeline::Phase::Decode:
            return JobPhase::Decode;
        case pipeline::Phase::Encode:
            return JobPhase::Encode;
    }
    return JobPhase::Load;
}

// A preview has one frame per latent frame but takes as long as the finished clip.
double previewRate(const job::GenerationRequest& request, qsizetype previewFrames) {
    const auto rate = request.frameRate.value_or(job::FrameRate{});
    const auto frames = request.frames.value_or(0);
    const double clipRate = static_cast<double>(rate.numerator) / static_cast<double>(rate.denominator);
    return frames > 0 ? clipRate * static_cast<double>(previewFrames) / static_cast<double>(frames) : clipRate;
}

}  // namespace

void JobWorker::run(JobId job, const job::GenerationRequest& request, const QString& folder,
                    const CancelToken& cancel) {
    Result<FinishedClip> clip;
    try {
        clip = makeClip(job, request, folder, cancel);
    } catch (const std::bad_alloc&) {
        // The engine reports its own allocations; this is one of the many small ones around it.
        clip = fail(ErrorCode::OutOfMemory, "there is not enough memory to make this clip");
    }
    if (clip) {
        emit finished(job, *clip);
    } else {
        emit failed(job, clip.error());
    }
}

Result<FinishedClip> JobWorker::makeClip(JobId job, const job::GenerationRequest& request, const QString& folder,
                                         const CancelToken& cancel) {
    if (!QDir().mkpath(folder)) {
        return fail(ErrorCode::Io, "the folder {} cannot be made", folder.toStdString());
    }
    const std::time_t seconds = std::time(nullptr);
    std::tm date{};
    ::localtime_r(&seconds, &date);
    ClipJobOptions options;
    options.output = freeName(std::filesystem::path(folder.toStdU16String()), clipBaseName(request, date), ".mp4");
    options.preview = pipeline::PreviewKind::Projection;
    pipeline::GeneratorEvents events;
    events.progress = [&](const pipeline::Progress& p) {
        emit progressed(job, {phaseOf(p.phase), p.step, p.steps, p.fraction, p.secondsLeft});
    };
    events.preview = [&](const pipeline::Preview& p) {
        auto frames = imagesFromRgb(p.rgb);
        const double fps = previewRate(request, frames.size());
        emit previewed(job, {p.step, p.steps, {std::move(frames), fps}});
    };
    FW_ASSIGN(const auto result, m_runner.run(request, options, events, cancel));
    const QString made = QString::fromStdU16String(result.file.u16string());
    auto loaded = loadClip(made);
    if (!loaded) {
        loaded = loadClip(made, 1);  // too long for the player: the clip is complete all the same
    }
    FW_ASSIGN(auto clip, std::move(loaded));
    clip.request = result.report.request;
    const auto& plan = result.report.plan;
    return FinishedClip{std::move(clip),
                        {plan.tokens, plan.totalFlops(), plan.peakBytes},
                        result.totalSeconds,
                        result.report.textSeconds + result.report.denoiseSeconds + result.report.decodeSeconds};
}

}  // namespace fw::app
