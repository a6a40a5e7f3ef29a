// Tensor views as the kernels want them. Internal to the CPU back-end.
#pragma once

#include <array>
#include <cstddef>

#include "core/tensor/tensor_view.h"
#include "kernels/cpu/element.h"
#include "kernels/cpu/loop_nest.h"

namespace fw::backend {

[[nodiscard]] inline kernels::cpu::Element elementOf(const ConstTensorView& view) {
    switch (view.dtype()) {
        case DType::F32:
            return kernels::cpu::Element::F32;
        case DType::BF16:
            return kernels::cpu::Element::Bf16;
        case DType::F16:
            return kernels::cpu::Element::F16;
        default:
            break;
    }
    FW_CHECK(false, "no kernel takes {}", view.text());
    return kernels::cpu::Element::F32;
}

[[nodiscard]] inline const void* advanced(const ConstTensorView& view, std::int64_t elements) {
    return static_cast<const std::byte*>(view.data()) + elements * dtypeSize(view.dtype());
}
[[nodiscard]] inline void* advancedMutable(const TensorView& view, std::int64_t elements) {
    return static_cast<std::byte*>(view.mutableData()) + elements * dtypeSize(view.dtype());
}

// Loops over the first `loops` dimensions, which the operands share.
template <std::size_t kOperands>
[[nodiscard]] kernels::cpu::LoopNest<kOperands> loopsOver(
    std::size_t loops, const std::array<const ConstTensorView*, kOperands>& views) {
    kernels::cpu::LoopNest<kOperands> nest;
    for (std::size_t i = 0; i < loops; ++i) {
        typename kernels::cpu::LoopNest<kOperands>::Offsets step{};
        for (std::size_t o = 0; o < kOperands; ++o) {
            step[o] = views[o]->strides()[i];
        }
        nest.push(views[0]->shape()[i], step);
    }
    return nest;
}

// Two innermost loops of a nest over rows, and where they start.
template <std::size_t kOperands>
struct RowPlane {
    using Offsets = typename kernels::cpu::LoopNest<kOperands>::Offsets;
    std::int64_t batch = 1;
    std::int64_t rows = 1;
    Offsets batchStep{}, rowStep{}, base{};
};

// Calls body(plane) for [..., C] operands of equal leading dimensions: once, unless the leading dimensions are
// strided in more than two different ways.
template <std::size_t kOperands, class Body>
void forRowPlanes(const std::array<const ConstTensorView*, kOperands>& views, const Body& body) {
    const std::size_t leading = views[0]->rank() == 0 ? 0 : views[0]->rank() - 1;
    kernels::cpu::LoopNest<kOperands> nest = loopsOver<kOperands>(leading, views).merged();
    RowPlane<kOperands> plane;
    if (nest.rank > 0) {
        plane.rows = nest.extents[static_cast<std::size_t>(nest.rank - 1)];
        plane.rowStep = nest.step(nest.rank - 1);
        nest = nest.without(nest.rank - 1);
    }
    if (nest.rank > 0) {
        plane.batch = nest.extents[static_cast<std::size_t>(nest.rank - 1)];
        plane.batchStep = nest.step(nest.rank - 1);
        nest = nest.without(nest.rank - 1);
    }
    for (std::int64_t i = 0; i < nest.count(); ++i) {
        plane.base = nest.offsetsAt(i);
        body(plane);
    }
}

// The same for operations without any row: the last dimension joins the others, and long lines are cut into rows of
// at most `kLine` elements. body(plane, channels).
template <std::size_t kOperands, class Body>
void forElementPlanes(const std::array<const ConstTensorView*, kOperands>& views, const Body& body) {
    constexpr std::int64_t kLine = 4096;
    const auto nest = loopsOver<kOperands>(views[0]->rank(), views).merged();
    typename RowPlane<kOperands>::Offsets unit{};
    unit.fill(1);
    const bool flat = nest.rank == 0 || (nest.rank == 1 && nest.step(0) == unit);
    if (!flat) {
        forRowPlanes<kOperands>(views, [&](const RowPlane<kOperands>& plane) { body(plane, views[0]->dim(-1)); });
        return;
    }
    const std::int64_t count = nest.count();
    RowPlane<kOperands> plane;
    plane.rows = count / kLine;
    plane.rowStep.fill(kLine);
    if (plane.rows > 0) {
        body(plane, kLine);
    }
    if (count % kLine > 0) {
        plane.base.fill(plane.rows * kLine);
        plane.rows = 1;
        body(plane, count % kLine);
    }
}

// Operand `index` of a plane.
template <std::size_t kOperands>
[[nodiscard]] kernels::cpu::ConstRows rowsOf(const ConstTensorView& view, const RowPlane<kOperands>& plane,
                                             std::size_t index) {
    return {advanced(view, plane.base[index]), elementOf(view), plane.batchStep[index], plane.rowStep[index]};
}
template <std::size_t kOperands>
[[nodiscard]] kernels::cpu::Rows mutableRowsOf(const TensorView& view, const RowPlane<kOperands>& plane,
                                               std::size_t index) {
    return {advancedMutable(view, plane.base[index]), elementOf(view), plane.batchStep[index],
            plane.rowStep[index]};
}

// A [B, N, C] view.
[[nodiscard]] inline kernels::cpu::ConstRows batchRows(const ConstTensorView& view) {
    return {view.data(), elementOf(view), view.stride(0), view.stride(1)};
}
[[nodiscard]] inline kernels::cpu::Rows mutableBatchRows(const TensorView& view) {
    return {view.mutableData(), elementOf(view), view.stride(0), view.stride(1)};
}
[[nodiscard]] inline kernels::cpu::RowExtents batchExtents(const ConstTensorView& view) {
    return {view.dim(0), view.dim(1), view.dim(2)};
}

}  // namespace fw::backend
