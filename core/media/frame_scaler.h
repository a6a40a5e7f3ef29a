// Pictures in another size.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::media {

// Lanczos resampling of RGB as it is encoded (not in linear light), as video editors do. One scaler per clip, used
// by one thread.
class FrameScaler {
 public:
    // Sides of 1 to 16384 pixels. OutOfMemory.
    [[nodiscard]] static Result<std::unique_ptr<FrameScaler>> create(std::int64_t fromWidth,
                                                                     std::int64_t fromHeight, std::int64_t toWidth,
                                                                     std::int64_t toHeight);
    virtual ~FrameScaler() = default;
    FrameScaler(const FrameScaler&) = delete;
    FrameScaler& operator=(const FrameScaler&) = delete;

    // frame u8 [fromHeight, fromWidth, 3], contiguous, host memory. Returns u8 [toHeight, toWidth, 3], contiguous,
    // owned by the scaler and good until the next call.
    [[nodiscard]] virtual Result<ConstTensorView> scale(const ConstTensorView& frame) = 0;

 protected:
    FrameScaler() = default;
};

}  // namespace fw::media
