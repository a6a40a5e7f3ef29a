// What all blocks, or all but the first, add to the residual stream: kept for each guidance branch apart.
#pragma once

#include <array>

#include "core/cache/kept_tensor.h"

namespace fw::cache {

class ResidualStore {
 public:
    // dtype of what is kept; one more tensor in f32 serves all branches.
    [[nodiscard]] static Result<ResidualStore> create(DType dtype, const RunShape& shape, backend::Ops& ops,
                                                      const KeptTensor::Allocate& allocate);

    // x [1, N, d] f32 before the blocks and after them: what they added becomes the branch's residual.
    void open(method::RunContext& context, const TensorView& x);
    void close(method::RunContext& context, const TensorView& x);
    // The f32 tensor, free between close() and open(), and after open() what x was.
    [[nodiscard]] const TensorView& scratch() const { return m_before; }

    [[nodiscard]] bool has(int branch) const { return m_valid[static_cast<std::size_t>(branch)]; }
    // x += the branch's residual, which must be there.
    void add(method::RunContext& context, const TensorView& x) const;

    // For checkpoints; restore() marks every branch as filled.
    void save(SavedState& state) const;
    void restore() { m_valid.fill(true); }

 private:
    TensorView m_before;
    std::vector<KeptTensor> m_residuals;  // by branch
    std::array<bool, 2> m_valid{};
};

// {"precision"}: the parameter caches of residuals share.
[[nodiscard]] std::vector<job::ParameterSchema> residualParameters();

}  // namespace fw::cache
