// A linear layer of a transformer: its matrix, and what adapters add beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/base/result.h"
#include "core/method/run_context.h"

namespace fw::model {

class AdapterSet;

// y = activation(x Wᵀ + b + (x Aᵀ) Bᵀ). W is packed once, with whatever was merged into it; A [rank, in] and
// B [out, rank] hold every low-rank change that is kept apart from it, one behind the other, and can be replaced
// between runs. Without any a layer is Ops::linear and nothing else.
class Linear {
 public:
    // A matrix of the file within W: its name without ".weight", and where it lies.
    struct Source {
        std::string name;
        std::int64_t firstRow = 0, rows = 0;
        std::int64_t firstColumn = 0, columns = 0;
    };
    Linear(std::unique_ptr<backend::PackedLinear> matrix, std::vector<Source> sources)
        : m_matrix(std::move(matrix)), m_sources(std::move(sources)) {}

    // As Ops::linear(). With changes beside it, x and y are contiguous, and the context's arena lends the scratch:
    // that of kBlockRows rows at most.
    void apply(method::RunContext& context, const ConstTensorView& x, const TensorView& y,
               backend::Activation activation = backend::Activation::None) const;

    // Puts the LoRA weights of `adapters` in the place of those that were beside the matrix; in the type it is
    // multiplied with (bf16 for one in fp8). Strengths are part of B. OutOfMemory; then none are there.
    [[nodiscard]] Status setBeside(const AdapterSet& adapters, backend::Device& device, backend::Ops& ops);
    // Device bytes of what is beside the matrix.
    [[nodiscard]] std::int64_t besideBytes() const { return m_besideBytes; }
    [[nodiscard]] const backend::PackedLinear& matrix() const { return *m_matrix; }

    // Rows whose changes are computed at a time.
    static constexpr std::int64_t kBlockRows = 4096;

 private:
    void addBeside(method::RunContext& context, const ConstTensorView& x, const TensorView& y) const;

    std::unique_ptr<backend::PackedLinear> m_matrix;
    std::vector<Source> m_sources;
    std::unique_ptr<backend::PackedLinear> m_down, m_up;  // A and B; null: nothing is beside
    backend::OwnedTensor m_one;                           // [1], 1.0
    std::int64_t m_besideBytes = 0;
};

}  // namespace fw::model
