#include "app/library/clip_filing.h"

#include <QDateTime>
#include <QString>
#include <charconv>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/base/json.h"
#include "core/job/generation_request.h"

namespace fw::app {

namespace {

namespace fs = std::filesystem;

// In a staging folder: the library path its clip is being moved to. Written before the move, so that a repeated one
// replaces what an interrupted one left.
constexpr const char* kTargetNote = "target";

// Letters and digits of any script, everything else one dash; short enough for any file system together with the
// rest.
std::string slug(const std::string& prompt) {
    QString words;
    for (const QChar c : QString::fromStdString(prompt).left(200)) {
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
    if (!error) {
        std::filesystem::rename(from, to, error);
    }
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
        return fail(ErrorCode::Io, "The clip cannot be moved to {}: {}.", to.string(), error.message());
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

// A job that has ended for good, or no row at all.
bool isOver(std::int64_t id, store::LibraryStore& store) {
    const auto job = store.job(id);
    if (!job) {
        return job.error().code == ErrorCode::InvalidArgument;  // there is none; other errors say nothing about it
    }
    return job->state == store::JobState::Done || job->state == store::JobState::Cancelled;
}

}  // namespace

Status checkLibrary(const fs::path& library) {
    std::error_code error;
    if (!fs::exists(library / "library.sqlite3", error)) {
        return fail(ErrorCode::Io,
                    "The library {} is no longer where it was; put its folder back, then continue the queue.",
                    library.string());
    }
    return {};
}

fs::path stagingFolder(const fs::path& library, std::int64_t jobId) {
    return library / "staging" / std::to_string(jobId);
}

fs::path traceOf(const fs::path& library, std::int64_t jobId) {
    return stagingFolder(library, jobId) / "trace.safetensors";
}

void sweepStaging(const fs::path& library, store::LibraryStore& store) {
    std::error_code error;
    for (fs::directory_iterator entry(library / "staging", error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        std::int64_t id = 0;
        const auto [last, problem] = std::from_chars(name.data(), name.data() + name.size(), id);
        if (problem == std::errc{} && last == name.data() + name.size() && isOver(id, store)) {
            std::error_code ignored;
            fs::remove_all(entry->path(), ignored);
        }
    }
}

Status checkOwnFile(const fs::path& file, const fs::path& staging) {
    std::error_code error;
    const bool inside = file.is_absolute() && file.parent_path() == staging && file.has_filename() &&
                        file.filename() != "." && file.filename() != "..";
    if (!inside || fs::symlink_status(file, error).type() != fs::file_type::regular) {
        return fail(ErrorCode::InvalidArgument, "The engine named {}, which is no file of its own in {}.",
                    file.string(), staging.string());
    }
    return {};
}

std::string clipPath(std::int64_t createdUs, const std::string& prompt, std::int64_t jobId) {
    const QDateTime time = QDateTime::fromMSecsSinceEpoch(createdUs / 1000);
    return fmt::format("clips/{}/{} {} {}.mp4", time.toString(QStringLiteral("yyyy-MM")).toStdString(),
                       time.toString(QStringLiteral("yyyy-MM-dd")).toStdString(), slug(prompt), jobId);
}

ClipFiling::ClipFiling(fs::path library, store::Job job, ipc::ClipReady ready)
    : m_library(std::move(library)),
      m_staging(stagingFolder(m_library, job.id)),
      m_job(std::move(job)),
      m_ready(std::move(ready)),
      m_clip(makeClip(m_job, m_ready)) {}

Result<store::Clip> ClipFiling::file(store::LibraryStore& store) {
    FW_TRY(checkLibrary(m_library));
    if (!m_moved) {
        FW_TRY(moveClip());
    }
    FW_ASSIGN(auto stored, store.addClip(m_clip));
    std::error_code ignored;
    fs::remove_all(m_staging, ignored);
    return stored;
}

Status ClipFiling::moveClip() {
    FW_TRY(checkOwnFile(m_ready.file, m_staging));
    m_clip.file = freePath();
    {
        std::ofstream note(m_staging / kTargetNote, std::ios::trunc);
        note << m_clip.file;
    }
    FW_TRY(moveFile(m_ready.file, m_library / m_clip.file));
    m_moved = true;
    std::error_code error;
    m_clip.bytes = static_cast<std::int64_t>(fs::file_size(m_library / m_clip.file, error));
    m_clip.traceFile = moveBeside(m_ready.traceFile, ".trace.safetensors");
    m_clip.thumbnailFile = moveBeside(m_ready.thumbnailFile, ".thumbnail.png");
    return {};
}

// The path of this job's clip: the noted one, or one where nothing stands. (Job numbers begin anew in a library
// whose damaged database was set aside.)
std::string ClipFiling::freePath() const {
    const std::string wanted = clipPath(m_job.createdUs, m_clip.prompt, m_job.id);
    const std::string stem = wanted.substr(0, wanted.size() - 4);
    std::string noted;
    std::getline(std::ifstream(m_staging / kTargetNote), noted);
    std::string path = wanted;
    std::error_code error;
    for (int i = 2; path != noted && fs::exists(fs::symlink_status(m_library / path, error)); ++i) {
        path = fmt::format("{}-{}.mp4", stem, i);
    }
    return path;
}

// The library path of a file beside the clip; empty when there is none. A clip is worth keeping without them.
std::string ClipFiling::moveBeside(const std::string& from, const char* suffix) const {
    const std::string relative = m_clip.file.substr(0, m_clip.file.size() - 4) + suffix;
    const bool moved = !from.empty() && checkOwnFile(from, m_staging).has_value() &&
                       moveFile(from, m_library / relative).has_value();
    return moved ? relative : std::string();
}

void ClipFiling::undo() {
    for (const std::string& file : {m_clip.file, m_clip.traceFile, m_clip.thumbnailFile}) {
        if (m_moved && !file.empty()) {
            std::error_code ignored;
            fs::remove(m_library / file, ignored);
        }
    }
}

}  // namespace fw::app
