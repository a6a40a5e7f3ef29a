#include "core/media/clip_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>

#include "core/base/check.h"
#include "core/media/clip_writers.h"
#include "core/media/video_file.h"

namespace fw::media {
namespace {

constexpr std::array<ClipFormatInfo, 9> kFormats{{
    {ClipFormat::H264, "h264", "MP4, H.264", ".mp4", "h264", true, false},
    {ClipFormat::H265, "h265", "MP4, H.265", ".mp4", "hevc", true, false},
    {ClipFormat::Vp9, "vp9", "WebM, VP9", ".webm", "vp9", true, false},
    {ClipFormat::Av1, "av1", "WebM, AV1", ".webm", "av1", true, false},
    {ClipFormat::ProRes, "prores", "QuickTime, ProRes 422", ".mov", "prores", true, false},
    {ClipFormat::Ffv1, "ffv1", "Matroska, FFV1", ".mkv", "ffv1", false, false},
    {ClipFormat::Gif, "gif", "GIF", ".gif", "gif", false, true},
    {ClipFormat::WebP, "webp", "Animated WebP", ".webp", "webp", true, true},
    {ClipFormat::Png, "png", "PNG pictures", "", "png", false, false},
}};

// From `worst` at quality 0 to `best` at quality 100.
int linear(double worst, double best, int quality) {
    return static_cast<int>(std::lround(worst + (best - worst) * quality / 100.0));
}

}  // namespace

std::span<const ClipFormatInfo> clipFormats() {
    return kFormats;
}

const ClipFormatInfo& formatInfo(ClipFormat format) {
    return kFormats[static_cast<std::size_t>(format)];
}

std::optional<ClipFormat> formatOfPath(const std::filesystem::path& path) {
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!path.has_filename()) {
        extension.clear();
    }
    const auto* found = std::find_if(kFormats.begin(), kFormats.end(),
                                     [&](const ClipFormatInfo& info) { return info.extension == extension; });
    return found == kFormats.end() ? std::nullopt : std::optional(found->format);
}

Status checkFormat(ClipFormat format) {
    switch (format) {
        case ClipFormat::Gif:
            return checkEncoder("gif", "gif");
        case ClipFormat::Png:
            return checkEncoder("image2", "png");
        case ClipFormat::WebP:
            return {};  // linked, not looked up
        default: {
            const VideoEncoder encoder = videoEncoder(format);
            return checkEncoder(encoder.container, encoder.encoder);
        }
    }
}

int encoderQuality(ClipFormat format, int quality) {
    FW_CHECK(quality >= 1 && quality <= 100, "quality {}", quality);
    switch (format) {
        case ClipFormat::H264:
            return linear(40.0, 8.0, quality);
        case ClipFormat::H265:
            return linear(42.0, 10.0, quality);
        case ClipFormat::Vp9:
            return linear(52.0, 12.0, quality);
        case ClipFormat::Av1:
            return linear(56.0, 16.0, quality);
        case ClipFormat::ProRes:
            return std::min(quality / 25, 3);
        case ClipFormat::WebP:
        case ClipFormat::Ffv1:
        case ClipFormat::Gif:
        case ClipFormat::Png:
            break;
    }
    return quality;
}

}  // namespace fw::media
