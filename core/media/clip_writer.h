// Writing clips: frames in, a finished file out, or nothing at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/media/clip_format.h"
#include "core/tensor/tensor_view.h"

namespace fw::media {

struct ClipSpec {
    std::int64_t width = 0, height = 0;  // pixels, each 1 to 16384
    job::FrameRate frameRate;            // at most 1000 frames per second (50 for GIF)
    // JSON in UTF-8, or empty. Stored byte for byte in the file: container tag `comment` (.mp4, .webm, .mov, .mkv),
    // GIF comment extension, dc:description of a WebP's XMP chunk, metadata.json in a PNG folder.
    std::string metadata;
    std::optional<ClipFormat> format = {};  // none: what the path says (formatOfPath)
    int quality = 75;                       // 1 … 100; see encoderQuality
    int loops = 0;                          // GIF and WebP: how often it plays, 0 for ever; at most 65535
};

// All but FFV1, GIF, WebP and PNG convert to BT.709 in limited range and say so in stream and container:
//   H.264   .mp4   High, 4:2:0, index in front
//   H.265   .mp4   Main, 4:2:0, index in front, tagged hvc1 for Apple's players; both sides at least 16
//   VP9     .webm  4:2:0
//   AV1     .webm  4:2:0
//   ProRes  .mov   422, 10 bits, for editing
//   FFV1    .mkv   8-bit RGB without any loss, tagged sRGB
//   GIF     .gif   one palette per clip; frame times are whole hundredths of a second; keeps its frames in memory
//                  until finish() and refuses more than 512 MiB of them
//   WebP    .webp  frame times are whole milliseconds
//   PNG     a path that ends in "/" or has no extension: a new folder of lossless files, tagged sRGB
// An odd side gains one pixel in H.264 and H.265, an odd width in ProRes, which repeats the last column or row,
// because these code colour in pairs.
// The file grows as `<name>.part` in the same folder and gets its name when it is complete and synced; an existing
// file of that name is replaced then, and only then. Encoders use a fixed number of threads, so the same frames
// give the same bytes. One writer per clip, used by one thread.
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

// Extensions of single files that ClipWriter accepts, for messages and completion: {"mp4", "webm", …}.
[[nodiscard]] std::vector<std::string> clipExtensions();

}  // namespace fw::media
