#include "app/studio/clip_files.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <filesystem>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/media/clip_reader.h"
#include "core/media/clip_writer.h"

namespace fw::app {
namespace {

// Frames are held in memory while they play. 8 GiB would be some 20 s of full HD; beyond it a clip is not shown.
constexpr qint64 kMaxPlayerBytes = qint64{2} << 30;

std::filesystem::path toPath(const QString& path) {
    return std::filesystem::path(path.toStdU16String());
}

double rate(const job::FrameRate& frameRate) {
    return frameRate.denominator > 0
               ? static_cast<double>(frameRate.numerator) / static_cast<double>(frameRate.denominator)
               : 0.0;
}

// What made the clip; nothing when the file is not ours or newer than we understand.
std::optional<job::GenerationRequest> requestOf(const std::string& metadata) {
    const Json json = Json::parse(metadata, nullptr, false);
    if (!json.is_object() || !json.contains("request")) {
        return std::nullopt;
    }
    auto request = job::requestFromJson(json["request"]);
    return request ? std::optional(std::move(*request)) : std::nullopt;
}

Status copyFile(const QString& from, const QString& to) {
    QFile source(from);
    if (!source.open(QIODevice::ReadOnly)) {
        return fail(ErrorCode::Io, "{} cannot be read: {}", from.toStdString(), source.errorString().toStdString());
    }
    QSaveFile target(to);
    if (!target.open(QIODevice::WriteOnly)) {
        return fail(ErrorCode::Io, "{} cannot be written: {}", to.toStdString(),
                    target.errorString().toStdString());
    }
    QByteArray block;
    while (!(block = source.read(1 << 20)).isEmpty()) {
        if (target.write(block) != block.size()) {
            break;
        }
    }
    if (source.error() != QFile::NoError || !target.commit()) {
        return fail(ErrorCode::Io, "{} cannot be written: {}", to.toStdString(),
                    target.errorString().toStdString());
    }
    return {};
}

}  // namespace

QImage imageFromRgb(const ConstTensorView& rgb) {
    FW_CHECK(rgb.rank() == 3 && rgb.dim(2) == 3 && rgb.stride(2) == 1 && rgb.stride(1) == 3, "{}", rgb.text());
    const auto* data = rgb.as<std::uint8_t>();
    const QImage borrowed(data, static_cast<int>(rgb.dim(1)), static_cast<int>(rgb.dim(0)),
                          static_cast<qsizetype>(rgb.stride(0)), QImage::Format_RGB888);
    return borrowed.convertToFormat(QImage::Format_RGB32);
}

QList<QImage> imagesFromRgb(const ConstTensorView& rgb) {
    FW_CHECK(rgb.rank() == 4, "{}", rgb.text());
    QList<QImage> images;
    images.reserve(rgb.dim(0));
    for (std::int64_t i = 0; i < rgb.dim(0); ++i) {
        const auto frame = rgb.slice(0, i, i + 1);
        images.append(imageFromRgb(ConstTensorView(frame.data(), frame.dtype(),
                                                   Shape{frame.dim(1), frame.dim(2), frame.dim(3)},
                                                   Strides{frame.stride(1), frame.stride(2), frame.stride(3)})));
    }
    return images;
}

Result<LoadedClip> loadClip(const QString& file, int limit) {
    FW_ASSIGN(const auto info, media::readClipInfo(toPath(file)));
    const qint64 frames = limit > 0 ? limit : info.frames;
    if (info.width * info.height * 4 * frames > kMaxPlayerBytes) {
        return fail(ErrorCode::OutOfMemory, "{} needs {} MiB to play, the player holds up to {} MiB",
                    file.toStdString(), (info.width * info.height * 4 * frames) >> 20, kMaxPlayerBytes >> 20);
    }
    LoadedClip clip{file, {{}, rate(info.frameRate)}, requestOf(info.metadata)};
    const auto hasEnough = [&] { return limit > 0 && clip.images.frames.size() >= limit; };
    qint64 held = 0;  // what the container announces is not always what comes
    const auto status = media::readClipFrames(toPath(file), [&](const ConstTensorView& frame) -> Status {
        held += frame.dim(0) * frame.dim(1) * 4;
        if (held > kMaxPlayerBytes) {
            return fail(ErrorCode::OutOfMemory, "{} is too large to play", file.toStdString());
        }
        clip.images.frames.append(imageFromRgb(frame));
        // An error is how a reader is told to stop.
        return hasEnough() ? Status(fail(ErrorCode::Cancelled, "enough frames")) : Status();
    });
    if (!status && !hasEnough()) {
        return tl::unexpected(status.error());
    }
    if (clip.images.frames.isEmpty()) {
        return fail(ErrorCode::Io, "{} holds no frames", file.toStdString());
    }
    return clip;
}

QList<LoadedClip> findClips(const QString& folder, int limit) {
    QList<LoadedClip> clips;
    const auto files = QDir(folder).entryInfoList({QStringLiteral("*.mp4"), QStringLiteral("*.webm")},
                                                  QDir::Files | QDir::Readable, QDir::Time);
    for (const auto& file : files) {
        if (clips.size() >= limit) {
            break;
        }
        if (auto clip = loadClip(file.absoluteFilePath(), 1)) {
            clips.append(std::move(*clip));
        }
    }
    return clips;
}

QString exportTarget(const QString& chosen) {
    const QString png = QStringLiteral(".png");
    return chosen.endsWith(png, Qt::CaseInsensitive) ? chosen.chopped(png.size()) : chosen;
}

Status exportClip(const QString& from, const QString& chosen, const CancelToken& cancel) {
    const QString to = exportTarget(chosen);
    const QString extension = QFileInfo(to).suffix().toLower();
    if (extension == QFileInfo(from).suffix().toLower()) {
        return QFileInfo(from) == QFileInfo(to) ? Status() : copyFile(from, to);
    }
    FW_ASSIGN(const auto info, media::readClipInfo(toPath(from)));
    const media::ClipSpec spec{info.width, info.height, info.frameRate, info.metadata};
    FW_ASSIGN(const auto writer, media::ClipWriter::create(toPath(to), spec));
    const auto write = [&](const ConstTensorView& frame) -> Status {
        FW_TRY(cancel.check());
        if (frame.dim(0) != info.height || frame.dim(1) != info.width) {
            return fail(ErrorCode::Io, "{} changes its size from {} × {} to {} × {}; it cannot be exported",
                        from.toStdString(), info.width, info.height, frame.dim(1), frame.dim(0));
        }
        return writer->write(frame.reshape(Shape{1, frame.dim(0), frame.dim(1), frame.dim(2)}));
    };
    FW_TRY(media::readClipFrames(toPath(from), write));
    return writer->finish();
}

}  // namespace fw::app
