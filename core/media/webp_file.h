// Animated WebP through libwebp: FFmpeg 5 writes such files but cannot read them. Private to core/media.
#pragma once

#include <filesystem>
#include <functional>

#include "core/media/clip_reader.h"

namespace fw::media {

// By the first twelve bytes.
[[nodiscard]] bool isWebP(const std::filesystem::path& path);
// See readClipInfo and readClipFrames. Transparent pictures are shown on black.
[[nodiscard]] Result<ClipInfo> readWebPInfo(const std::filesystem::path& path);
[[nodiscard]] Status readWebPFrames(const std::filesystem::path& path,
                                    const std::function<Status(const ConstTensorView& frame)>& give);

}  // namespace fw::media
