// .gif: one palette for the whole clip, so the frames are kept until the last one has been seen.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <vector>

#include "core/base/check.h"
#include "core/media/clip_writers.h"
#include "core/media/frame_convert.h"
#include "core/media/palette.h"
#include "core/media/video_file.h"

namespace fw::media {
namespace {

constexpr std::size_t kMaxKeptBytes = std::size_t{512} << 20U;
constexpr std::int64_t kMaxGifRate = 50;

// A GIF89a comment extension (section 24 of the specification: introducer, label, sub-blocks of at most 255 bytes,
// terminator) followed by the trailer that ends every GIF.
std::vector<std::uint8_t> commentAndTrailer(const std::string& comment) {
    std::vector<std::uint8_t> bytes = {0x21, 0xFE};
    for (std::size_t at = 0; at < comment.size(); at += 255) {
        const std::size_t length = std::min<std::size_t>(255, comment.size() - at);
        bytes.push_back(static_cast<std::uint8_t>(length));
        bytes.insert(bytes.end(), comment.begin() + static_cast<std::ptrdiff_t>(at),
                     comment.begin() + static_cast<std::ptrdiff_t>(at + length));
    }
    bytes.push_back(0);
    bytes.push_back(0x3B);
    return bytes;
}

// libavformat reads a GIF's comment but writes none: put it in place of the trailer, which is the last byte.
Status appendComment(const std::filesystem::path& file, const std::string& shownName, const std::string& comment) {
    const std::vector<std::uint8_t> bytes = commentAndTrailer(comment);
    const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    bool good = fd >= 0;
    const off_t end = good ? ::lseek(fd, -1, SEEK_END) : 0;
    std::uint8_t trailer = 0;
    good = good && end > 0 && ::read(fd, &trailer, 1) == 1;
    FW_CHECK(!good || trailer == 0x3B, "{} ends in byte {}", file.string(), trailer);
    for (std::size_t done = 0; good && done < bytes.size();) {
        const ssize_t written =
            ::pwrite(fd, bytes.data() + done, bytes.size() - done, end + static_cast<off_t>(done));
        good = written > 0 || (written < 0 && errno == EINTR);
        done += written > 0 ? static_cast<std::size_t>(written) : 0;
    }
    const int code = errno;
    good = (fd < 0 || ::close(fd) == 0) && good;
    if (!good) {
        return writeError(shownName, AvLog(), AVERROR(code));
    }
    return {};
}

// The file says how often it repeats after the first time, 0 for ever, and libav wants -1 for not at all.
std::string gifLoops(int plays) {
    return std::to_string(plays == 0 ? 0 : plays == 1 ? -1 : plays - 1);
}

class GifClipWriter final : public ClipWriterBase {
 public:
    GifClipWriter(std::unique_ptr<PartPath> part, const ClipSpec& spec, PaletteMaker colours)
        : ClipWriterBase(std::move(part), spec), m_colours(std::move(colours)) {}

 private:
    Status writeFrame(const std::uint8_t* rgb) override {
        const std::size_t bytes = static_cast<std::size_t>(width()) * static_cast<std::size_t>(height()) * 3;
        if ((m_kept.size() + 1) * bytes > kMaxKeptBytes) {
            return fail(ErrorCode::InvalidArgument,
                        "{} is too long for a GIF: frame {} of {} × {} pixels would go beyond {} MiB; use .mp4 or "
                        ".webm",
                        name(), frameCount() + 1, width(), height(), kMaxKeptBytes >> 20U);
        }
        FW_ASSIGN(const FramePtr frame, rgbFrame(rgb, width(), height(), width(), height()));
        frame->pts = frameCount();
        FW_TRY(m_colours.add(*frame));
        m_kept.emplace_back(rgb, rgb + bytes);
        return {};
    }

    Status complete() override {
        const job::FrameRate rate = spec().frameRate;
        const FilterSource source{AV_PIX_FMT_RGB24, width(), height(), rate};
        FW_ASSIGN(const FramePtr palette, m_colours.palette());
        FW_ASSIGN(PaletteMapper mapper, PaletteMapper::create(source, *palette));
        VideoFileSpec video;
        video.container = "gif";
        video.encoder = "gif";
        video.pixelFormat = AV_PIX_FMT_PAL8;
        video.width = width();
        video.height = height();
        video.frameRate = rate;
        video.muxerOptions = {{"loop", gifLoops(spec().loops)}, {"final_delay", std::to_string(lastDelay())}};
        FW_ASSIGN(const auto file, VideoFile::create(partPath(), name(), video));
        std::int64_t time = 0;
        for (const std::vector<std::uint8_t>& kept : m_kept) {
            FW_ASSIGN(const FramePtr frame, rgbFrame(kept.data(), width(), height(), width(), height()));
            frame->pts = time++;
            FW_ASSIGN(const FramePtr mapped, mapper.map(*frame));
            FW_TRY(file->write(*mapped));
        }
        FW_TRY(file->finish());
        return spec().metadata.empty() ? Status{} : appendComment(partPath(), name(), spec().metadata);
    }
    void release() noexcept override { m_kept = {}; }

    // Hundredths of a second for the last frame, so that the whole clip lasts as long as it should.
    [[nodiscard]] std::int64_t lastDelay() const {
        const auto hundredths = [&](std::int64_t frames) {
            return std::llround(100.0 * static_cast<double>(frames * spec().frameRate.denominator) /
                                static_cast<double>(spec().frameRate.numerator));
        };
        return std::min<std::int64_t>(hundredths(frameCount()) - hundredths(frameCount() - 1), 65535);
    }

    PaletteMaker m_colours;
    std::vector<std::vector<std::uint8_t>> m_kept;  // packed RGB of every frame so far
};

}  // namespace

CreatedWriter createGifClipWriter(const std::filesystem::path& path, const ClipSpec& spec) {
    FW_TRY(checkEncoder("gif", "gif"));
    if (spec.frameRate.numerator > kMaxGifRate * spec.frameRate.denominator) {
        return fail(
            ErrorCode::InvalidArgument,
            "cannot write {}: a GIF shows at most {} frames per second, {}/{} were asked; use .mp4 or .webm",
            path.string(), kMaxGifRate, spec.frameRate.numerator, spec.frameRate.denominator);
    }
    const FilterSource source{AV_PIX_FMT_RGB24, static_cast<int>(spec.width), static_cast<int>(spec.height),
                              spec.frameRate};
    FW_ASSIGN(PaletteMaker colours, PaletteMaker::create(source));
    FW_ASSIGN(auto part, PartPath::claim(path, PartPath::Kind::File));
    return std::unique_ptr<ClipWriter>(new GifClipWriter(std::move(part), spec, std::move(colours)));
}

}  // namespace fw::media
