// Files beside the clip: noise in, latents and previews out.
#pragma once

#include <filesystem>
#include <memory>

#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/tensor/tensor_view.h"
#include "core/weights/safetensors.h"

namespace fw::app {

// Starting noise from a file; `view` f32 [C, T, h, w] borrows the mapping.
struct NoiseFile {
    std::unique_ptr<weights::SafetensorsFile> file;
    ConstTensorView view;
};
// Tensor "noise", or the file's only tensor; a leading dimension of 1 is dropped. InvalidArgument when there is
// none of that kind.
[[nodiscard]] Result<NoiseFile> openNoise(const std::filesystem::path& path);

[[nodiscard]] Status writeLatents(const std::filesystem::path& path, const ConstTensorView& latents);

// Writes rgb (u8 [frames, H, W, 3]) as "<folder>/step-007.gif", small pictures enlarged without smoothing.
[[nodiscard]] Status writePreview(const std::filesystem::path& folder, int step, const ConstTensorView& rgb,
                                  const job::FrameRate& rate);

// Writes the single frame rgb (u8 [1, H, W, 3]) as a PNG file.
[[nodiscard]] Status writeThumbnail(const std::filesystem::path& path, const ConstTensorView& rgb);

// Io unless a file could be made at `path`: its folder exists and may be written. Empty paths pass.
[[nodiscard]] Status checkWritable(const std::filesystem::path& path);

// Highest resident memory of this process so far.
[[nodiscard]] std::int64_t peakResidentBytes();

}  // namespace fw::app
