#include "core/pipeline/preview.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/pipeline/run_stages.h"

namespace fw::pipeline {

namespace {

// Per-sample weight of the ridge; latents have unit variance, so this is a thousandth of their scale.
constexpr double kRidge = 1e-3;

std::uint8_t toByte(double value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, -1.0, 1.0) * 127.5 + 127.5));
}

// Solves the symmetric positive definite system a·x = b in place by Cholesky's method; a is n×n, b n×3.
void solveSymmetric(std::vector<double>& a, std::vector<double>& b, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = j; i < n; ++i) {
            double sum = a[i * n + j];
            for (std::size_t k = 0; k < j; ++k) {
                sum -= a[i * n + k] * a[j * n + k];
            }
            a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
        }
    }
    for (std::size_t column = 0; column < 3; ++column) {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t k = 0; k < i; ++k) {
                b[i * 3 + column] -= a[i * n + k] * b[k * 3 + column];
            }
            b[i * 3 + column] /= a[i * n + i];
        }
        for (std::size_t i = n; i-- > 0;) {
            for (std::size_t k = i + 1; k < n; ++k) {
                b[i * 3 + column] -= a[k * n + i] * b[k * 3 + column];
            }
            b[i * 3 + column] /= a[i * n + i];
        }
    }
}

// Mean colour of the frame under each latent position: [h·w][3].
std::vector<std::array<double, 3>> averageBlocks(const ConstTensorView& frame, std::int64_t height,
                                                 std::int64_t width) {
    const std::int64_t block = frame.dim(0) / height;
    const std::int64_t frameWidth = frame.dim(1);
    FW_CHECK(frame.dim(0) == height * block && frameWidth == width * block, "frame {} over {}x{}", frame.text(),
             height, width);
    std::vector<std::array<double, 3>> result(static_cast<std::size_t>(height * width));
    const float* pixels = frame.as<float>();
    for (std::int64_t y = 0; y < height * block; ++y) {
        for (std::int64_t x = 0; x < frameWidth; ++x) {
            auto& mean = result[static_cast<std::size_t>(y / block * width + x / block)];
            for (std::size_t c = 0; c < 3; ++c) {
                mean[c] += static_cast<double>(pixels[(y * frameWidth + x) * 3 + static_cast<std::int64_t>(c)]);
            }
        }
    }
    for (auto& mean : result) {
        for (double& value : mean) {
            value /= static_cast<double>(block * block);
        }
    }
    return result;
}

// The first latent frame decoded: what a fit learns from.
struct FirstFrame {
    TensorView latents;         // [C, 1, h, w] in the arena
    std::vector<float> pixels;  // [H, W, 3]; empty on a Meta device
    Shape shape;                // of the pixels
};

Result<FirstFrame> decodeFirstFrame(method::RunContext& context, ModelParts& parts,
                                    const ConstTensorView& estimate) {
    const std::int64_t scale = parts.shapes.vae.spatialFactor;
    const bool meta = context.ops.deviceKind() == DeviceKind::Meta;
    FirstFrame first;
    first.latents = context.arena.take(DType::F32, {estimate.dim(0), 1, estimate.dim(2), estimate.dim(3)});
    first.shape = {estimate.dim(2) * scale, estimate.dim(3) * scale, 3};
    first.pixels.resize(meta ? 0 : static_cast<std::size_t>(first.shape.product()));
    context.ops.copy(estimate.slice(1, 0, 1), first.latents);
    const TensorView frame(first.pixels.data(), DType::F32, {1, first.shape[0], first.shape[1], 3},
                           meta ? DeviceKind::Meta : DeviceKind::Cpu);
    FW_TRY(parts.vae->decodeToFloat(context, first.latents, chooseTiling(first.latents.shape()), frame));
    return first;
}

Result<PreviewImage> decodePreview(method::RunContext& context, ModelParts& parts,
                                   const ConstTensorView& estimate) {
    PreviewImage image;
    FW_TRY(decodeFrames(context, parts, estimate, chooseTiling(estimate.shape()),
                        [&](const ConstTensorView& frames) -> Status {
                            image.frames += frames.dim(0);
                            image.height = frames.dim(1);
                            image.width = frames.dim(2);
                            const auto* bytes = static_cast<const std::uint8_t*>(frames.data());
                            image.rgb.insert(image.rgb.end(), bytes, bytes + frames.count());
                            return {};
                        }));
    return image;
}

Result<std::vector<float>> toHost(backend::Ops& ops, const ConstTensorView& device) {
    std::vector<float> host(static_cast<std::size_t>(device.count()));
    ops.download(device, TensorView(host.data(), DType::F32, device.shape()));
    FW_TRY(ops.synchronize());
    return host;
}

}  // namespace

PreviewImage shrinkToFit(const ConstTensorView& rgb, std::int64_t bytes) {
    FW_CHECK(bytes >= 3, "{} bytes", bytes);
    std::int64_t n = 1;
    const std::int64_t smallest = std::min(rgb.dim(1), rgb.dim(2));
    while (n < smallest && rgb.dim(0) * (rgb.dim(1) / n) * (rgb.dim(2) / n) * 3 > bytes) {
        ++n;
    }
    PreviewImage image{rgb.dim(0), rgb.dim(1) / n, rgb.dim(2) / n, {}};
    image.frames = std::min(image.frames, bytes / (image.height * image.width * 3));
    image.rgb.reserve(static_cast<std::size_t>(image.frames * image.height * image.width * 3));
    const auto* pixels = rgb.as<std::uint8_t>();
    for (std::int64_t f = 0; f < image.frames; ++f) {
        for (std::int64_t y = 0; y < image.height; ++y) {
            for (std::int64_t x = 0; x < image.width * 3; ++x) {
                std::int64_t sum = 0;
                for (std::int64_t block = 0; block < n * n; ++block) {
                    const std::int64_t row = (f * rgb.dim(1) + y * n + block / n) * rgb.dim(2);
                    sum += pixels[(row + x / 3 * n + block % n) * 3 + x % 3];
                }
                image.rgb.push_back(static_cast<std::uint8_t>((sum + n * n / 2) / (n * n)));
            }
        }
    }
    return image;
}

PreviewImage projectLatents(const model::PreviewProjection& projection, const ConstTensorView& latents) {
    const auto channels = static_cast<std::size_t>(latents.dim(0));
    FW_CHECK(projection.matrix.size() == 3 * channels && projection.bias.size() == 3,
             "projection of {} numbers for {}", projection.matrix.size(), latents.text());
    PreviewImage image{latents.dim(1), latents.dim(2), latents.dim(3), {}};
    const auto positions = static_cast<std::size_t>(image.frames * image.height * image.width);
    image.rgb.resize(positions * 3);
    const float* values = latents.as<float>();
    for (std::size_t p = 0; p < positions; ++p) {
        for (std::size_t rgb = 0; rgb < 3; ++rgb) {
            auto sum = static_cast<double>(projection.bias[rgb]);
            for (std::size_t c = 0; c < channels; ++c) {
                sum += static_cast<double>(projection.matrix[rgb * channels + c]) *
                       static_cast<double>(values[c * positions + p]);
            }
            image.rgb[p * 3 + rgb] = toByte(sum);
        }
    }
    return image;
}

model::PreviewProjection fitProjection(const ConstTensorView& latents, const ConstTensorView& frame) {
    const auto channels = static_cast<std::size_t>(latents.dim(0));
    const std::size_t n = channels + 1;  // and the bias
    const auto colours = averageBlocks(frame, latents.dim(1), latents.dim(2));
    const std::size_t positions = colours.size();
    std::vector<double> normal(n * n, 0.0);
    std::vector<double> right(n * 3, 0.0);
    std::vector<double> row(n, 1.0);
    const float* values = latents.as<float>();
    for (std::size_t p = 0; p < positions; ++p) {
        for (std::size_t c = 0; c < channels; ++c) {
            row[c] = static_cast<double>(values[c * positions + p]);
        }
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                normal[i * n + j] += row[i] * row[j];
            }
            for (std::size_t rgb = 0; rgb < 3; ++rgb) {
                right[i * 3 + rgb] += row[i] * colours[p][rgb];
            }
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        normal[i * n + i] += kRidge * static_cast<double>(positions);
    }
    solveSymmetric(normal, right, n);
    model::PreviewProjection projection;
    projection.matrix.resize(3 * channels);
    for (std::size_t rgb = 0; rgb < 3; ++rgb) {
        for (std::size_t c = 0; c < channels; ++c) {
            projection.matrix[rgb * channels + c] = static_cast<float>(right[c * 3 + rgb]);
        }
        projection.bias.push_back(static_cast<float>(right[channels * 3 + rgb]));
    }
    return projection;
}

Status Previewer::fit(method::RunContext& context, ModelParts& parts, const ConstTensorView& estimate) {
    const backend::ArenaScope arena(context.arena);
    FW_ASSIGN(const FirstFrame first, decodeFirstFrame(context, parts, estimate));
    FW_ASSIGN(const std::vector<float> latents, toHost(context.ops, first.latents));
    m_projection = fitProjection({latents.data(), DType::F32, {estimate.dim(0), estimate.dim(2), estimate.dim(3)}},
                                 {first.pixels.data(), DType::F32, first.shape});
    m_fitted = true;
    return {};
}

Result<PreviewImage> Previewer::make(method::RunContext& context, ModelParts& parts,
                                     const ConstTensorView& estimate, PreviewKind kind, int step, int steps) {
    const method::ModuleScope scope(context, trace::Module::Preview);
    if (kind == PreviewKind::Vae) {
        return decodePreview(context, parts, estimate);
    }
    const bool late = 2 * step >= steps;
    if (!m_projection || (m_fitted && late && !m_fittedLate)) {
        FW_TRY(fit(context, parts, estimate));
        m_fittedLate = late;
    }
    FW_ASSIGN(const std::vector<float> latents, toHost(context.ops, estimate));
    return projectLatents(*m_projection, {latents.data(), DType::F32, estimate.shape()});
}

Status dryRunPreview(method::RunContext& context, ModelParts& meta, const ConstTensorView& estimate,
                     PreviewKind kind) {
    if (kind == PreviewKind::Vae) {
        return decodeFrames(context, meta, estimate, chooseTiling(estimate.shape()),
                            [](const ConstTensorView&) { return Status{}; });
    }
    const backend::ArenaScope arena(context.arena);
    FW_ASSIGN(const FirstFrame first, decodeFirstFrame(context, meta, estimate));
    FW_CHECK(first.latents.count() > 0);
    return {};
}

}  // namespace fw::pipeline
