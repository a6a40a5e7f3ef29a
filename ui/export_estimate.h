// About how large an exported file will be.
#pragma once

#include "app/clips/clip_files.h"

namespace fw::ui {

// In bytes, by rules of thumb; 0 where the clip gives no hint. The measure is how
// well the clip itself could be compressed, corrected for the format, its quality, the size and the number of
// frames.
[[nodiscard]] qint64 estimateExportBytes(const app::ClipFacts& clip, const app::ExportOptions& options);

// Frames of the exported clip.
[[nodiscard]] qint64 exportedFrames(const app::ClipFacts& clip, const app::ExportOptions& options);

}  // namespace fw::ui
