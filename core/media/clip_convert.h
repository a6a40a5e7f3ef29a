// A finished clip written once more: another format, size, rate or a part of it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/media/clip_format.h"
#include "core/media/clip_reader.h"

namespace fw::media {

struct ConvertSpec {
    ClipFormat format = ClipFormat::H264;
    int quality = 75;                              // see encoderQuality
    std::optional<job::FrameRate> frameRate = {};  // frames are dropped or repeated, so that the clip lasts as long
    int loops = 0;                                 // GIF and WebP: how often it plays, 0 for ever
    int scalePercent = 100;                        // 1 to 400
    std::int64_t firstFrame = 0, lastFrame = -1;   // of the source, inclusive; -1: its last
    bool keepMetadata = true;
    // Take the file as it is, without encoding again, when that gives what was asked: the same format and codec,
    // every frame at its own size and rate, with its metadata.
    bool copyWhenSame = false;
};

// How many frames, at which size and rate, a conversion will give.
struct ConvertedShape {
    std::int64_t frames = 0, width = 0, height = 0;
    job::FrameRate frameRate;
};
// InvalidArgument names what does not fit the clip.
[[nodiscard]] Result<ConvertedShape> convertedShape(const ClipInfo& info, const ConvertSpec& spec);

// Reads `from` and writes `to` as ClipWriter does: completely or not at all, replacing a file of that name only
// when the new one is complete. `progress` is told the part done, rising from 0 to 1. Cancelled leaves nothing
// behind.
[[nodiscard]] Status convertClip(const std::filesystem::path& from, const std::filesystem::path& to,
                                 const ConvertSpec& spec, const CancelToken& cancel,
                                 const std::function<void(double fraction)>& progress);

}  // namespace fw::media
