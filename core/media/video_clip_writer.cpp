// .mp4, .webm, .mov and .mkv: frames are converted and encoded as they come, so memory does not grow with length.
#include <algorithm>

#include "core/base/check.h"
#include "core/media/clip_writers.h"
#include "core/media/frame_convert.h"
#include "core/media/video_file.h"

namespace fw::media {
namespace {

// By encoderQuality.
constexpr const char* kProResProfiles[] = {"proxy", "lt", "standard", "hq"};

constexpr std::int64_t kSmallestSliced =
    16;  // FFV1 divides a picture into slices, which tiny ones have no room for

VideoFileSpec::Options encoderOptions(ClipFormat format, const ClipSpec& spec) {
    const int value = encoderQuality(format, spec.quality);
    const std::string text = std::to_string(value);
    switch (format) {
        case ClipFormat::H264:
            // A key frame every two dozen frames keeps stepping backwards in a player quick. Without mbtree: for
            // narrow pictures x264's choice then hangs on memory it never wrote, and the bytes differ from run to
            // run.
            return {{"crf", text}, {"preset", "medium"}, {"profile", "high"}, {"g", "24"}, {"mbtree", "0"}};
        case ClipFormat::H265:
            // One frame after another, because the bytes depend on the number of threads; x265 would also write its
            // settings to stderr, and into the file. Without cutree: its vector code writes past the end of a row
            // of blocks whose number is no multiple of eight (x265 3.5), which corrupts the heap.
            return {{"crf", text},
                    {"preset", "medium"},
                    {"g", "48"},
                    {"x265-params", "log-level=none:pools=none:frame-threads=1:info=0:cutree=0"}};
        case ClipFormat::Vp9:
            // b=0 with crf is libvpx's constant quality mode.
            return {{"crf", text}, {"b", "0"}, {"deadline", "good"}, {"cpu-used", "4"}, {"g", "48"}};
        case ClipFormat::Av1:
            return {{"crf", text}, {"b", "0"}, {"usage", "good"}, {"cpu-used", "6"}, {"g", "96"}};
        case ClipFormat::ProRes:
            return {{"profile", kProResProfiles[value]}, {"vendor", "apl0"}};
        case ClipFormat::Ffv1:
            // Version 3 with checksums in every slice is the archives' profile (RFC 9043).
            if (std::min(spec.width, spec.height) < kSmallestSliced) {
                return {{"level", "1"}, {"g", "1"}};
            }
            return {{"level", "3"}, {"slicecrc", "1"}, {"g", "1"}};
        default:
            FW_CHECK(false, "format {} is no video", static_cast<int>(format));
    }
    return {};
}

// Small pictures are quick enough on one, and would be divided into strips too thin to be worth it.
constexpr std::int64_t kThreadedPixels = 640 * 352;
constexpr int kThreads = 4;

VideoFileSpec fileSpec(ClipFormat format, const ClipSpec& spec) {
    const VideoEncoder encoder = videoEncoder(format);
    VideoFileSpec video;
    video.container = encoder.container;
    video.encoder = encoder.encoder;
    video.pixelFormat = encoder.pixelFormat;
    video.encoderOptions = encoderOptions(format, spec);
    video.frameRate = spec.frameRate;
    video.comment = spec.metadata;
    if (format == ClipFormat::H264 && spec.width * spec.height >= kThreadedPixels) {
        video.threads = kThreads;
    }
    if (video.container == "mp4") {
        video.muxerOptions = {{"movflags", "+faststart"}};
    } else if (video.container == "mov") {
        // QuickTime's older place for comments ends at 64 KiB.
        video.muxerOptions = {{"movflags", "+faststart+use_metadata_tags"}};
    }
    if (format == ClipFormat::H265) {
        video.codecTag = MKTAG('h', 'v', 'c', '1');
        // Two with the preset's B-frame pyramid. x265 reads uninitialised memory for clips of one or two frames.
        video.decodingLead = 2;
    }
    return video;
}

class VideoClipWriter final : public ClipWriterBase {
 public:
    VideoClipWriter(std::unique_ptr<PartPath> part, const ClipSpec& spec, std::unique_ptr<VideoFile> video,
                    FromRgb fromRgb, int codedWidth, int codedHeight)
        : ClipWriterBase(std::move(part), spec),
          m_fromRgb(std::move(fromRgb)),
          m_codedWidth(codedWidth),
          m_codedHeight(codedHeight),
          m_video(std::move(video)) {}

 private:
    Status writeFrame(const std::uint8_t* rgb) override {
        FW_ASSIGN(const FramePtr packed, rgbFrame(rgb, width(), height(), m_codedWidth, m_codedHeight));
        FW_ASSIGN(const FramePtr converted, m_fromRgb.convert(*packed));
        return m_video->write(*converted);
    }
    Status complete() override { return m_video->finish(); }
    void release() noexcept override { m_video.reset(); }

    FromRgb m_fromRgb;
    int m_codedWidth, m_codedHeight;
    std::unique_ptr<VideoFile> m_video;
};

}  // namespace

VideoEncoder videoEncoder(ClipFormat format) {
    switch (format) {
        case ClipFormat::H264:
            return {"mp4", "libx264", AV_PIX_FMT_YUV420P, 2, 2};
        case ClipFormat::H265:
            return {"mp4", "libx265", AV_PIX_FMT_YUV420P, 2, 2};
        case ClipFormat::Vp9:
            return {"webm", "libvpx-vp9", AV_PIX_FMT_YUV420P, 1, 1};
        case ClipFormat::Av1:
            // SVT-AV1 is quicker, but Debian's writes its settings to stderr and cannot be told not to.
            return {"webm", "libaom-av1", AV_PIX_FMT_YUV420P, 1, 1};
        case ClipFormat::ProRes:
            return {"mov", "prores_ks", AV_PIX_FMT_YUV422P10, 2, 1};
        case ClipFormat::Ffv1:
            return {"matroska", "ffv1", AV_PIX_FMT_0RGB32, 1, 1};
        default:
            FW_CHECK(false, "format {} is no video", static_cast<int>(format));
    }
    return {};
}

CreatedWriter createVideoClipWriter(const std::filesystem::path& path, const ClipSpec& spec, ClipFormat format) {
    FW_TRY(checkFormat(format));
    if (format == ClipFormat::Av1 && spec.frameRate.numerator < spec.frameRate.denominator) {
        return fail(ErrorCode::InvalidArgument,
                    "cannot write {}: AV1 needs at least one frame per second, {} were asked; use VP9",
                    path.string(), job::frameRateText(spec.frameRate));
    }
    const VideoEncoder encoder = videoEncoder(format);
    FW_ASSIGN(auto part, PartPath::claim(path, PartPath::Kind::File));
    const auto roundedUp = [](std::int64_t side, int multiple) {
        return (static_cast<int>(side) + multiple - 1) / multiple * multiple;
    };
    VideoFileSpec video = fileSpec(format, spec);
    video.width = roundedUp(spec.width, encoder.widthMultiple);
    video.height = roundedUp(spec.height, encoder.heightMultiple);
    FW_ASSIGN(FromRgb fromRgb, FromRgb::create(encoder.pixelFormat, video.width, video.height));
    FW_ASSIGN(auto file, VideoFile::create(part->part(), path.string(), video));
    return std::unique_ptr<ClipWriter>(
        new VideoClipWriter(std::move(part), spec, std::move(file), std::move(fromRgb), video.width, video.height));
}

}  // namespace fw::media
