// .webp: an animation, through libwebp's encoder, which stores only what changes from frame to frame.
#include <webp/encode.h>
#include <webp/mux.h>

#include "core/media/clip_writers.h"
#include "core/media/webp_note.h"

namespace fw::media {
namespace {

constexpr std::int64_t kMaxWebPSide = WEBP_MAX_DIMENSION;
constexpr int kLosslessQuality = 100;
constexpr std::size_t kMaxChunkBytes = std::size_t{1} << 30U;

struct EncoderCloser {
    void operator()(WebPAnimEncoder* encoder) const noexcept { WebPAnimEncoderDelete(encoder); }
};
using EncoderPtr = std::unique_ptr<WebPAnimEncoder, EncoderCloser>;

struct MuxCloser {
    void operator()(WebPMux* mux) const noexcept { WebPMuxDelete(mux); }
};
using MuxPtr = std::unique_ptr<WebPMux, MuxCloser>;

// Bytes allocated by libwebp.
class OwnedData {
 public:
    OwnedData() { WebPDataInit(&m_data); }
    ~OwnedData() { WebPDataClear(&m_data); }
    OwnedData(const OwnedData&) = delete;
    OwnedData& operator=(const OwnedData&) = delete;
    [[nodiscard]] WebPData* get() { return &m_data; }

 private:
    WebPData m_data{};
};

class OwnedPicture {
 public:
    OwnedPicture() { m_good = WebPPictureInit(&m_picture) != 0; }
    ~OwnedPicture() { WebPPictureFree(&m_picture); }
    OwnedPicture(const OwnedPicture&) = delete;
    OwnedPicture& operator=(const OwnedPicture&) = delete;
    [[nodiscard]] WebPPicture* get() { return m_good ? &m_picture : nullptr; }

 private:
    WebPPicture m_picture{};
    bool m_good = false;
};

class WebPClipWriter final : public ClipWriterBase {
 public:
    WebPClipWriter(std::unique_ptr<PartPath> part, const ClipSpec& spec, EncoderPtr encoder,
                   const WebPConfig& config)
        : ClipWriterBase(std::move(part), spec), m_encoder(std::move(encoder)), m_config(config) {}

 private:
    [[nodiscard]] int timeMs(std::int64_t frame) const {
        const auto& rate = spec().frameRate;
        return static_cast<int>((frame * 1000 * rate.denominator + rate.numerator / 2) / rate.numerator);
    }

    [[nodiscard]] tl::unexpected<Error> encoderError(const char* reason) const {
        return fail(ErrorCode::Io, "the WebP encoder failed on frame {} of {}: {}", frameCount(), name(),
                    reason == nullptr || *reason == '\0' ? "out of memory" : reason);
    }

    Status writeFrame(const std::uint8_t* rgb) override {
        OwnedPicture picture;
        if (picture.get() == nullptr) {
            return encoderError("another version of libwebp is installed than this program was built for");
        }
        picture.get()->width = width();
        picture.get()->height = height();
        picture.get()->use_argb = 1;
        if (WebPPictureImportRGB(picture.get(), rgb, width() * 3) == 0 ||
            WebPAnimEncoderAdd(m_encoder.get(), picture.get(), timeMs(frameCount()), &m_config) == 0) {
            return encoderError(WebPAnimEncoderGetError(m_encoder.get()));
        }
        return {};
    }

    Status complete() override {
        OwnedData animation, file;
        if (WebPAnimEncoderAdd(m_encoder.get(), nullptr, timeMs(frameCount()), nullptr) == 0 ||
            WebPAnimEncoderAssemble(m_encoder.get(), animation.get()) == 0) {
            return encoderError(WebPAnimEncoderGetError(m_encoder.get()));
        }
        const std::string xmp = xmpOfNote({frameCount(), spec().frameRate, spec().metadata});
        const WebPData chunk{reinterpret_cast<const std::uint8_t*>(xmp.data()), xmp.size()};
        const MuxPtr mux(WebPMuxCreate(animation.get(), 0));
        if (!mux || xmp.size() > kMaxChunkBytes || WebPMuxSetChunk(mux.get(), "XMP ", &chunk, 0) != WEBP_MUX_OK ||
            WebPMuxAssemble(mux.get(), file.get()) != WEBP_MUX_OK) {
            return encoderError("its parts could not be joined");
        }
        return writeWholeFile(partPath(), file.get()->bytes, file.get()->size);
    }
    void release() noexcept override { m_encoder.reset(); }

    EncoderPtr m_encoder;
    WebPConfig m_config;
};

}  // namespace

CreatedWriter createWebPClipWriter(const std::filesystem::path& path, const ClipSpec& spec) {
    if (spec.width > kMaxWebPSide || spec.height > kMaxWebPSide) {
        return fail(ErrorCode::InvalidArgument,
                    "a WebP of {} × {} pixels cannot be written; each side must be 1 to {}", spec.width,
                    spec.height, kMaxWebPSide);
    }
    WebPConfig config{};
    WebPAnimEncoderOptions options{};
    if (WebPConfigInit(&config) == 0 || WebPAnimEncoderOptionsInit(&options) == 0) {
        return fail(ErrorCode::Unsupported, "the installed libwebp is not the one this program was built for");
    }
    config.lossless = spec.quality == kLosslessQuality ? 1 : 0;
    config.quality = config.lossless != 0 ? 75.0F : static_cast<float>(spec.quality);  // lossless: effort
    config.use_sharp_yuv = 1;  // coloured edges as sharp as 4:2:0 allows
    options.anim_params.loop_count = spec.loops;
    FW_ASSIGN(auto part, PartPath::claim(path, PartPath::Kind::File));
    EncoderPtr encoder(WebPAnimEncoderNew(static_cast<int>(spec.width), static_cast<int>(spec.height), &options));
    if (!encoder) {
        return fail(ErrorCode::OutOfMemory, "no memory to write {}", path.string());
    }
    return std::unique_ptr<ClipWriter>(new WebPClipWriter(std::move(part), spec, std::move(encoder), config));
}

}  // namespace fw::media
