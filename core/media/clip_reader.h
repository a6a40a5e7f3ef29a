// Reading clips back: what they are, what made them, and their frames.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/tensor/tensor_view.h"

namespace fw::media {

struct ClipInfo {
    std::string container, codec;
    std::int64_t width = 0, height = 0;
    std::int64_t frames = 0;
    job::FrameRate frameRate;
    std::string metadata;  // the JSON given to ClipWriter; empty when the file carries none
};

// Io for unreadable files; hostile or foreign metadata is returned as text, never interpreted here.
[[nodiscard]] Result<ClipInfo> readClipInfo(const std::filesystem::path& path);

// Calls `frame` with each frame in order, u8 [H, W, 3] RGB in host memory, borrowed for the call.
[[nodiscard]] Status readClipFrames(const std::filesystem::path& path,
                                    const std::function<Status(const ConstTensorView& frame)>& frame);

}  // namespace fw::media
