// What an animated WebP of ours says about itself: an XMP packet, which other programs can read too. Private to
// core/media.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/job/generation_request.h"

namespace fw::media {

// libwebp joins equal frames into one that lasts longer, so the number of frames and their rate are written down.
struct WebPNote {
    std::int64_t frames = 0;
    job::FrameRate frameRate;
    std::string metadata;  // ClipSpec::metadata, byte for byte
};

[[nodiscard]] std::string xmpOfNote(const WebPNote& note);
// Nothing for XMP that is not ours or damaged. `xmp` may hold any bytes.
[[nodiscard]] std::optional<WebPNote> noteOfXmp(std::string_view xmp);

}  // namespace fw::media
