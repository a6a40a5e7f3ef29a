// A folder of PNG files, lossless: frame_00000.png …, clip.json and, where there is any, metadata.json.
#include "core/base/json.h"
#include "core/media/av_error.h"
#include "core/media/clip_writers.h"
#include "core/media/frame_convert.h"
#include "core/media/video_file.h"

namespace fw::media {
namespace {

class PngClipWriter final : public ClipWriterBase {
 public:
    PngClipWriter(std::unique_ptr<PartPath> part, const ClipSpec& spec, CodecPtr encoder, PacketPtr packet)
        : ClipWriterBase(std::move(part), spec), m_encoder(std::move(encoder)), m_packet(std::move(packet)) {}

 private:
    Status writeFrame(const std::uint8_t* rgb) override {
        FW_ASSIGN(const FramePtr frame, rgbFrame(rgb, width(), height(), width(), height()));
        // Together these make the encoder write the sRGB chunk.
        frame->color_primaries = AVCOL_PRI_BT709;
        frame->color_trc = AVCOL_TRC_IEC61966_2_1;
        frame->pts = frameCount();
        const AvLog log;
        int code = avcodec_send_frame(m_encoder.get(), frame.get());
        if (code >= 0) {
            code = avcodec_receive_packet(m_encoder.get(), m_packet.get());
        }
        if (code < 0) {
            return fail(ErrorCode::Io, "the png encoder failed on frame {} of {}: {}", frameCount(), name(),
                        log.describe(code));
        }
        const auto file = partPath() / fmt::format("frame_{:05}.png", frameCount());
        Status status = writeWholeFile(file, m_packet->data, static_cast<std::size_t>(m_packet->size));
        av_packet_unref(m_packet.get());
        return status;
    }

    Status complete() override {
        OrderedJson clip;
        clip["frames"] = frameCount();
        clip["frame_rate"] = {spec().frameRate.numerator, spec().frameRate.denominator};
        clip["width"] = spec().width;
        clip["height"] = spec().height;
        const std::string text = clip.dump(2) + "\n";
        FW_TRY(writeWholeFile(partPath() / kPngClipFile, text.data(), text.size()));
        if (spec().metadata.empty()) {
            return {};
        }
        return writeWholeFile(partPath() / kPngMetadataFile, spec().metadata.data(), spec().metadata.size());
    }
    void release() noexcept override { m_encoder.reset(); }

    CodecPtr m_encoder;
    PacketPtr m_packet;
};

}  // namespace

CreatedWriter createPngClipWriter(const std::filesystem::path& path, const ClipSpec& spec) {
    // "frames/" names the folder "frames"; "/" names nothing.
    const std::filesystem::path folder = path.has_filename() ? path : path.parent_path();
    if (!folder.has_filename() || folder.filename() == "." || folder.filename() == "..") {
        return fail(ErrorCode::InvalidArgument, "cannot write a clip to {}: name a new folder", path.string());
    }
    const AVCodec* codec = avcodec_find_encoder_by_name("png");
    if (codec == nullptr) {
        return fail(ErrorCode::Unsupported, "the installed FFmpeg libraries have no png encoder; use .mp4");
    }
    CodecPtr encoder(avcodec_alloc_context3(codec));
    PacketPtr packet(av_packet_alloc());
    if (!encoder || !packet) {
        return fail(ErrorCode::OutOfMemory, "no memory to write {}", path.string());
    }
    encoder->width = static_cast<int>(spec.width);
    encoder->height = static_cast<int>(spec.height);
    encoder->pix_fmt = AV_PIX_FMT_RGB24;
    encoder->time_base =
        AVRational{static_cast<int>(spec.frameRate.denominator), static_cast<int>(spec.frameRate.numerator)};
    encoder->thread_count = 1;
    AvOptions options;
    options.set("pred", "mixed");
    const AvLog log;
    if (const int code = avcodec_open2(encoder.get(), codec, options.get()); code < 0) {
        return fail(ErrorCode::Io, "the png encoder refuses {} × {} pixels: {}", spec.width, spec.height,
                    log.describe(code));
    }
    FW_ASSIGN(auto part, PartPath::claim(folder, PartPath::Kind::Folder));
    return std::unique_ptr<ClipWriter>(
        new PngClipWriter(std::move(part), spec, std::move(encoder), std::move(packet)));
}

}  // namespace fw::media
