// The writers behind ClipWriter::create, one per format. Private to core/media.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/media/av_handles.h"
#include "core/media/clip_writer.h"
#include "core/media/part_path.h"

namespace fw::media {

// What the formats share: checks of the caller's frames, the part file, and its removal at the first error.
class ClipWriterBase : public ClipWriter {
 public:
    [[nodiscard]] Status write(const ConstTensorView& frames) final;
    [[nodiscard]] Status finish() final;

 protected:
    ClipWriterBase(std::unique_ptr<PartPath> part, ClipSpec spec);

    // One frame, packed RGB of spec().width × spec().height.
    [[nodiscard]] virtual Status writeFrame(const std::uint8_t* rgb) = 0;
    // Everything on disk and closed, ready to be synced and renamed.
    [[nodiscard]] virtual Status complete() = 0;
    // Close files; nothing else is called afterwards.
    virtual void release() noexcept = 0;

    [[nodiscard]] const ClipSpec& spec() const { return m_spec; }
    [[nodiscard]] int width() const { return static_cast<int>(m_spec.width); }
    [[nodiscard]] int height() const { return static_cast<int>(m_spec.height); }
    [[nodiscard]] const std::filesystem::path& partPath() const { return m_part->part(); }
    // The final name, for messages.
    [[nodiscard]] std::string name() const { return m_part->target().string(); }
    [[nodiscard]] std::int64_t frameCount() const { return m_frames; }

 private:
    [[nodiscard]] Status abandon(Status error);

    std::unique_ptr<PartPath> m_part;
    ClipSpec m_spec;
    std::int64_t m_frames = 0;
    Status m_failure;  // the first error; every later call repeats it
    bool m_finished = false;
};

// How a video format is encoded; every format but Gif, WebP and Png.
struct VideoEncoder {
    const char* container = "";
    const char* encoder = "";
    AVPixelFormat pixelFormat = AV_PIX_FMT_NONE;
    int widthMultiple = 1, heightMultiple = 1;
};
[[nodiscard]] VideoEncoder videoEncoder(ClipFormat format);

using CreatedWriter = Result<std::unique_ptr<ClipWriter>>;
[[nodiscard]] CreatedWriter createVideoClipWriter(const std::filesystem::path& path, const ClipSpec& spec,
                                                  ClipFormat format);
[[nodiscard]] CreatedWriter createGifClipWriter(const std::filesystem::path& path, const ClipSpec& spec);
[[nodiscard]] CreatedWriter createWebPClipWriter(const std::filesystem::path& path, const ClipSpec& spec);
[[nodiscard]] CreatedWriter createPngClipWriter(const std::filesystem::path& path, const ClipSpec& spec);

// Names inside a folder of PNG files.
inline constexpr const char* kPngMetadataFile = "metadata.json";  // ClipSpec::metadata, byte for byte
inline constexpr const char* kPngClipFile = "clip.json";          // {"frame_rate": [12, 1], …}

}  // namespace fw::media
