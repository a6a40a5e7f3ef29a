#include "core/media/clip_writer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/media/clip_writers.h"

namespace fw::media {
namespace {

// H.264's and libwebp-class encoders' common limit; above it x264 refuses.
constexpr std::int64_t kMaxSide = 16384;
constexpr std::int64_t kMaxRateTerm = 1'000'000;
constexpr std::int64_t kMaxFramesPerSecond = 1000;
constexpr int kMaxLoops = 65535;  // 16 bits in GIF and WebP

Result<ClipSpec> checkedSpec(ClipSpec spec) {
    if (spec.width < 1 || spec.height < 1 || spec.width > kMaxSide || spec.height > kMaxSide) {
        return fail(ErrorCode::InvalidArgument,
                    "a clip of {} × {} pixels cannot be written; each side must be 1 to {}", spec.width,
                    spec.height, kMaxSide);
    }
    auto& [numerator, denominator] = spec.frameRate;
    if (numerator >= 1 && denominator >= 1) {
        const std::int64_t divisor = std::gcd(numerator, denominator);
        numerator /= divisor;
        denominator /= divisor;
    }
    if (numerator < 1 || denominator < 1 || numerator > kMaxRateTerm || denominator > kMaxRateTerm ||
        numerator > kMaxFramesPerSecond * denominator) {
        return fail(
            ErrorCode::InvalidArgument,
            "{}/{} frames per second cannot be written; the rate must be above 0 and at most {}, with terms "
            "of at most {}",
            numerator, denominator, kMaxFramesPerSecond, kMaxRateTerm);
    }
    if (spec.quality < 1 || spec.quality > 100) {
        return fail(ErrorCode::InvalidArgument, "quality is {}; it must be from 1 to 100", spec.quality);
    }
    if (spec.loops < 0 || spec.loops > kMaxLoops) {
        return fail(ErrorCode::InvalidArgument, "loops is {}; it must be from 0, for ever, to {}", spec.loops,
                    kMaxLoops);
    }
    // libav drops a tag that is not UTF-8 without a word, and every container ends it at a zero byte.
    if (!spec.metadata.empty() && !Json::accept(spec.metadata)) {
        return fail(ErrorCode::InvalidArgument,
                    "the metadata of a clip must be JSON in UTF-8; these {} bytes are not", spec.metadata.size());
    }
    return spec;
}

// The format to write, which must be the one the name promises.
Result<ClipFormat> formatFor(const std::filesystem::path& path, const ClipSpec& spec) {
    const auto named = formatOfPath(path);
    if (!named) {
        return fail(ErrorCode::InvalidArgument,
                    "cannot write {}: the extension '{}' is not known; use .{}, or a folder name that ends in '/' "
                    "for PNG files",
                    path.string(), path.extension().string(), fmt::join(clipExtensions(), ", ."));
    }
    if (!spec.format) {
        return *named;
    }
    const ClipFormatInfo& wanted = formatInfo(*spec.format);
    if (wanted.extension != formatInfo(*named).extension) {
        return fail(ErrorCode::InvalidArgument, "cannot write {} as {}: {}", path.string(), wanted.name,
                    wanted.extension.empty() ? "it becomes a folder, whose name has no extension"
                                             : fmt::format("such files end in {}", wanted.extension));
    }
    return *spec.format;
}

}  // namespace

std::vector<std::string> clipExtensions() {
    std::vector<std::string> extensions;
    for (const ClipFormatInfo& info : clipFormats()) {
        const std::string extension(info.extension.substr(info.extension.empty() ? 0 : 1));
        if (!extension.empty() && std::find(extensions.begin(), extensions.end(), extension) == extensions.end()) {
            extensions.push_back(extension);
        }
    }
    return extensions;
}

Result<std::unique_ptr<ClipWriter>> ClipWriter::create(const std::filesystem::path& path, const ClipSpec& spec) {
    if (path.empty()) {
        return fail(ErrorCode::InvalidArgument, "no file name was given for the clip");
    }
    FW_ASSIGN(const ClipSpec checked, checkedSpec(spec));
    FW_ASSIGN(const ClipFormat format, formatFor(path, checked));
    switch (format) {
        case ClipFormat::Gif:
            return createGifClipWriter(path, checked);
        case ClipFormat::WebP:
            return createWebPClipWriter(path, checked);
        case ClipFormat::Png:
            return createPngClipWriter(path, checked);
        default:
            return createVideoClipWriter(path, checked, format);
    }
}

ClipWriterBase::ClipWriterBase(std::unique_ptr<PartPath> part, ClipSpec spec)
    : m_part(std::move(part)), m_spec(std::move(spec)) {}

Status ClipWriterBase::abandon(Status error) {
    m_failure = error;
    release();
    m_part.reset();
    return error;
}

Status ClipWriterBase::write(const ConstTensorView& frames) {
    FW_CHECK(!m_finished, "write after finish");
    FW_CHECK(frames.dtype() == DType::U8 && frames.device() == DeviceKind::Cpu && frames.rank() == 4 &&
                 frames.dim(1) == m_spec.height && frames.dim(2) == m_spec.width && frames.dim(3) == 3 &&
                 frames.isContiguous(),
             "frames are {}, wanted u8[n, {}, {}, 3]", frames.text(), m_spec.height, m_spec.width);
    FW_TRY(m_failure);
    const auto* rgb = static_cast<const std::uint8_t*>(frames.data());
    for (std::int64_t i = 0; i < frames.dim(0); ++i) {
        if (Status status = writeFrame(rgb + i * m_spec.height * m_spec.width * 3); !status) {
            return abandon(std::move(status));
        }
        ++m_frames;
    }
    return {};
}

Status ClipWriterBase::finish() {
    FW_CHECK(!m_finished, "finish was called twice");
    FW_TRY(m_failure);
    if (m_frames == 0) {
        return abandon(fail(ErrorCode::InvalidArgument, "cannot write {}: it has no frames", name()));
    }
    Status status = complete();
    if (status) {
        status = m_part->commit();
    }
    if (!status) {
        return abandon(std::move(status));
    }
    m_finished = true;
    release();
    return {};
}

}  // namespace fw::media
