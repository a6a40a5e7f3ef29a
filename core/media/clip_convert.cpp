#include "core/media/clip_convert.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <system_error>
#include <vector>

#include "core/media/clip_writer.h"
#include "core/media/frame_scaler.h"
#include "core/media/part_path.h"

namespace fw::media {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxScalePercent = 400;

bool copies(const ClipInfo& info, const fs::path& from, const ConvertSpec& spec, const ConvertedShape& shape) {
    std::error_code ignored;
    return spec.copyWhenSame && spec.keepMetadata && fs::is_regular_file(from, ignored) &&
           info.codec == formatInfo(spec.format).codec && formatOfPath(from) &&
           formatInfo(*formatOfPath(from)).extension == formatInfo(spec.format).extension &&
           shape.frames == info.frames && shape.width == info.width && shape.height == info.height;
}

Status copyFile(const fs::path& from, const fs::path& to, const CancelToken& cancel,
                const std::function<void(double)>& progress) {
    FW_ASSIGN(const auto part, PartPath::claim(to, PartPath::Kind::File));
    std::error_code error;
    const auto total = std::max<std::uintmax_t>(fs::file_size(from, error), 1);
    std::ifstream source(from, std::ios::binary);
    std::ofstream target(part->part(), std::ios::binary | std::ios::trunc);
    std::vector<char> block(std::size_t{1} << 20U);
    std::uintmax_t done = 0;
    while (source && target) {
        FW_TRY(cancel.check());
        source.read(block.data(), static_cast<std::streamsize>(block.size()));
        target.write(block.data(), source.gcount());
        done += static_cast<std::uintmax_t>(source.gcount());
        progress(std::min(1.0, static_cast<double>(done) / static_cast<double>(total)));
    }
    if (error || !source.eof()) {
        return fail(ErrorCode::Io, "cannot read {}", from.string());
    }
    target.close();
    if (!target) {
        return fail(ErrorCode::Io, "cannot write {}; free some space or choose another folder", to.string());
    }
    return part->commit();
}

// Feeds source frames to the writer: leaves out what is outside the range, drops or repeats for the rate, scales.
class Conversion {
 public:
    Conversion(const ClipInfo& info, const ConvertSpec& spec, const ConvertedShape& shape, ClipWriter& writer,
               std::unique_ptr<FrameScaler> scaler)
        : m_info(info), m_spec(spec), m_shape(shape), m_writer(writer), m_scaler(std::move(scaler)) {}

    // All frames asked for were written.
    [[nodiscard]] bool done() const { return m_written == m_shape.frames; }
    [[nodiscard]] std::int64_t written() const { return m_written; }

    Status take(const ConstTensorView& frame) {
        const std::int64_t index = m_read++ - m_spec.firstFrame;
        if (frame.dim(0) != m_info.height || frame.dim(1) != m_info.width) {
            return fail(ErrorCode::Io,
                        "the clip changes its size from {} × {} to {} × {} at frame {}; it cannot be "
                        "exported",
                        m_info.width, m_info.height, frame.dim(1), frame.dim(0), m_read - 1);
        }
        if (index < 0 || done() || sourceOf(m_written) != index) {
            return {};
        }
        ConstTensorView picture = frame;
        if (m_scaler) {
            FW_ASSIGN(picture, m_scaler->scale(frame));
        }
        for (; !done() && sourceOf(m_written) == index; ++m_written) {
            FW_TRY(m_writer.write(picture.reshape(Shape{1, picture.dim(0), picture.dim(1), picture.dim(2)})));
        }
        return {};
    }

 private:
    // Which source frame, counted from the first one asked for, is on screen when output frame `output` begins.
    [[nodiscard]] std::int64_t sourceOf(std::int64_t output) const {
        const auto [fromNumerator, fromDenominator] = m_info.frameRate;
        const auto [toNumerator, toDenominator] = m_shape.frameRate;
        // Half-way through the output frame, so that rounding never shows a frame early.
        const std::int64_t twice = (2 * output + 1) * toDenominator * fromNumerator;
        return std::min(twice / (2 * toNumerator * fromDenominator), lastSource());
    }
    [[nodiscard]] std::int64_t lastSource() const {
        return (m_spec.lastFrame < 0 ? m_info.frames - 1 : m_spec.lastFrame) - m_spec.firstFrame;
    }

    const ClipInfo& m_info;
    const ConvertSpec& m_spec;
    const ConvertedShape m_shape;
    ClipWriter& m_writer;
    std::unique_ptr<FrameScaler> m_scaler;
    std::int64_t m_read = 0, m_written = 0;
};

}  // namespace

Result<ConvertedShape> convertedShape(const ClipInfo& info, const ConvertSpec& spec) {
    const std::int64_t last = spec.lastFrame < 0 ? info.frames - 1 : spec.lastFrame;
    if (spec.firstFrame < 0 || last < spec.firstFrame || last >= info.frames) {
        return fail(ErrorCode::InvalidArgument, "frames {} to {} were asked, the clip has frames 0 to {}",
                    spec.firstFrame, last, info.frames - 1);
    }
    if (spec.scalePercent < 1 || spec.scalePercent > kMaxScalePercent) {
        return fail(ErrorCode::InvalidArgument, "the scale is {} %; it must be from 1 to {} %", spec.scalePercent,
                    kMaxScalePercent);
    }
    ConvertedShape shape;
    const auto scaled = [&](std::int64_t side) {
        return std::max<std::int64_t>(1, (side * spec.scalePercent + 50) / 100);
    };
    shape.width = scaled(info.width);
    shape.height = scaled(info.height);
    shape.frameRate = spec.frameRate.value_or(info.frameRate);
    const std::int64_t count = last - spec.firstFrame + 1;
    const double from =
        static_cast<double>(info.frameRate.numerator) / static_cast<double>(info.frameRate.denominator);
    const double to =
        static_cast<double>(shape.frameRate.numerator) / static_cast<double>(shape.frameRate.denominator);
    if (!(from > 0.0) || !(to > 0.0) || shape.frameRate.numerator > 1'000'000 ||
        shape.frameRate.denominator > 1'000'000) {
        return fail(ErrorCode::InvalidArgument, "{} frames per second cannot be written",
                    job::frameRateText(shape.frameRate));
    }
    constexpr double kMostFrames = 1e9;  // a damaged file may announce any number
    if (static_cast<double>(count) * std::max(1.0, to / from) > kMostFrames) {
        return fail(ErrorCode::InvalidArgument, "a clip of {} frames at {} per second cannot be exported at {}",
                    count, job::frameRateText(info.frameRate), job::frameRateText(shape.frameRate));
    }
    shape.frames = spec.frameRate && !(shape.frameRate == info.frameRate)
                       ? std::max<std::int64_t>(1, std::llround(static_cast<double>(count) * to / from))
                       : count;
    return shape;
}

Status convertClip(const fs::path& from, const fs::path& to, const ConvertSpec& spec, const CancelToken& cancel,
                   const std::function<void(double)>& progress) {
    FW_TRY(checkFormat(spec.format));
    FW_ASSIGN(const ClipInfo info, readClipInfo(from));
    FW_ASSIGN(const ConvertedShape shape, convertedShape(info, spec));
    std::error_code ignored;
    if (fs::equivalent(from, to, ignored)) {
        return fail(ErrorCode::InvalidArgument, "{} would replace the clip it is made from; choose another name",
                    to.string());
    }
    if (copies(info, from, spec, shape) && shape.frameRate == info.frameRate) {
        return copyFile(from, to, cancel, progress);
    }
    ClipSpec target{shape.width, shape.height, shape.frameRate, spec.keepMetadata ? info.metadata : std::string()};
    target.format = spec.format;
    target.quality = spec.quality;
    target.loops = spec.loops;
    FW_ASSIGN(const auto writer, ClipWriter::create(to, target));
    std::unique_ptr<FrameScaler> scaler;
    if (shape.width != info.width || shape.height != info.height) {
        FW_ASSIGN(scaler, FrameScaler::create(info.width, info.height, shape.width, shape.height));
    }
    Conversion conversion(info, spec, shape, *writer, std::move(scaler));
    const Status read = readClipFrames(from, [&](const ConstTensorView& frame) -> Status {
        FW_TRY(cancel.check());
        FW_TRY(conversion.take(frame));
        progress(static_cast<double>(conversion.written()) / static_cast<double>(shape.frames));
        // An error is how a reader is told to stop.
        return conversion.done() ? Status(fail(ErrorCode::Cancelled, "enough frames")) : Status();
    });
    if (!read && !conversion.done()) {
        return read;
    }
    FW_TRY(cancel.check());
    if (!conversion.done()) {
        return fail(ErrorCode::Io, "{} ends after {} of the {} frames it announces", from.string(),
                    conversion.written(), shape.frames);
    }
    FW_TRY(writer->finish());
    progress(1.0);
    return {};
}

}  // namespace fw::media
