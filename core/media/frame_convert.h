// Between packed RGB and libav frames. Private to core/media.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/media/av_handles.h"

namespace fw::media {

// An allocated frame of that format and size, contents undefined. OutOfMemory.
[[nodiscard]] Result<FramePtr> createFrame(AVPixelFormat format, int width, int height);

// Copies u8 [height, width, 3] packed RGB into an RGB24 frame of frameWidth × frameHeight (each the same or one
// more); what lies beyond the picture repeats its last column and row. A copy because libswscale reads past the
// last pixel.
[[nodiscard]] Result<FramePtr> rgbFrame(const std::uint8_t* rgb, int width, int height, int frameWidth,
                                        int frameHeight);

// RGB24 to `format`: YUV by the BT.709 matrix in limited range, and tagged so (matrix, primaries, transfer, range);
// RGB formats are repacked without loss and tagged sRGB in full range.
class FromRgb {
 public:
    [[nodiscard]] static Result<FromRgb> create(AVPixelFormat format, int width, int height);
    [[nodiscard]] Result<FramePtr> convert(const AVFrame& rgb) const;

 private:
    FromRgb(ScalerPtr scaler, AVPixelFormat format, int width, int height)
        : m_scaler(std::move(scaler)), m_format(format), m_width(width), m_height(height) {}

    ScalerPtr m_scaler;
    AVPixelFormat m_format;
    int m_width, m_height;
};

// Whether a format stores red, green and blue rather than luma and colour differences.
[[nodiscard]] bool isRgb(AVPixelFormat format);

// Any decoded frame to RGB24 by the matrix and range it is tagged with; untagged video counts as BT.601 below
// 720 lines and BT.709 from there, the usual convention. The scaler is kept for frames of the same kind.
class ToRgb {
 public:
    [[nodiscard]] Result<FramePtr> convert(const AVFrame& frame);

 private:
    [[nodiscard]] Status prepare(const AVFrame& frame);

    ScalerPtr m_scaler;
    int m_format = -1, m_width = 0, m_height = 0, m_matrix = -1, m_range = -1;
};

}  // namespace fw::media
