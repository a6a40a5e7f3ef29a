// Tensor views as the CUDA kernels want them. Internal to the CUDA back-end.
#pragma once

#include <cmath>

#include "core/backend/cpu_views.h"
#include "kernels/cuda/api.h"

namespace fw::backend {

[[nodiscard]] inline kernels::cuda::Element cudaElement(DType dtype) {
    switch (dtype) {
        case DType::F32:
            return kernels::cuda::Element::F32;
        case DType::BF16:
            return kernels::cuda::Element::Bf16;
        case DType::F16:
            return kernels::cuda::Element::F16;
        default:
            break;
    }
    FW_CHECK(false, "no kernel takes {}", dtypeName(dtype));
    return kernels::cuda::Element::F32;
}

// What a first key's weight adds to its products before they are scaled.
[[nodiscard]] inline float firstKeyRaise(float weight, float scale) {
    return weight == 1.0F ? 0.0F : std::log(weight) / scale;
}

// A [B, N, C] view.
[[nodiscard]] inline kernels::cuda::ConstRows cudaBatchRows(const ConstTensorView& view) {
    return {view.data(), cudaElement(view.dtype()), view.stride(0), view.stride(1)};
}
[[nodiscard]] inline kernels::cuda::Rows cudaMutableBatchRows(const TensorView& view) {
    return {view.mutableData(), cudaElement(view.dtype()), view.stride(0), view.stride(1)};
}
[[nodiscard]] inline kernels::cuda::RowExtents cudaBatchExtents(const ConstTensorView& view) {
    return {view.dim(0), view.dim(1), view.dim(2)};
}

// Operand `index` of a plane of rows.
template <std::size_t kOperands>
[[nodiscard]] kernels::cuda::ConstRows cudaRows(const ConstTensorView& view, const RowPlane<kOperands>& plane,
                                                std::size_t index) {
    return {advanced(view, plane.base[index]), cudaElement(view.dtype()), plane.batchStep[index],
            plane.rowStep[index]};
}
template <std::size_t kOperands>
[[nodiscard]] kernels::cuda::Rows cudaMutableRows(const TensorView& view, const RowPlane<kOperands>& plane,
                                                  std::size_t index) {
    return {advancedMutable(view, plane.base[index]), cudaElement(view.dtype()), plane.batchStep[index],
            plane.rowStep[index]};
}

// Merged loops over every dimension of equally shaped views; the first is the result.
template <std::size_t kOperands>
[[nodiscard]] kernels::cuda::Nest<static_cast<int>(kOperands)> cudaNest(
    const std::array<const ConstTensorView*, kOperands>& views) {
    const auto merged = loopsOver<kOperands>(views[0]->rank(), views).merged();
    kernels::cuda::Nest<static_cast<int>(kOperands)> nest{};
    nest.rank = merged.rank;
    for (std::size_t loop = 0; loop < kernels::cuda::kMaxLoops; ++loop) {
        nest.extents[loop] = merged.extents[loop];
        for (std::size_t o = 0; o < kOperands; ++o) {
            nest.strides[o][loop] = merged.strides[o][loop];
        }
    }
    return nest;
}

}  // namespace fw::backend
