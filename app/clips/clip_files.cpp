#include "app/clips/clip_files.h"

#include <QFile>
#include <QFileInfo>
#include <QRunnable>
#include <cmath>
#include <filesystem>
#include <memory>

#include "app/clips/clip_images.h"
#include "core/job/clip_metadata.h"
#include "core/media/clip_convert.h"

namespace fw::app {
namespace {

// The two enumerations name the same formats, so that the window need not see core/media.
static_assert(static_cast<int>(ExportFormat::H264) == static_cast<int>(media::ClipFormat::H264));
static_assert(static_cast<int>(ExportFormat::Ffv1) == static_cast<int>(media::ClipFormat::Ffv1));
static_assert(static_cast<int>(ExportFormat::Png) == static_cast<int>(media::ClipFormat::Png));

constexpr double kProgressStep = 0.005;  // reports closer together would only be painted over

std::filesystem::path toPath(const QString& path) {
    return std::filesystem::path(QFile::encodeName(path).toStdString());
}

QString toText(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

// 23.976 and the like are meant as 24000/1001.
job::FrameRate rationalRate(double framesPerSecond) {
    for (const int whole : {24, 30, 60, 120}) {
        if (std::abs(framesPerSecond - whole * 1000.0 / 1001.0) < 0.0006) {
            return {whole * 1000, 1001};
        }
    }
    return {std::llround(framesPerSecond * 1000.0), 1000};
}

media::ConvertSpec toSpec(const ExportOptions& options) {
    media::ConvertSpec spec;
    spec.format = static_cast<media::ClipFormat>(options.format);
    spec.quality = options.quality;
    if (options.framesPerSecond > 0.0) {
        spec.frameRate = rationalRate(options.framesPerSecond);
    }
    spec.loops = options.loops;
    spec.scalePercent = options.scalePercent;
    spec.firstFrame = options.firstFrame;
    spec.lastFrame = options.lastFrame;
    spec.keepMetadata = options.embedSettings;
    spec.copyWhenSame = options.copyWhenSame;
    return spec;
}

Result<ClipFacts> inspectClip(const QString& file) {
    FW_ASSIGN(const media::ClipInfo info, media::readClipInfo(toPath(file)));
    ClipFacts facts;
    facts.file = file;
    facts.codec = QString::fromStdString(info.codec);
    if (const QFileInfo entry(file); !entry.isDir()) {
        facts.bytes = entry.size();
        facts.extension = entry.suffix().isEmpty() ? QString() : QLatin1Char('.') + entry.suffix().toLower();
    }
    facts.width = static_cast<int>(info.width);
    facts.height = static_cast<int>(info.height);
    facts.frames = info.frames;
    facts.framesPerSecond =
        static_cast<double>(info.frameRate.numerator) / static_cast<double>(info.frameRate.denominator);
    facts.hasSettings = job::requestFromMetadata(info.metadata).has_value();
    return facts;
}

Result<job::GenerationRequest> settingsOf(const QString& file) {
    FW_ASSIGN(const media::ClipInfo info, media::readClipInfo(toPath(file)));
    return job::requestFromMetadata(info.metadata);
}

}  // namespace

QList<ExportFormatInfo> exportFormats() {
    QList<ExportFormatInfo> formats;
    for (const media::ClipFormatInfo& info : media::clipFormats()) {
        ExportFormatInfo format;
        format.format = static_cast<ExportFormat>(info.format);
        format.id = toText(info.id);
        format.name = toText(info.name);
        format.extension = toText(info.extension);
        format.codec = toText(info.codec);
        format.hasQuality = info.hasQuality;
        format.hasLoops = info.hasLoops;
        if (const Status usable = media::checkFormat(info.format); !usable) {
            format.unavailable = toText(usable.error().message);
        }
        formats.append(format);
    }
    return formats;
}

ClipFiles::ClipFiles(QObject* parent) : QObject(parent) {
    m_readers.setMaxThreadCount(1);
    m_writers.setMaxThreadCount(1);
}

ClipFiles::~ClipFiles() {
    m_closing.cancel();
    m_load.cancel();
    for (CancelSource& source : m_exports) {
        source.cancel();
    }
    // What was not begun is dropped; what runs notices at its next frame.
    m_readers.clear();
    m_writers.clear();
    m_readers.waitForDone();
    m_writers.waitForDone();
}

template <class Work>
void ClipFiles::start(QThreadPool& pool, Work work) {
    pool.start(QRunnable::create(std::move(work)));
}

// From a worker thread to the object's own; dropped when the object is gone by then.
template <class Report>
void ClipFiles::report(Report call) {
    QMetaObject::invokeMethod(this, std::move(call), Qt::QueuedConnection);
}

void ClipFiles::load(const QString& file) {
    m_load.cancel();
    m_load = CancelSource();
    start(m_readers, [this, file, id = ++m_newestLoad, cancel = m_load.token()] {
        if (cancel.isCancelled()) {
            return;
        }
        auto clip = std::make_shared<Result<LoadedClip>>(loadClip(file, cancel));
        report([this, file, id, clip] {
            if (id != m_newestLoad) {
                return;  // another clip was asked for in the meantime
            }
            if (*clip) {
                emit loaded(**clip);
            } else {
                emit loadFailed(file, clip->error());
            }
        });
    });
}

void ClipFiles::readSettings(const QString& file) {
    start(m_readers, [this, file, closing = m_closing.token()] {
        if (closing.isCancelled()) {
            return;
        }
        report([this, file, settings = settingsOf(file)] {
            if (settings) {
                emit settingsRead(file, *settings);
            } else {
                emit settingsFailed(file, settings.error());
            }
        });
    });
}

void ClipFiles::inspect(const QString& file) {
    start(m_readers, [this, file, closing = m_closing.token()] {
        if (closing.isCancelled()) {
            return;
        }
        report([this, file, facts = inspectClip(file)] {
            if (facts) {
                emit inspected(*facts);
            } else {
                emit inspectFailed(file, facts.error());
            }
        });
    });
}

void ClipFiles::compare(const QString& first, const QString& second) {
    start(m_readers, [this, first, second, closing = m_closing.token()] {
        const auto result = compareClips(first, second, closing);
        if (closing.isCancelled()) {
            return;
        }
        report([this, first, second, result] {
            if (result) {
                emit compared(first, second, *result);
            } else {
                emit compareFailed(first, second, result.error());
            }
        });
    });
}

quint64 ClipFiles::startExport(const QString& from, const QString& to, const ExportOptions& options) {
    const quint64 id = ++m_lastExport;
    const CancelSource source;
    m_exports.insert(id, source);
    start(m_writers, [this, id, from, to, spec = toSpec(options), cancel = source.token()] {
        double reported = -1.0;
        const auto progress = [&](double fraction) {
            if (fraction - reported >= kProgressStep || fraction >= 1.0) {
                reported = fraction;
                report([this, id, fraction] {
                    if (m_exports.contains(id)) {
                        emit exportProgress(id, fraction);
                    }
                });
            }
        };
        const Status status = cancel.isCancelled()
                                  ? cancel.check()
                                  : media::convertClip(toPath(from), toPath(to), spec, cancel, progress);
        report([this, id, to, status] { endExport(id, to, status); });
    });
    return id;
}

void ClipFiles::cancelExport(quint64 id) {
    const auto found = m_exports.find(id);
    if (found != m_exports.end()) {
        found->cancel();
        m_exports.erase(found);
    }
}

void ClipFiles::endExport(quint64 id, const QString& to, const Status& status) {
    if (m_exports.remove(id) == 0) {
        return;  // cancelled; nobody wants to hear of it
    }
    if (status) {
        emit exported(id, to);
    } else {
        emit exportFailed(id, to, status.error());
    }
}

}  // namespace fw::app
