#include "core/media/webp_file.h"

#include <webp/demux.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <numeric>
#include <system_error>
#include <vector>

#include "core/media/webp_note.h"

namespace fw::media {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{512} << 20U;
constexpr int kFallbackMs = 100;  // browsers' time for a frame that claims to last no time

struct DemuxerCloser {
    void operator()(WebPDemuxer* demuxer) const noexcept { WebPDemuxDelete(demuxer); }
};
using DemuxerPtr = std::unique_ptr<WebPDemuxer, DemuxerCloser>;

struct DecoderCloser {
    void operator()(WebPAnimDecoder* decoder) const noexcept { WebPAnimDecoderDelete(decoder); }
};
using DecoderPtr = std::unique_ptr<WebPAnimDecoder, DecoderCloser>;

Result<std::vector<std::uint8_t>> readAll(const fs::path& path) {
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(path, error);
    if (!error && bytes > kMaxFileBytes) {
        return fail(ErrorCode::Io, "cannot read {}: it has {} MiB, animated WebP is read up to {} MiB",
                    path.string(), bytes >> 20U, kMaxFileBytes >> 20U);
    }
    std::vector<std::uint8_t> data(error ? 0 : bytes);
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size()));
    if (error || !file) {
        return fail(ErrorCode::Io, "cannot read {}: {}", path.string(), error ? error.message() : "it ended early");
    }
    return data;
}

tl::unexpected<Error> damaged(const fs::path& path, std::int64_t frames) {
    return fail(ErrorCode::Io, "{} is damaged after {} frames", path.string(), frames);
}

std::optional<WebPNote> noteOf(const WebPDemuxer& demuxer) {
    WebPChunkIterator chunk{};
    std::optional<WebPNote> note;
    if (WebPDemuxGetChunk(&demuxer, "XMP ", 1, &chunk) != 0) {
        note = noteOfXmp({reinterpret_cast<const char*>(chunk.chunk.bytes), chunk.chunk.size});
    }
    WebPDemuxReleaseChunkIterator(&chunk);
    return note;
}

// Milliseconds each picture is shown.
std::vector<int> durationsOf(const WebPDemuxer& demuxer) {
    std::vector<int> durations;
    WebPIterator frame{};
    if (WebPDemuxGetFrame(&demuxer, 1, &frame) != 0) {
        do {
            durations.push_back(frame.duration > 0 ? frame.duration : kFallbackMs);
        } while (WebPDemuxNextFrame(&frame) != 0);
    }
    WebPDemuxReleaseIterator(&frame);
    return durations;
}

// What is in the file; `data` outlives it.
struct Opened {
    DemuxerPtr demuxer;
    std::optional<WebPNote> note;
    std::vector<int> durations;
};

Result<Opened> openWebP(const fs::path& path, const std::vector<std::uint8_t>& data) {
    const WebPData bytes{data.data(), data.size()};
    Opened opened{DemuxerPtr(WebPDemux(&bytes)), {}, {}};
    if (!opened.demuxer) {
        return fail(ErrorCode::Io, "cannot read {}: the WebP file is damaged or incomplete", path.string());
    }
    opened.note = noteOf(*opened.demuxer);
    opened.durations = durationsOf(*opened.demuxer);
    if (opened.durations.empty()) {
        return fail(ErrorCode::Io, "cannot read {}: there is no picture in it", path.string());
    }
    if (opened.note && opened.note->frames < static_cast<std::int64_t>(opened.durations.size())) {
        opened.note.reset();  // somebody edited the file
    }
    return opened;
}

// Pictures per second over the whole file.
job::FrameRate meanRate(const std::vector<int>& durations) {
    const std::int64_t total = std::accumulate(durations.begin(), durations.end(), std::int64_t{0});
    const std::int64_t frames = static_cast<std::int64_t>(durations.size()) * 1000;
    const std::int64_t divisor = std::gcd(frames, total);
    return {frames / divisor, total / divisor};
}

}  // namespace

bool isWebP(const fs::path& path) {
    char head[12] = {};
    std::ifstream file(path, std::ios::binary);
    file.read(head, sizeof(head));
    return file && std::memcmp(head, "RIFF", 4) == 0 && std::memcmp(head + 8, "WEBP", 4) == 0;
}

Result<ClipInfo> readWebPInfo(const fs::path& path) {
    FW_ASSIGN(const std::vector<std::uint8_t> data, readAll(path));
    FW_ASSIGN(const Opened opened, openWebP(path, data));
    ClipInfo info;
    info.container = "webp";
    info.codec = "webp";
    info.width = WebPDemuxGetI(opened.demuxer.get(), WEBP_FF_CANVAS_WIDTH);
    info.height = WebPDemuxGetI(opened.demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
    info.frames = opened.note ? opened.note->frames : static_cast<std::int64_t>(opened.durations.size());
    info.frameRate = opened.note ? opened.note->frameRate : meanRate(opened.durations);
    // WebP defines its colours; there is nothing to tag.
    info.colours = {"rgba", "pc", "gbr", "bt709", "iec61966-2-1"};
    info.metadata = opened.note ? opened.note->metadata : std::string();
    return info;
}

Status readWebPFrames(const fs::path& path, const std::function<Status(const ConstTensorView& frame)>& give) {
    FW_ASSIGN(const std::vector<std::uint8_t> data, readAll(path));
    FW_ASSIGN(const Opened opened, openWebP(path, data));
    WebPAnimDecoderOptions options{};
    WebPAnimInfo info{};
    const WebPData bytes{data.data(), data.size()};
    DecoderPtr decoder;
    if (WebPAnimDecoderOptionsInit(&options) != 0) {
        options.color_mode = MODE_rgbA;  // multiplied by its alpha, which is what it looks like on black
        decoder.reset(WebPAnimDecoderNew(&bytes, &options));
    }
    if (!decoder || WebPAnimDecoderGetInfo(decoder.get(), &info) == 0) {
        return damaged(path, 0);
    }
    const std::int64_t height = info.canvas_height, width = info.canvas_width;
    std::vector<std::uint8_t> packed(static_cast<std::size_t>(height * width * 3));
    std::int64_t pictures = 0, given = 0;
    while (WebPAnimDecoderHasMoreFrames(decoder.get()) != 0) {
        std::uint8_t* rgba = nullptr;
        int endMs = 0;
        if (WebPAnimDecoderGetNext(decoder.get(), &rgba, &endMs) == 0) {
            return damaged(path, pictures);
        }
        ++pictures;
        for (std::size_t pixel = 0; pixel < packed.size() / 3; ++pixel) {
            std::memcpy(packed.data() + pixel * 3, rgba + pixel * 4, 3);
        }
        std::int64_t until = pictures;
        if (opened.note) {
            // Equal frames were joined: give each of them, the last picture filling up to what was announced.
            const job::FrameRate rate = opened.note->frameRate;
            const auto shown =
                (std::int64_t{endMs} * rate.numerator + 500 * rate.denominator) / (1000 * rate.denominator);
            const bool last = WebPAnimDecoderHasMoreFrames(decoder.get()) == 0;
            until = last ? opened.note->frames : std::clamp(shown, given + 1, opened.note->frames);
        }
        for (; given < until; ++given) {
            FW_TRY(give(ConstTensorView(packed.data(), DType::U8, {height, width, 3})));
        }
    }
    return pictures > 0 ? Status() : damaged(path, 0);
}

}  // namespace fw::media
