// Looks at the clip while it forms.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/method/run_context.h"
#include "core/model/video_model.h"
#include "core/pipeline/generator.h"
#include "core/pipeline/model_parts.h"

namespace fw::pipeline {

// Frames in host memory: u8 [frames, height, width, 3].
struct PreviewImage {
    std::int64_t frames = 0, height = 0, width = 0;
    std::vector<std::uint8_t> rgb;
    [[nodiscard]] ConstTensorView view() const { return {rgb.data(), DType::U8, {frames, height, width, 3}}; }
};

// rgb u8 [frames, H, W, 3], contiguous, host, in at most `bytes` (at least 3): the mean colours of blocks of n by n
// pixels with the smallest n that does, and if no n does, the first frames only. What does not fill a block is cut.
[[nodiscard]] PreviewImage shrinkToFit(const ConstTensorView& rgb, std::int64_t bytes);

// latents f32 [C, T, h, w], contiguous, host; C as in the projection. One pixel per latent position.
[[nodiscard]] PreviewImage projectLatents(const model::PreviewProjection& projection,
                                          const ConstTensorView& latents);

// The linear map that best explains a decoded frame, by least squares over its latent positions (with a little
// ridge, so that flat pictures do not make it singular). latents f32 [C, h, w]; frame f32 [H, W, 3] in [-1, 1], H
// and W the same whole multiple of h and w; both contiguous, host.
[[nodiscard]] model::PreviewProjection fitProjection(const ConstTensorView& latents, const ConstTensorView& frame);

// Makes the previews of one generator. Projection: with the model's own map, or, where it brings none, with one
// fitted to the decoded first frame at the first preview and once more in the second half of the steps, then kept.
class Previewer {
 public:
    explicit Previewer(std::optional<model::PreviewProjection> projection) : m_projection(std::move(projection)) {}

    // `estimate` f32 [C, T, h, w] on the device: the clip's estimate after `step` of `steps`.
    [[nodiscard]] Result<PreviewImage> make(method::RunContext& context, ModelParts& parts,
                                            const ConstTensorView& estimate, PreviewKind kind, int step, int steps);

 private:
    [[nodiscard]] Status fit(method::RunContext& context, ModelParts& parts, const ConstTensorView& estimate);

    std::optional<model::PreviewProjection> m_projection;
    bool m_fitted = false;      // by us: the model brought none
    bool m_fittedLate = false;  // in the second half of some run's steps
};

// The device work of a preview without its results, for the planner.
[[nodiscard]] Status dryRunPreview(method::RunContext& context, ModelParts& meta, const ConstTensorView& estimate,
                                   PreviewKind kind);

}  // namespace fw::pipeline
