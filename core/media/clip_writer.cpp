#include "core/media/clip_writer.h"

#include <algorithm>
#include <cctype>
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
    // libav drops a tag that is not UTF-8 without a word, and every container ends it at a zero byte.
    if (!spec.metadata.empty() && !Json::accept(spec.metadata)) {
        return fail(ErrorCode::InvalidArgument,
                    "the metadata of a clip must be JSON in UTF-8; these {} bytes are not", spec.metadata.size());
    }
    return spec;
}

std::string lowerExtension(const std::filesystem::path& path) {
    std::string text = path.extension().string();
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

}  // namespace

std::vector<std::string> clipExtensions() {
    return {"mp4", "webm", "gif"};
}

Result<std::unique_ptr<ClipWriter>> ClipWriter::create(const std::filesystem::path& path, const ClipSpec& spec) {
    if (path.empty()) {
        return fail(ErrorCode::InvalidArgument, "no file name was given for the clip");
    }
    FW_ASSIGN(const ClipSpec checked, checkedSpec(spec));
    const std::string extension = lowerExtension(path);
    if (!path.has_filename() || extension.empty()) {
        return createPngClipWriter(path, checked);
    }
    if (extension == ".mp4") {
        return createYuvClipWriter(path, checked, YuvFormat::Mp4);
    }
    if (extension == ".webm") {
        return createYuvClipWriter(path, checked, YuvFormat::WebM);
    }
    if (extension == ".gif") {
        return createGifClipWriter(path, checked);
    }
    return fail(
        ErrorCode::InvalidArgument,
        "cannot write {}: the extension '{}' is not known; use .mp4, .webm, .gif, or a folder name that ends "
        "in '/' for PNG files",
        path.string(), path.extension().string());
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
