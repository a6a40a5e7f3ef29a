#include "app/clips/clip_strip.h"

#include <QFile>
#include <QImage>
#include <algorithm>
#include <filesystem>

#include "core/base/check.h"
#include "core/media/clip_reader.h"

namespace fw::app {

Result<ClipImages> readStrip(const QString& file, int most, const QSize& box, const CancelToken& cancel) {
    FW_CHECK(most > 0 && !box.isEmpty(), "a strip of {} frames in {} × {}", most, box.width(), box.height());
    const std::filesystem::path path(QFile::encodeName(file).toStdString());
    FW_ASSIGN(const auto info, media::readClipInfo(path));
    const std::int64_t stride = std::max<std::int64_t>(1, (info.frames + most - 1) / most);
    ClipImages images;
    const double rate = info.frameRate.denominator > 0 ? static_cast<double>(info.frameRate.numerator) /
                                                             static_cast<double>(info.frameRate.denominator)
                                                       : 0.0;
    images.framesPerSecond = std::max(1.0, rate / static_cast<double>(stride));
    std::int64_t index = 0;
    const auto enough = [&] { return images.frames.size() >= most; };
    const auto status = media::readClipFrames(path, [&](const ConstTensorView& frame) -> Status {
        FW_TRY(cancel.check());
        if (index++ % stride == 0) {
            const QImage borrowed(frame.as<std::uint8_t>(), static_cast<int>(frame.dim(1)),
                                  static_cast<int>(frame.dim(0)), static_cast<qsizetype>(frame.stride(0)),
                                  QImage::Format_RGB888);
            images.frames.append(borrowed.scaled(box, Qt::KeepAspectRatio, Qt::SmoothTransformation)
                                     .convertToFormat(QImage::Format_RGB32));
        }
        // An error is how a reader is told to stop.
        return enough() ? Status(fail(ErrorCode::Cancelled, "enough frames")) : Status();
    });
    if (!status && !enough()) {
        return tl::unexpected(status.error());
    }
    if (images.frames.isEmpty()) {
        return fail(ErrorCode::Io, "{} holds no frames", file.toStdString());
    }
    return images;
}

}  // namespace fw::app
