// Writing clips: frames in, a finished file out, or nothing at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/tensor/tensor_view.h"

namespace fw::media {

struct ClipSpec {
    std::int64_t width = 0, height = 0;
    job::FrameRate frameRate;
    // JSON embedded in the file (container comment; a sidecar text chunk for PNG folders). Survives a round trip.
    std::string metadata;
};

// The format follows the path: .mp4 (H.264, yuv420p, faststart, bt709 tags), .webm (VP9), .gif (one palette per clip),
// or a folder (path ends in "/" or has no extension) of PNG files. One writer per clip, used by one thread.
class ClipWriter {
 public:
    // Checks the path, the extension and the encoder before the first frame. Io or InvalidArgument.
    [[nodiscard]] static Result<std::unique_ptr<ClipWriter>> create(const std::filesystem::path& path,
                                                                    const ClipSpec& spec);
    // Without finish() everything written so far is removed.
    virtual ~ClipWriter() = default;
    ClipWriter(const ClipWriter&) = delete;
    ClipWriter& operator=(const ClipWriter&) = delete;

    // frames u8 [n, H, W, 3], contiguous, RGB, host memory; borrowed for the call.
    [[nodiscard]] virtual Status write(const ConstTensorView& frames) = 0;
    // Flushes, syncs and renames `<name>.part` to its final name.
    [[nodiscard]] virtual Status finish() = 0;

 protected:
    ClipWriter() = default;
};

// Extensions ClipWriter accepts, for messages and completion: {"mp4", "webm", "gif", "png"}.
[[nodiscard]] std::vector<std::string> clipExtensions();

}  // namespace fw::media
