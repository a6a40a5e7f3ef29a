#include "ui/export_estimate.h"

#include <algorithm>
#include <cmath>

namespace fw::ui {
namespace {

using app::ExportFormat;

// Size relative to H.264 at quality 75 for the same pictures: rules of thumb.
double relativeSize(ExportFormat format) {
    switch (format) {
        case ExportFormat::H265:
            return 0.7;
        case ExportFormat::Vp9:
            return 0.8;
        case ExportFormat::Av1:
            return 0.55;
        case ExportFormat::WebP:
            return 1.6;
        default:
            return 1.0;
    }
}

// Bytes per pixel of formats that hardly depend on the picture; 0 for those that do.
double bytesPerPixel(ExportFormat format, int quality) {
    switch (format) {
        case ExportFormat::ProRes:  // Apple's target rates at 1080p30
            return quality >= 75 ? 0.44 : quality >= 50 ? 0.3 : quality >= 25 ? 0.2 : 0.09;
        case ExportFormat::Ffv1:
            return 1.2;
        case ExportFormat::Png:
            return 1.5;
        case ExportFormat::Gif:
            return 0.5;
        default:
            return 0.0;
    }
}

}  // namespace

qint64 exportedFrames(const app::ClipFacts& clip, const app::ExportOptions& options) {
    const qint64 last =
        options.lastFrame < 0 ? clip.frames - 1 : std::min<qint64>(options.lastFrame, clip.frames - 1);
    const qint64 frames = std::max<qint64>(0, last - options.firstFrame + 1);
    if (options.framesPerSecond <= 0.0 || clip.framesPerSecond <= 0.0 || frames == 0) {
        return frames;
    }
    return std::max<qint64>(
        1, std::llround(static_cast<double>(frames) * options.framesPerSecond / clip.framesPerSecond));
}

qint64 estimateExportBytes(const app::ClipFacts& clip, const app::ExportOptions& options) {
    const double scale = options.scalePercent / 100.0;
    const double pixels = static_cast<double>(clip.width) * clip.height * scale * scale;
    const double frames = static_cast<double>(exportedFrames(clip, options));
    if (const double fixed = bytesPerPixel(options.format, options.quality); fixed > 0.0) {
        return std::llround(pixels * frames * fixed);
    }
    const bool lossy = clip.codec == QLatin1String("h264") || clip.codec == QLatin1String("vp9") ||
                       clip.codec == QLatin1String("hevc") || clip.codec == QLatin1String("av1");
    const double sourcePixels = static_cast<double>(clip.width) * clip.height * static_cast<double>(clip.frames);
    if (!(sourcePixels > 0.0)) {
        return 0;
    }
    // Lossless sources say little about how an encoder that may lose something will do.
    const double perPixel = lossy ? static_cast<double>(clip.bytes) / sourcePixels : 0.05;
    // Smaller pictures hold more detail in each pixel. Encoders halve the size every six steps of their scale,
    // which are about nineteen of ours.
    const double detail = std::pow(scale, -0.5);
    const double quality = std::pow(2.0, (options.quality - 75) / 18.75);
    return std::llround(pixels * frames * perPixel * detail * quality * relativeSize(options.format));
}

}  // namespace fw::ui
