#include "core/media/clip_reader.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

#include "core/job/clip_metadata.h"
#include "core/media/av_error.h"
#include "core/media/av_handles.h"
#include "core/media/clip_writers.h"
#include "core/media/frame_convert.h"
#include "core/media/known_value.h"
#include "core/media/webp_file.h"

namespace fw::media {
namespace {

namespace fs = std::filesystem;

// libav would take a "%d" anywhere in the path for a pattern and refuse; one picture is one file here.
constexpr const char* kPngFormat = "png_pipe";
// Nothing else of libav is ever fed with bytes of unknown origin. AV1 has three decoders by way of the
// installation.
constexpr const char* kDecoders = "h264,hevc,vp9,libdav1d,libaom-av1,av1,prores,ffv1,gif,png";

std::string nameOr(const char* name) {
    return name == nullptr ? "unknown" : name;
}

// One opened video file and its decoder.
class VideoInput {
 public:
    // `format`: libav's name where it is known, null to recognise the file by its content.
    static Result<VideoInput> open(const fs::path& path, const char* format);

    // Every frame in order of presentation.
    Status decode(const std::function<Status(const AVFrame&)>& take);
    // From the header, or by reading the file to its end without decoding.
    Result<std::int64_t> countFrames();

    [[nodiscard]] AVFormatContext& format() const { return *m_input; }
    [[nodiscard]] const AVStream& stream() const { return *m_stream; }

 private:
    explicit VideoInput(fs::path path) : m_path(std::move(path)) {}

    Status openDecoder();
    Status decodePacket(const AVPacket* packet, const std::function<Status(const AVFrame&)>& take);
    // False at the end of the file.
    Result<bool> nextPacket(AVPacket& packet);

    fs::path m_path;
    InputPtr m_input;
    AVStream* m_stream = nullptr;  // owned by m_input
    CodecPtr m_decoder;
    std::int64_t m_decoded = 0;
};

Result<VideoInput> VideoInput::open(const fs::path& path, const char* format) {
    VideoInput video(path);
    const AvLog log;
    AvOptions options;
    // Play lists and the like could name other files or addresses; only these formats and codecs are ours.
    options.set("protocol_whitelist", "file");
    options.set("format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,gif,png_pipe");
    options.set("codec_whitelist", kDecoders);
    AVFormatContext* input = nullptr;
    const std::string url = "file:" + path.string();
    const AVInputFormat* known = format == nullptr ? nullptr : av_find_input_format(format);
    if (const int code = avformat_open_input(&input, url.c_str(), known, options.get()); code < 0) {
        // EINVAL is how libav says that the format is not on our list.
        return fail(ErrorCode::Io, "cannot read {}: {}", path.string(),
                    code == AVERROR_INVALIDDATA || code == AVERROR(EINVAL)
                        ? "it is no .mp4, .mov, .webm, .mkv, .gif, .webp or .png file"
                        : log.describe(code));
    }
    video.m_input.reset(input);
    if (const int code = avformat_find_stream_info(input, nullptr); code < 0) {
        return fail(ErrorCode::Io, "cannot read {}: {}", path.string(), log.describe(code));
    }
    const int index = av_find_best_stream(input, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    if (index < 0) {
        return fail(ErrorCode::Io, "cannot read {}: there is no video in it", path.string());
    }
    video.m_stream = input->streams[index];
    if (video.m_stream->codecpar->width < 1 || video.m_stream->codecpar->height < 1) {
        return fail(ErrorCode::Io, "cannot read {}: the file is damaged, its pictures have no size", path.string());
    }
    return video;
}

Status VideoInput::openDecoder() {
    const AvLog log;
    const AVCodecParameters& parameters = *m_stream->codecpar;
    const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
    if (codec == nullptr) {
        return fail(ErrorCode::Io, "cannot play {}: no decoder for {}", m_path.string(),
                    avcodec_get_name(parameters.codec_id));
    }
    m_decoder.reset(avcodec_alloc_context3(codec));
    int code = m_decoder ? avcodec_parameters_to_context(m_decoder.get(), &parameters) : AVERROR(ENOMEM);
    if (code >= 0) {
        m_decoder->codec_whitelist = av_strdup(kDecoders);
        m_decoder->max_pixels = std::int64_t{16384} * 16384;
        m_decoder->thread_count = 1;
        code = avcodec_open2(m_decoder.get(), codec, nullptr);
    }
    if (code < 0) {
        return fail(ErrorCode::Io, "cannot play {}: {}", m_path.string(), log.describe(code));
    }
    return {};
}

Result<bool> VideoInput::nextPacket(AVPacket& packet) {
    const AvLog log;
    while (true) {
        av_packet_unref(&packet);
        const int code = av_read_frame(m_input.get(), &packet);
        if (code == AVERROR_EOF) {
            return false;
        }
        if (code < 0) {
            return fail(ErrorCode::Io, "{} is damaged after {} frames: {}", m_path.string(), m_decoded,
                        log.describe(code));
        }
        if (packet.stream_index == m_stream->index) {
            return true;
        }
    }
}

Status VideoInput::decodePacket(const AVPacket* packet, const std::function<Status(const AVFrame&)>& take) {
    const AvLog log;
    const FramePtr frame(av_frame_alloc());
    int code = frame ? avcodec_send_packet(m_decoder.get(), packet) : AVERROR(ENOMEM);
    while (code >= 0) {
        code = avcodec_receive_frame(m_decoder.get(), frame.get());
        if (code >= 0) {
            ++m_decoded;
            FW_TRY(take(*frame));
        }
    }
    if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) {
        return fail(ErrorCode::Io, "{} is damaged after {} frames: {}", m_path.string(), m_decoded,
                    log.describe(code));
    }
    return {};
}

Status VideoInput::decode(const std::function<Status(const AVFrame&)>& take) {
    FW_TRY(openDecoder());
    const PacketPtr packet(av_packet_alloc());
    if (!packet) {
        return fail(ErrorCode::OutOfMemory, "no memory to play {}", m_path.string());
    }
    while (true) {
        FW_ASSIGN(const bool more, nextPacket(*packet));
        FW_TRY(decodePacket(more ? packet.get() : nullptr, take));
        if (!more) {
            break;
        }
    }
    if (m_decoded < std::max<std::int64_t>(m_stream->nb_frames, 1)) {
        return fail(ErrorCode::Io, "{} is damaged: it ends after {} of {} frames", m_path.string(), m_decoded,
                    m_stream->nb_frames);
    }
    return {};
}

Result<std::int64_t> VideoInput::countFrames() {
    if (m_stream->nb_frames > 0) {
        return m_stream->nb_frames;
    }
    const PacketPtr packet(av_packet_alloc());
    if (!packet) {
        return fail(ErrorCode::OutOfMemory, "no memory to read {}", m_path.string());
    }
    std::int64_t count = 0;
    while (true) {
        FW_ASSIGN(const bool more, nextPacket(*packet));
        if (!more) {
            return count;
        }
        ++count;
    }
}

ColourTags coloursOf(const AVCodecParameters& parameters) {
    ColourTags tags;
    tags.pixelFormat = nameOr(av_get_pix_fmt_name(static_cast<AVPixelFormat>(parameters.format)));
    tags.range = nameOr(av_color_range_name(knownValue(parameters.color_range, AVCOL_RANGE_NB)));
    tags.matrix = nameOr(av_color_space_name(knownValue(parameters.color_space, AVCOL_SPC_NB)));
    tags.primaries = nameOr(av_color_primaries_name(knownValue(parameters.color_primaries, AVCOL_PRI_NB)));
    tags.transfer = nameOr(av_color_transfer_name(knownValue(parameters.color_trc, AVCOL_TRC_NB)));
    return tags;
}

// frames / (duration · timeBase), reduced.
job::FrameRate meanRate(std::int64_t frames, std::int64_t duration, AVRational timeBase) {
    int numerator = 0, denominator = 1;
    av_reduce(&numerator, &denominator, frames * timeBase.den, duration * timeBase.num, 1'000'000);
    return {std::max(numerator, 1), std::max(denominator, 1)};
}

Result<ClipInfo> readFileInfo(const fs::path& path, const char* format = nullptr) {
    FW_ASSIGN(VideoInput video, VideoInput::open(path, format));
    const AVStream& stream = video.stream();
    ClipInfo info;
    info.container = video.format().iformat->name;
    info.codec = avcodec_get_name(stream.codecpar->codec_id);
    info.width = stream.codecpar->width;
    info.height = stream.codecpar->height;
    if (stream.avg_frame_rate.num > 0 && stream.avg_frame_rate.den > 0) {
        info.frameRate = {stream.avg_frame_rate.num, stream.avg_frame_rate.den};
    }
    info.colours = coloursOf(*stream.codecpar);
    if (const AVDictionaryEntry* comment = av_dict_get(video.format().metadata, "comment", nullptr, 0)) {
        info.metadata = comment->value;
    }
    FW_ASSIGN(info.frames, video.countFrames());
    if (stream.codecpar->codec_id == AV_CODEC_ID_GIF && stream.duration > 0) {
        // libav guesses from single frames, whose times are rounded; the length of the whole is more exact.
        info.frameRate = meanRate(info.frames, stream.duration, stream.time_base);
    }
    return info;
}

Status readFileFrames(const fs::path& path, const std::function<Status(const ConstTensorView&)>& give,
                      const char* format = nullptr) {
    FW_ASSIGN(VideoInput video, VideoInput::open(path, format));
    ToRgb toRgb;
    std::vector<std::uint8_t> packed;
    return video.decode([&](const AVFrame& decoded) -> Status {
        FW_ASSIGN(const FramePtr rgb, toRgb.convert(decoded));
        const std::size_t rowBytes = static_cast<std::size_t>(rgb->width) * 3;
        packed.resize(rowBytes * static_cast<std::size_t>(rgb->height));
        for (int y = 0; y < rgb->height; ++y) {
            std::memcpy(packed.data() + static_cast<std::size_t>(y) * rowBytes,
                        rgb->data[0] + static_cast<std::ptrdiff_t>(y) * rgb->linesize[0], rowBytes);
        }
        return give(ConstTensorView(packed.data(), DType::U8, {rgb->height, rgb->width, 3}));
    });
}

// frame_*.png in the order of their numbers.
Result<std::vector<fs::path>> listPngFrames(const fs::path& folder) {
    std::vector<fs::path> frames;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with("frame_") && name.ends_with(".png")) {
            frames.push_back(entry->path());
        }
    }
    if (error) {
        return fail(ErrorCode::Io, "cannot read the folder {}: {}", folder.string(), error.message());
    }
    if (frames.empty()) {
        return fail(ErrorCode::Io, "the folder {} holds no clip: there is no frame_00000.png in it",
                    folder.string());
    }
    // The numbers have five digits or more, so a longer name is a later frame.
    std::sort(frames.begin(), frames.end(), [](const fs::path& a, const fs::path& b) {
        const std::size_t lengthA = a.native().size(), lengthB = b.native().size();
        return lengthA != lengthB ? lengthA < lengthB : a < b;
    });
    return frames;
}

// Empty when there is no such file, or none of a sensible size.
std::string readText(const fs::path& path) {
    constexpr std::uintmax_t kMaxBytes = std::uintmax_t{16} << 20U;
    std::error_code error;
    if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kMaxBytes || error) {
        return {};
    }
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// [numerator, denominator] of clip.json; nothing usable leaves the default.
job::FrameRate folderFrameRate(const fs::path& folder) {
    const auto clip = job::parseUntrustedJson(readText(folder / kPngClipFile));
    const Json rate = clip && clip->is_object() ? clip->value("frame_rate", Json()) : Json();
    if (rate.is_array() && rate.size() == 2 && rate[0].is_number_integer() && rate[1].is_number_integer() &&
        rate[0].get<std::int64_t>() > 0 && rate[1].get<std::int64_t>() > 0) {
        return {rate[0].get<std::int64_t>(), rate[1].get<std::int64_t>()};
    }
    return {};
}

Result<ClipInfo> readFolderInfo(const fs::path& folder) {
    FW_ASSIGN(const std::vector<fs::path> frames, listPngFrames(folder));
    FW_ASSIGN(ClipInfo info, readFileInfo(frames.front(), kPngFormat));
    info.container = "folder";
    info.frames = static_cast<std::int64_t>(frames.size());
    info.frameRate = folderFrameRate(folder);
    info.metadata = readText(folder / kPngMetadataFile);
    return info;
}

Status checkExists(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) {
        return fail(ErrorCode::Io, "cannot read {}: {}", path.string(),
                    error ? error.message() : "there is no such file");
    }
    // Opening a pipe would wait for ever.
    if (!fs::is_regular_file(path, error) && !fs::is_directory(path, error)) {
        return fail(ErrorCode::Io, "cannot read {}: it is neither a file nor a folder", path.string());
    }
    return {};
}

}  // namespace

Result<ClipInfo> readClipInfo(const fs::path& path) {
    FW_TRY(checkExists(path));
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        return readFolderInfo(path);
    }
    return isWebP(path) ? readWebPInfo(path) : readFileInfo(path);
}

Status readClipFrames(const fs::path& path, const std::function<Status(const ConstTensorView& frame)>& frame) {
    FW_TRY(checkExists(path));
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
        return isWebP(path) ? readWebPFrames(path, frame) : readFileFrames(path, frame);
    }
    FW_ASSIGN(const std::vector<fs::path> files, listPngFrames(path));
    for (const fs::path& file : files) {
        FW_TRY(readFileFrames(file, frame, kPngFormat));
    }
    return {};
}

}  // namespace fw::media
