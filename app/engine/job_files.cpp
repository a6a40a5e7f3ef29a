#include "app/engine/job_files.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "core/media/clip_writer.h"

namespace fw::app {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSmallestPreviewSide = 128;

// Every pixel repeated scale × scale times.
std::vector<std::uint8_t> enlarge(const ConstTensorView& rgb, std::int64_t scale) {
    const auto* source = static_cast<const std::uint8_t*>(rgb.data());
    const std::int64_t height = rgb.dim(1) * scale;
    const std::int64_t width = rgb.dim(2) * scale;
    std::vector<std::uint8_t> result(static_cast<std::size_t>(rgb.dim(0) * height * width * 3));
    auto out = result.begin();
    for (std::int64_t frame = 0; frame < rgb.dim(0); ++frame) {
        for (std::int64_t y = 0; y < height; ++y) {
            for (std::int64_t x = 0; x < width; ++x) {
                const std::int64_t pixel = (frame * rgb.dim(1) + y / scale) * rgb.dim(2) + x / scale;
                out = std::copy_n(source + pixel * 3, 3, out);
            }
        }
    }
    return result;
}

}  // namespace

Result<NoiseFile> openNoise(const fs::path& path) {
    NoiseFile noise;
    FW_ASSIGN(noise.file, weights::SafetensorsFile::open(path));
    if (noise.file->contains("noise")) {
        FW_ASSIGN(noise.view, noise.file->tensor("noise"));
    } else if (noise.file->tensors().size() == 1) {
        noise.view = noise.file->tensors().begin()->second;
    } else {
        return fail(ErrorCode::InvalidArgument, "{} has {} tensors and none is called noise", path.string(),
                    noise.file->tensors().size());
    }
    const Shape& shape = noise.view.shape();
    if (shape.rank() == 5 && shape[0] == 1) {
        noise.view = noise.view.reshape({shape[1], shape[2], shape[3], shape[4]});
    }
    if (noise.view.dtype() != DType::F32 || noise.view.rank() != 4) {
        return fail(ErrorCode::InvalidArgument, "{}: the noise is {}, but must be f32 with 4 dimensions",
                    path.string(), noise.view.text());
    }
    return noise;
}

Status writeLatents(const fs::path& path, const ConstTensorView& latents) {
    return weights::writeSafetensors(path, {{"latents", latents}}, {});
}

Status writePreview(const fs::path& folder, int step, const ConstTensorView& rgb, const job::FrameRate& rate) {
    const std::int64_t side = std::max<std::int64_t>(1, std::min(rgb.dim(1), rgb.dim(2)));
    const std::int64_t scale = std::max<std::int64_t>(1, (kSmallestPreviewSide + side - 1) / side);
    const std::vector<std::uint8_t> pixels = enlarge(rgb, scale);
    const Shape shape{rgb.dim(0), rgb.dim(1) * scale, rgb.dim(2) * scale, 3};
    FW_ASSIGN(const auto writer, media::ClipWriter::create(folder / fmt::format("step-{:03}.gif", step),
                                                           {shape[2], shape[1], rate, {}}));
    FW_TRY(writer->write(ConstTensorView(pixels.data(), DType::U8, shape)));
    return writer->finish();
}

Status writeThumbnail(const std::filesystem::path& path, const ConstTensorView& rgb) {
    // A PNG folder of one frame, then its one picture under the name asked for.
    const std::filesystem::path folder = path.string() + ".frames";
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    FW_ASSIGN(const auto writer, media::ClipWriter::create(folder / "", {rgb.dim(2), rgb.dim(1), {1, 1}, ""}));
    FW_TRY(writer->write(rgb));
    FW_TRY(writer->finish());
    std::filesystem::rename(folder / "frame_00000.png", path, error);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    if (error) {
        return fail(ErrorCode::Io, "cannot write {}: {}", path.string(), error.message());
    }
    return {};
}

Status checkWritable(const fs::path& path) {
    if (path.empty()) {
        return {};
    }
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::error_code error;
    if (fs::is_directory(path, error)) {
        return fail(ErrorCode::Io, "cannot write {}: a folder of that name exists", path.string());
    }
    if (!fs::is_directory(folder, error)) {
        return fail(ErrorCode::Io, "cannot write {}: {} is no folder", path.string(), folder.string());
    }
    if (::access(folder.c_str(), W_OK) != 0) {
        return fail(ErrorCode::Io, "cannot write {}: {}", path.string(), std::strerror(errno));
    }
    return {};
}

std::int64_t peakResidentBytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

}  // namespace fw::app
