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
    std::int64_t width = 0, height = 0;  // pixels, each 1 to 16384
    job::FrameRate frameRate;            // at most 1000 frames per second (50 for GIF)
    // JSON in UTF-8, or empty. Stored byte for byte in the file: container tag `comment` (.mp4, .webm), GIF comment
    // extension, metadata.json in a PNG folder.
    std::string metadata;
};

// The format follows the path; upper and lower case are the same:
//   .mp4   H.264 High, 4:2:0, constant quality 16, index in front, colours BT.709 in tags and conversion. An odd
//   side
//          gains one pixel that repeats the last column or row, because H.264 codes colour in pairs.
//   .webm  VP9, 4:2:0, colours as above, any size
//   .gif   one palette per clip, loops for ever; frame times are whole hundredths of a second; keeps its frames in
//          memory until finish() and refuses more than 512 MiB of them
//   a path that ends in "/" or has no extension: a new folder of lossless PNG files
// The file grows as `<name>.part` in the same folder and gets its name when it is complete and synced; an existing
// file of that name is replaced then, and only then. Encoders use one thread, so the same frames give the same
// bytes. One writer per clip, used by one thread.
class ClipWriter {
 public:
    // Checks the path, the extension, the folder and the encoder before the first frame. InvalidArgument for what
    // no disk could change (extension, size, rate, metadata), Io for the folder, Unsupported for a missing encoder.
    [[nodiscard]] static Result<std::unique_ptr<ClipWriter>> create(const std::filesystem::path& path,
                                                                    const ClipSpec& spec);
    // Without a successful finish() everything written so far is removed.
    virtual ~ClipWriter() = default;
    ClipWriter(const ClipWriter&) = delete;
    ClipWriter& operator=(const ClipWriter&) = delete;

    // frames u8 [n, H, W, 3], contiguous, RGB, host memory; borrowed for the call. The first error removes the part
    // file, and every later call returns it again.
    [[nodiscard]] virtual Status write(const ConstTensorView& frames) = 0;
    // Completes the file, syncs it, gives it its name, syncs the folder. Once. InvalidArgument without any frame.
    [[nodiscard]] virtual Status finish() = 0;

 protected:
    ClipWriter() = default;
};

// Extensions of single files that ClipWriter accepts, for messages and completion: {"mp4", "webm", "gif"}.
[[nodiscard]] std::vector<std::string> clipExtensions();

}  // namespace fw::media
