// One tensor of [1, N, d] that a step cache keeps, as it is or in eight bits with a scale for each row.
#pragma once

#include <functional>
#include <string>

#include "core/cache/step_cache.h"

namespace fw::cache {

class KeptTensor {
 public:
    using Allocate = std::function<Result<TensorView>(DType dtype, const Shape& shape)>;
    KeptTensor() = default;
    // dtype F32, BF16 or F8E4M3. Unsupported when the queue cannot pack rows.
    [[nodiscard]] static Result<KeptTensor> create(DType dtype, const Shape& shape, backend::Ops& ops,
                                                   const Allocate& allocate);
    // Device bytes one takes.
    [[nodiscard]] static std::int64_t bytesOf(DType dtype, const Shape& shape);

    // x f32 or bf16, contiguous.
    void store(method::RunContext& context, const ConstTensorView& x) const;
    // What was stored: in its place, or unpacked into the arena as bf16.
    [[nodiscard]] TensorView load(method::RunContext& context) const;
    [[nodiscard]] const Shape& shape() const { return m_values.shape(); }

    // For checkpoints.
    void save(const std::string& name, SavedState& state) const;

 private:
    TensorView m_values;  // f32 or bf16; u8 with scales
    TensorView m_scales;  // f32 [1, N]; none without
};

}  // namespace fw::cache
