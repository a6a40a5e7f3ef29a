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

// How pixel values mean colours, in FFmpeg's names ("bt709", "tv", "yuv420p"); "unknown" where the file does not
// say.
struct ColourTags {
    std::string pixelFormat, range, matrix, primaries, transfer;
    bool operator==(const ColourTags&) const = default;
};

struct ClipInfo {
    std::string container, codec;  // FFmpeg's names: "mov,mp4,m4a,3gp,3g2,mj2", "h264"; "folder", "png"
    std::int64_t width = 0, height = 0;
    std::int64_t frames = 0;
    // Mean rate; exact in .mp4, .webm and our PNG folders, approximate in .gif. 12/1 where a folder does not say.
    job::FrameRate frameRate;
    ColourTags colours;
    std::string metadata;  // what ClipWriter was given, byte for byte; empty when the file carries none
};

// Reads what ClipWriter writes: .mp4, .webm, .mov, .mkv, .gif, .webp, folders of PNG files, and single PNG files;
// recognised by content, never by name. Nothing but the named file is opened, whatever it refers to. Io for files
// that are missing, damaged or of another kind; hostile or foreign metadata is returned as text, never interpreted
// here.
[[nodiscard]] Result<ClipInfo> readClipInfo(const std::filesystem::path& path);

// Calls `frame` with each frame in order, u8 [H, W, 3] RGB, contiguous, in host memory, borrowed for the call.
// Stops at the first error, the callback's included, and returns it. Io when the file ends early.
[[nodiscard]] Status readClipFrames(const std::filesystem::path& path,
                                    const std::function<Status(const ConstTensorView& frame)>& frame);

}  // namespace fw::media
