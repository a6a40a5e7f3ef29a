// Normalisations and element-wise operations on the CPU: views become arguments of the SIMD kernels.
#include <array>

#include "core/backend/cpu_ops.h"
#include "core/backend/cpu_views.h"
#include "kernels/cpu/copy.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/norm.h"

namespace fw::backend {

void CpuOps::doRmsNormRope(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                           const std::optional<RopeTables>& rope, std::int64_t headDim, const TensorView& y) {
    kernels::cpu::RmsNormArgs args;
    args.extents = batchExtents(x);
    args.x = batchRows(x);
    args.y = mutableBatchRows(y);
    args.weight = weight.as<float>();
    args.eps = eps;
    if (rope) {
        FW_CHECK(headDim <= kernels::cpu::kMaxRopeHeadDim, "rotary embedding of heads of width {}, at most {}",
                 headDim, kernels::cpu::kMaxRopeHeadDim);
        args.cosine = rope->cosine.as<float>();
        args.sine = rope->sine.as<float>();
        args.cosineStride = rope->cosine.stride(0);
        args.sineStride = rope->sine.stride(0);
        args.headDim = headDim;
    }
    kernels::cpu::rmsNorm(args, m_threads);
}

void CpuOps::doLayerNormModulate(const ConstTensorView& x, const ConstTensorView& scale,
                                 const ConstTensorView& shift, float eps, const TensorView& y) {
    kernels::cpu::LayerNormArgs args;
    args.extents = batchExtents(x);
    args.x = batchRows(x);
    args.y = mutableBatchRows(y);
    args.scale = scale.as<float>();
    args.shift = shift.as<float>();
    args.scaleBatchStride = scale.stride(0);
    args.shiftBatchStride = shift.stride(0);
    args.scaleOffset = 1.0F;
    args.eps = eps;
    kernels::cpu::layerNorm(args, m_threads);
}

void CpuOps::doLayerNorm(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                         float eps, const TensorView& y, const GatedDelta& added) {
    kernels::cpu::LayerNormArgs args;
    args.extents = batchExtents(x);
    args.x = batchRows(x);
    if (!added.delta.isNone()) {
        args.delta = batchRows(added.delta);
    }
    if (!added.gate.isNone()) {
        args.gate = added.gate.as<float>();
        args.gateBatchStride = added.gate.stride(0);
    }
    args.y = mutableBatchRows(y);
    args.scale = weight.as<float>();
    args.shift = bias.as<float>();
    args.eps = eps;
    kernels::cpu::layerNorm(args, m_threads);
}

void CpuOps::doRmsNorm(const ConstTensorView& x, const ConstTensorView& weight, float eps, const TensorView& y) {
    forRowPlanes<2>({&x, &y}, [&](const RowPlane<2>& plane) {
        kernels::cpu::RmsNormArgs args;
        args.extents = {plane.batch, plane.rows, x.dim(-1)};
        args.x = rowsOf(x, plane, 0);
        args.y = mutableRowsOf(y, plane, 1);
        args.weight = weight.as<float>();
        args.eps = eps;
        kernels::cpu::rmsNorm(args, m_threads);
    });
}

void CpuOps::doChannelNorm(const ConstTensorView& x, const ConstTensorView& gamma, bool silu, const TensorView& y) {
    forRowPlanes<2>({&x, &y}, [&](const RowPlane<2>& plane) {
        kernels::cpu::ChannelNormArgs args;
        args.extents = {plane.batch, plane.rows, x.dim(-1)};
        args.x = rowsOf(x, plane, 0);
        args.y = mutableRowsOf(y, plane, 1);
        args.gamma = gamma.as<float>();
        args.silu = silu;
        kernels::cpu::channelNorm(args, m_threads);
    });
}

void CpuOps::doGatedAdd(const TensorView& residual, const ConstTensorView& delta, const ConstTensorView& gate) {
    kernels::cpu::GatedAddArgs args;
    args.extents = batchExtents(residual);
    args.residual = mutableBatchRows(residual);
    args.delta = batchRows(delta);
    if (!gate.isNone()) {
        args.gate = gate.as<float>();
        args.gateBatchStride = gate.stride(0);
    }
    kernels::cpu::gatedAdd(args, m_threads);
}

void CpuOps::doAdd(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y) {
    kernels::cpu::AddArgs args;
    args.nest = loopsOver<3>(y.rank(), {&y, &a, &b});
    args.y = y.mutableAs<float>();
    args.a = a.as<float>();
    args.b = b.as<float>();
    kernels::cpu::add(args, m_threads);
}

void CpuOps::doSilu(const ConstTensorView& x, const TensorView& y) {
    kernels::cpu::silu(x.as<float>(), y.mutableAs<float>(), x.count(), m_threads);
}

void CpuOps::doGatedGelu(const ConstTensorView& x, const TensorView& y) {
    forRowPlanes<2>({&x, &y}, [&](const RowPlane<2>& plane) {
        kernels::cpu::GatedGeluArgs args;
        args.extents = {plane.batch, plane.rows, y.dim(-1)};
        args.x = rowsOf(x, plane, 0);
        args.y = mutableRowsOf(y, plane, 1);
        kernels::cpu::gatedGelu(args, m_threads);
    });
}

void CpuOps::doEmbed(const ConstTensorView& table, const ConstTensorView& ids, const TensorView& y) {
    kernels::cpu::EmbedArgs args;
    args.rows = ids.dim(0);
    args.channels = table.dim(1);
    args.table = {table.data(), elementOf(table), 0, table.stride(0)};
    args.ids = ids.as<std::int32_t>();
    args.y = {y.mutableData(), elementOf(y), 0, y.stride(0)};
    for (std::int64_t i = 0; i < args.rows; ++i) {
        FW_CHECK(args.ids[i] >= 0 && args.ids[i] < table.dim(0), "embed: id {} at {} of a table of {} rows",
                 args.ids[i], i, table.dim(0));
    }
    kernels::cpu::embed(args, m_threads);
}

void CpuOps::doCopy(const ConstTensorView& x, const TensorView& y) {
    kernels::cpu::CopyArgs args;
    args.nest = loopsOver<2>(y.rank(), {&y, &x});
    args.y = y.mutableData();
    args.yElement = elementOf(y);
    args.x = x.data();
    args.xElement = elementOf(x);
    kernels::cpu::copy(args, m_threads);
}

void CpuOps::doLinearCombination(std::span<const Term> terms, const TensorView& y) {
    std::array<const float*, kMaxTerms> pointers{};
    std::array<float, kMaxTerms> coefficients{};
    for (std::size_t i = 0; i < terms.size(); ++i) {
        pointers[i] = terms[i].x.as<float>();
        coefficients[i] = static_cast<float>(terms[i].coefficient);
    }
    kernels::cpu::linearCombination(
        {pointers.data(), coefficients.data(), terms.size(), y.mutableAs<float>(), y.count()}, m_threads);
}

void CpuOps::doDifference(const ConstTensorView& a, const ConstTensorView& b, const TensorView& means) {
    kernels::cpu::DifferenceArgs args;
    args.extents = batchExtents(a);
    args.a = batchRows(a);
    args.b = batchRows(b);
    const std::int64_t bytes = kernels::cpu::differenceWorkspaceBytes(args.extents);
    args.workspace = static_cast<double*>(m_sums.take(bytes));
    if (args.workspace == nullptr) {
        note(fail(ErrorCode::OutOfMemory, "difference of {}: {} bytes of scratch memory are needed", a.text(),
                  bytes));
        return;
    }
    args.means = means.mutableAs<float>();
    kernels::cpu::difference(args, m_threads);
}

void CpuOps::doUpsample2x(const ConstTensorView& x, const TensorView& y) {
    kernels::cpu::Upsample2xArgs args;
    args.pixelBytes = x.dim(4) * dtypeSize(x.dtype());
    args.x = x.data();
    args.y = y.mutableData();
    for (std::size_t i = 0; i < 4; ++i) {
        args.extents[i] = x.shape()[i];
        args.xStrides[i] = x.strides()[i] * dtypeSize(x.dtype());
        args.yStrides[i] = y.strides()[i] * dtypeSize(y.dtype());
    }
    kernels::cpu::upsample2x(args, m_threads);
}

void CpuOps::doToBytes(const ConstTensorView& x, const TensorView& y) {
    forElementPlanes<2>({&x, &y}, [&](const RowPlane<2>& plane, std::int64_t channels) {
        kernels::cpu::ToBytesArgs args;
        args.extents = {plane.batch, plane.rows, channels};
        args.x = rowsOf(x, plane, 0);
        args.y = {advancedMutable(y, plane.base[1]), kernels::cpu::Element::F32, plane.batchStep[1],
                  plane.rowStep[1]};
        kernels::cpu::toBytes(args, m_threads);
    });
}

}  // namespace fw::backend
