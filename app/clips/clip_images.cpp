#include "app/clips/clip_images.h"

#include <QFile>
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/base/check.h"
#include "core/job/clip_metadata.h"
#include "core/media/clip_reader.h"

namespace fw::app {
namespace {

// Frames are held in memory while they play: some 10 s of full HD. Beyond it a clip is not shown.
constexpr qint64 kMaxPlayerBytes = qint64{2} << 30;

double rate(const job::FrameRate& frameRate) {
    return frameRate.denominator > 0
               ? static_cast<double>(frameRate.numerator) / static_cast<double>(frameRate.denominator)
               : 0.0;
}

}  // namespace

QImage imageFromRgb(const ConstTensorView& rgb) {
    FW_CHECK(rgb.rank() == 3 && rgb.dim(2) == 3 && rgb.stride(2) == 1 && rgb.stride(1) == 3, "{}", rgb.text());
    const auto* data = rgb.as<std::uint8_t>();
    const QImage borrowed(data, static_cast<int>(rgb.dim(1)), static_cast<int>(rgb.dim(0)),
                          static_cast<qsizetype>(rgb.stride(0)), QImage::Format_RGB888);
    return borrowed.convertToFormat(QImage::Format_RGB32);
}

Result<LoadedClip> loadClip(const QString& file, const CancelToken& cancel) {
    const std::filesystem::path path(QFile::encodeName(file).toStdString());
    FW_ASSIGN(const auto info, media::readClipInfo(path));
    // In floating point, because a damaged file may announce any number of frames.
    const double wanted = static_cast<double>(info.width * info.height * 4) * static_cast<double>(info.frames);
    if (wanted > static_cast<double>(kMaxPlayerBytes)) {
        return fail(ErrorCode::OutOfMemory, "{} needs {:.0f} MiB to play, the player holds up to {} MiB",
                    file.toStdString(), wanted / (1 << 20), kMaxPlayerBytes >> 20);
    }
    auto request = job::requestFromMetadata(info.metadata);
    LoadedClip clip{file, {{}, rate(info.frameRate)}, {}};
    if (request) {
        clip.request = std::move(*request);
    }
    qint64 held = 0;  // what the container announces is not always what comes
    const Status read = media::readClipFrames(path, [&](const ConstTensorView& frame) -> Status {
        FW_TRY(cancel.check());
        held += frame.dim(0) * frame.dim(1) * 4;
        if (held > kMaxPlayerBytes) {
            return fail(ErrorCode::OutOfMemory, "{} is too large to play", file.toStdString());
        }
        const QImage image = imageFromRgb(frame);
        if (image.isNull()) {
            return fail(ErrorCode::OutOfMemory, "there is no memory to play {}", file.toStdString());
        }
        clip.images.frames.append(image);
        return {};
    });
    FW_TRY(read);
    if (clip.images.frames.isEmpty()) {
        return fail(ErrorCode::Io, "{} holds no frames", file.toStdString());
    }
    return clip;
}

namespace {

// The largest difference of a colour value; 0 for equal pictures.
int levelsApart(const QImage& first, const QImage& second) {
    int most = 0;
    for (int y = 0; y < first.height(); ++y) {
        const auto* a = reinterpret_cast<const QRgb*>(first.constScanLine(y));
        const auto* b = reinterpret_cast<const QRgb*>(second.constScanLine(y));
        for (int x = 0; x < first.width(); ++x) {
            most = std::max({most, std::abs(qRed(a[x]) - qRed(b[x])), std::abs(qGreen(a[x]) - qGreen(b[x])),
                             std::abs(qBlue(a[x]) - qBlue(b[x]))});
        }
    }
    return most;
}

}  // namespace

Result<ClipComparison> compareClips(const QString& first, const QString& second, const CancelToken& cancel) {
    FW_ASSIGN(const LoadedClip a, loadClip(first, cancel));
    FW_ASSIGN(const LoadedClip b, loadClip(second, cancel));
    const QList<QImage>& one = a.images.frames;
    const QList<QImage>& other = b.images.frames;
    ClipComparison result;
    result.frames = std::max(one.size(), other.size());
    for (qsizetype i = 0; i < result.frames; ++i) {
        FW_TRY(cancel.check());
        if (i >= one.size() || i >= other.size() || one[i].size() != other[i].size()) {
            ++result.differing;
            continue;
        }
        const int levels = levelsApart(one[i], other[i]);
        result.differing += levels > 0 ? 1 : 0;
        result.mostLevels = std::max(result.mostLevels, levels);
    }
    return result;
}

}  // namespace fw::app
