// One video stream encoded into one container file through libavcodec and libavformat. Private to core/media.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/media/av_error.h"
#include "core/media/av_handles.h"

namespace fw::media {

struct VideoFileSpec {
    std::string container, encoder;  // libav's names: "mp4", "libx264"
    AVPixelFormat pixelFormat = AV_PIX_FMT_NONE;
    unsigned codecTag = 0;  // 0: the container's choice
    int width = 0, height = 0;
    job::FrameRate frameRate;
    // A fixed number, whatever the machine has: it decides which bytes the same frames become.
    int threads = 1;
    // How many packets decoding runs ahead of showing, where the encoder does not say so reliably; negative: it
    // does.
    int decodingLead = -1;
    std::string comment;  // container tag `comment`; empty: none
    using Options = std::vector<std::pair<const char*, std::string>>;
    Options encoderOptions, muxerOptions;
};

// Not thread-safe.
class VideoFile {
 public:
    // Opens the encoder, then `file` (truncated), then writes the header. Messages name `shownName`.
    [[nodiscard]] static Result<std::unique_ptr<VideoFile>> create(const std::filesystem::path& file,
                                                                   const std::string& shownName,
                                                                   const VideoFileSpec& spec);
    // The next frame in order; its time stamp is set here.
    [[nodiscard]] Status write(AVFrame& frame);
    // Drains the encoder, writes the trailer and closes the file, which is complete but not synced.
    [[nodiscard]] Status finish();

 private:
    VideoFile(std::string shownName, VideoFileSpec spec) : m_name(std::move(shownName)), m_spec(std::move(spec)) {}

    [[nodiscard]] Status openEncoder();
    [[nodiscard]] Status openFile(const std::filesystem::path& file);
    [[nodiscard]] Status encode(const AVFrame* frame);
    [[nodiscard]] Status writePacket();

    std::string m_name;
    VideoFileSpec m_spec;
    CodecPtr m_encoder;
    OutputPtr m_output;
    AVStream* m_stream = nullptr;  // owned by m_output
    PacketPtr m_packet;
    std::int64_t m_nextFrame = 0, m_nextPacket = 0;
};

// Unsupported when this FFmpeg was built without that encoder or container.
[[nodiscard]] Status checkEncoder(const std::string& container, const std::string& encoder);

// "cannot write clip.mp4: No space left on device …; free some space or choose another folder".
[[nodiscard]] tl::unexpected<Error> writeError(const std::string& name, const AvLog& log, int code);

}  // namespace fw::media
