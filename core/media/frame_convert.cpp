#include "core/media/frame_convert.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/media/known_value.h"

namespace fw::media {
namespace {

constexpr int kScalerFlags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;
constexpr int kFixedOne = 1 << 16;  // libswscale's contrast and saturation of 1

ScalerPtr createScaler(int width, int height, AVPixelFormat from, AVPixelFormat to) {
    return ScalerPtr(
        sws_getContext(width, height, from, width, height, to, kScalerFlags, nullptr, nullptr, nullptr));
}

// SWS_CS_* of a tagged or guessed matrix.
int matrixOf(const AVFrame& frame) {
    switch (knownValue(frame.colorspace, AVCOL_SPC_NB)) {
        case AVCOL_SPC_BT709:
            return SWS_CS_ITU709;
        case AVCOL_SPC_BT470BG:
        case AVCOL_SPC_SMPTE170M:
            return SWS_CS_ITU601;
        case AVCOL_SPC_SMPTE240M:
            return SWS_CS_SMPTE240M;
        case AVCOL_SPC_BT2020_NCL:
            return SWS_CS_BT2020;
        default:
            return frame.height < 720 ? SWS_CS_ITU601 : SWS_CS_ITU709;
    }
}

}  // namespace

Result<FramePtr> createFrame(AVPixelFormat format, int width, int height) {
    FramePtr frame(av_frame_alloc());
    if (frame) {
        frame->format = format;
        frame->width = width;
        frame->height = height;
    }
    if (!frame || av_frame_get_buffer(frame.get(), 0) < 0) {
        return fail(ErrorCode::OutOfMemory, "no memory for a picture of {} × {} pixels", width, height);
    }
    return frame;
}

Result<FramePtr> rgbFrame(const std::uint8_t* rgb, int width, int height, int frameWidth, int frameHeight) {
    FW_CHECK(frameWidth >= width && frameWidth <= width + 1 && frameHeight >= height && frameHeight <= height + 1,
             "{} x {} into {} x {}", width, height, frameWidth, frameHeight);
    FW_ASSIGN(FramePtr frame, createFrame(AV_PIX_FMT_RGB24, frameWidth, frameHeight));
    const std::size_t rowBytes = static_cast<std::size_t>(width) * 3;
    for (int y = 0; y < frameHeight; ++y) {
        const std::uint8_t* from = rgb + static_cast<std::size_t>(std::min(y, height - 1)) * rowBytes;
        std::uint8_t* to = frame->data[0] + static_cast<std::ptrdiff_t>(y) * frame->linesize[0];
        std::memcpy(to, from, rowBytes);
        if (frameWidth > width) {
            std::memcpy(to + rowBytes, from + rowBytes - 3, 3);
        }
    }
    return frame;
}

bool isRgb(AVPixelFormat format) {
    const AVPixFmtDescriptor* kind = av_pix_fmt_desc_get(format);
    return kind != nullptr && (kind->flags & AV_PIX_FMT_FLAG_RGB) != 0;
}

Result<FromRgb> FromRgb::create(AVPixelFormat format, int width, int height) {
    ScalerPtr scaler = createScaler(width, height, AV_PIX_FMT_RGB24, format);
    const int* bt709 = sws_getCoefficients(SWS_CS_ITU709);
    constexpr int kFullRange = 1;
    constexpr int kLimitedRange = 0;
    const bool good =
        scaler && (isRgb(format) || sws_setColorspaceDetails(scaler.get(), bt709, kFullRange, bt709, kLimitedRange,
                                                             0, kFixedOne, kFixedOne) >= 0);
    if (!good) {
        return fail(ErrorCode::Io, "cannot convert pictures of {} × {} pixels to {}", width, height,
                    av_get_pix_fmt_name(format));
    }
    return FromRgb(std::move(scaler), format, width, height);
}

Result<FramePtr> FromRgb::convert(const AVFrame& rgb) const {
    FW_CHECK(rgb.width == m_width && rgb.height == m_height, "{} x {}", rgb.width, rgb.height);
    FW_ASSIGN(FramePtr frame, createFrame(m_format, m_width, m_height));
    if (sws_scale(m_scaler.get(), rgb.data, rgb.linesize, 0, m_height, frame->data, frame->linesize) != m_height) {
        return fail(ErrorCode::Io, "cannot convert a picture of {} × {} pixels to {}", m_width, m_height,
                    av_get_pix_fmt_name(m_format));
    }
    frame->color_primaries = AVCOL_PRI_BT709;
    if (isRgb(m_format)) {
        frame->color_range = AVCOL_RANGE_JPEG;
        frame->colorspace = AVCOL_SPC_RGB;
        frame->color_trc = AVCOL_TRC_IEC61966_2_1;
        return frame;
    }
    frame->color_range = AVCOL_RANGE_MPEG;
    frame->colorspace = AVCOL_SPC_BT709;
    frame->color_trc = AVCOL_TRC_BT709;
    frame->chroma_location = AVCHROMA_LOC_LEFT;
    return frame;
}

Status ToRgb::prepare(const AVFrame& frame) {
    const int matrix = matrixOf(frame);
    const AVColorRange range = knownValue(frame.color_range, AVCOL_RANGE_NB);
    if (m_scaler && frame.format == m_format && frame.width == m_width && frame.height == m_height &&
        matrix == m_matrix && range == m_range) {
        return {};
    }
    const auto format = static_cast<AVPixelFormat>(frame.format);
    m_scaler = createScaler(frame.width, frame.height, format, AV_PIX_FMT_RGB24);
    if (!m_scaler) {
        const char* name = av_get_pix_fmt_name(format);
        return fail(ErrorCode::Io, "cannot show pictures of format {} and {} × {} pixels",
                    name == nullptr ? "unknown" : name, frame.width, frame.height);
    }
    if (!isRgb(format)) {
        const int fullRange = range == AVCOL_RANGE_JPEG ? 1 : 0;
        const int* coefficients = sws_getCoefficients(matrix);
        // -1 means that the pair needs no matrix (grey); then there is nothing to set.
        sws_setColorspaceDetails(m_scaler.get(), coefficients, fullRange, coefficients, 1, 0, kFixedOne, kFixedOne);
    }
    m_format = frame.format;
    m_width = frame.width;
    m_height = frame.height;
    m_matrix = matrix;
    m_range = range;
    return {};
}

Result<FramePtr> ToRgb::convert(const AVFrame& frame) {
    FW_TRY(prepare(frame));
    FW_ASSIGN(FramePtr rgb, createFrame(AV_PIX_FMT_RGB24, frame.width, frame.height));
    if (sws_scale(m_scaler.get(), frame.data, frame.linesize, 0, frame.height, rgb->data, rgb->linesize) !=
        frame.height) {
        return fail(ErrorCode::Io, "cannot convert a picture of {} × {} pixels to RGB", frame.width, frame.height);
    }
    return rgb;
}

}  // namespace fw::media
