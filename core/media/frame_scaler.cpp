#include "core/media/frame_scaler.h"

#include <cstring>
#include <vector>

#include "core/base/check.h"
#include "core/media/frame_convert.h"

namespace fw::media {
namespace {

class SwsFrameScaler final : public FrameScaler {
 public:
    SwsFrameScaler(ScalerPtr scaler, Shape from, Shape to)
        : m_scaler(std::move(scaler)), m_from(from), m_to(to), m_packed(static_cast<std::size_t>(to.product())) {}

    Result<ConstTensorView> scale(const ConstTensorView& frame) override {
        FW_CHECK(frame.shape() == m_from && frame.isContiguous(), "{}", frame.text());
        const auto side = [](const Shape& shape, std::size_t axis) { return static_cast<int>(shape[axis]); };
        FW_ASSIGN(const FramePtr from, rgbFrame(frame.as<std::uint8_t>(), side(m_from, 1), side(m_from, 0),
                                                side(m_from, 1), side(m_from, 0)));
        FW_ASSIGN(const FramePtr to, createFrame(AV_PIX_FMT_RGB24, side(m_to, 1), side(m_to, 0)));
        if (sws_scale(m_scaler.get(), from->data, from->linesize, 0, from->height, to->data, to->linesize) !=
            to->height) {
            return fail(ErrorCode::Io, "cannot scale a picture to {} × {} pixels", to->width, to->height);
        }
        const std::size_t rowBytes = static_cast<std::size_t>(to->width) * 3;
        for (int y = 0; y < to->height; ++y) {
            std::memcpy(m_packed.data() + static_cast<std::size_t>(y) * rowBytes,
                        to->data[0] + static_cast<std::ptrdiff_t>(y) * to->linesize[0], rowBytes);
        }
        return ConstTensorView(m_packed.data(), DType::U8, m_to);
    }

 private:
    ScalerPtr m_scaler;
    Shape m_from, m_to;
    std::vector<std::uint8_t> m_packed;
};

}  // namespace

Result<std::unique_ptr<FrameScaler>> FrameScaler::create(std::int64_t fromWidth, std::int64_t fromHeight,
                                                         std::int64_t toWidth, std::int64_t toHeight) {
    ScalerPtr scaler(sws_getContext(static_cast<int>(fromWidth), static_cast<int>(fromHeight), AV_PIX_FMT_RGB24,
                                    static_cast<int>(toWidth), static_cast<int>(toHeight), AV_PIX_FMT_RGB24,
                                    SWS_LANCZOS | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP,
                                    nullptr, nullptr, nullptr));
    if (!scaler) {
        return fail(ErrorCode::OutOfMemory, "cannot scale pictures from {} × {} to {} × {} pixels", fromWidth,
                    fromHeight, toWidth, toHeight);
    }
    return std::unique_ptr<FrameScaler>(
        new SwsFrameScaler(std::move(scaler), Shape{fromHeight, fromWidth, 3}, Shape{toHeight, toWidth, 3}));
}

}  // namespace fw::media
