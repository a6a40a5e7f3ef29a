// The slow part of pictures: the lowest frequencies of every latent frame, as a projection made of matrix products,
// so that it runs wherever the model runs.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/cache/step_cache.h"

namespace fw::cache {

// For pictures [h, w]: keeps the frequencies whose distance from zero is at most min(h, w) / 5, in whole periods
// per picture. With an orthonormal basis of cosines and sines B of either axis and a mask M: Bᵀ (M ∘ (B X Bᵀ)) B.
class LowPass {
 public:
    using Allocate = std::function<Result<TensorView>(DType dtype, const Shape& shape)>;
    [[nodiscard]] static Result<LowPass> create(backend::Ops& ops, std::int64_t height, std::int64_t width,
                                                const Allocate& allocate);
    // x, y f32 [C, T, h, w], contiguous; y may be x. Takes scratch memory from the arena.
    void apply(method::RunContext& context, const ConstTensorView& x, const TensorView& y) const;

 private:
    struct Axis {
        std::int64_t size = 0, waves = 0;                            // samples, functions of the basis
        std::unique_ptr<backend::PackedLinear> analyse, synthesise;  // [waves, size], [size, waves]
    };
    [[nodiscard]] static Result<Axis> createAxis(backend::Ops& ops, std::int64_t size, std::int64_t radius);

    Axis m_height, m_width;
    TensorView m_mask;  // f32 [1, waves of the width · waves of the height]
};

}  // namespace fw::cache
