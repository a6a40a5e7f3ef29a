// .mp4 (H.264) and .webm (VP9): frames are converted and encoded as they come, so memory does not grow with length.
#include "core/media/clip_writers.h"
#include "core/media/frame_convert.h"
#include "core/media/video_file.h"

namespace fw::media {
namespace {

VideoFileSpec mp4Spec() {
    VideoFileSpec video;
    video.container = "mp4";
    video.encoder = "libx264";
    // Visually lossless; a key frame every two dozen frames keeps stepping backwards in a player quick.
    video.encoderOptions = {{"crf", "16"}, {"preset", "medium"}, {"profile", "high"}, {"g", "24"}};
    video.muxerOptions = {{"movflags", "+faststart"}};
    return video;
}

VideoFileSpec webmSpec() {
    VideoFileSpec video;
    video.container = "webm";
    video.encoder = "libvpx-vp9";
    // b=0 with crf is libvpx's constant quality mode.
    video.encoderOptions = {{"crf", "22"}, {"b", "0"}, {"deadline", "good"}, {"cpu-used", "4"}, {"g", "48"}};
    return video;
}

class YuvClipWriter final : public ClipWriterBase {
 public:
    YuvClipWriter(std::unique_ptr<PartPath> part, const ClipSpec& spec, std::unique_ptr<VideoFile> video,
                  RgbToYuv toYuv, int codedWidth, int codedHeight)
        : ClipWriterBase(std::move(part), spec),
          m_toYuv(std::move(toYuv)),
          m_codedWidth(codedWidth),
          m_codedHeight(codedHeight),
          m_video(std::move(video)) {}

 private:
    Status writeFrame(const std::uint8_t* rgb) override {
        FW_ASSIGN(const FramePtr packed, rgbFrame(rgb, width(), height(), m_codedWidth, m_codedHeight));
        FW_ASSIGN(const FramePtr yuv, m_toYuv.convert(*packed));
        return m_video->write(*yuv);
    }
    Status complete() override { return m_video->finish(); }
    void release() noexcept override { m_video.reset(); }

    RgbToYuv m_toYuv;
    int m_codedWidth, m_codedHeight;
    std::unique_ptr<VideoFile> m_video;
};

}  // namespace

CreatedWriter createYuvClipWriter(const std::filesystem::path& path, const ClipSpec& spec, YuvFormat format) {
    VideoFileSpec video = format == YuvFormat::Mp4 ? mp4Spec() : webmSpec();
    FW_TRY(checkEncoder(video.container, video.encoder));
    FW_ASSIGN(auto part, PartPath::claim(path, PartPath::Kind::File));
    // H.264 with 4:2:0 colour codes whole pairs of pixels.
    const int multiple = format == YuvFormat::Mp4 ? 2 : 1;
    const int width = (static_cast<int>(spec.width) + multiple - 1) / multiple * multiple;
    const int height = (static_cast<int>(spec.height) + multiple - 1) / multiple * multiple;
    video.pixelFormat = AV_PIX_FMT_YUV420P;
    video.width = width;
    video.height = height;
    video.frameRate = spec.frameRate;
    video.comment = spec.metadata;
    FW_ASSIGN(RgbToYuv toYuv, RgbToYuv::create(width, height));
    FW_ASSIGN(auto file, VideoFile::create(part->part(), path.string(), video));
    return std::unique_ptr<ClipWriter>(
        new YuvClipWriter(std::move(part), spec, std::move(file), std::move(toYuv), width, height));
}

}  // namespace fw::media
