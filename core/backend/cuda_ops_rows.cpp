// Normalisations and element-wise operations on a GPU.
#include "core/backend/cuda_ops.h"
#include "core/backend/cuda_views.h"

namespace fw::backend {

namespace cuda = kernels::cuda;

void CudaOps::doRmsNormRope(const ConstTensorView& x, const ConstTensorView& weight, float eps,
                            const std::optional<RopeTables>& rope, std::int64_t headDim, const TensorView& y) {
    cuda::RmsNormArgs args{};
    args.extents = cudaBatchExtents(x);
    args.x = cudaBatchRows(x);
    args.y = cudaMutableBatchRows(y);
    args.weight = weight.as<float>();
    args.eps = eps;
    if (rope) {
        args.cosine = rope->cosine.as<float>();
        args.sine = rope->sine.as<float>();
        args.cosineStride = rope->cosine.stride(0);
        args.sineStride = rope->sine.stride(0);
        args.headDim = headDim;
    }
    note(api().rmsNorm(m_queue, args));
}

namespace {

cuda::Addend addend(const GatedDelta& added) {
    cuda::Addend result{};
    if (!added.delta.isNone()) {
        result.delta = cudaBatchRows(added.delta);
    }
    if (!added.gate.isNone()) {
        result.gate = added.gate.as<float>();
        result.gateBatchStride = added.gate.stride(0);
    }
    return result;
}

cuda::LayerNormArgs modulation(const ConstTensorView& x, const ConstTensorView& scale, const ConstTensorView& shift,
                               float eps, const TensorView& y) {
    cuda::LayerNormArgs args{};
    args.extents = cudaBatchExtents(x);
    args.x = cudaBatchRows(x);
    args.y = cudaMutableBatchRows(y);
    args.scale = scale.as<float>();
    args.shift = shift.as<float>();
    args.scaleBatchStride = scale.stride(0);
    args.shiftBatchStride = shift.stride(0);
    args.scaleOffset = 1.0F;
    args.eps = eps;
    return args;
}

}  // namespace

void CudaOps::doLayerNormModulate(const ConstTensorView& x, const ConstTensorView& scale,
                                  const ConstTensorView& shift, float eps, const TensorView& y) {
    note(api().layerNorm(m_queue, modulation(x, scale, shift, eps, y)));
}

void CudaOps::doLayerNormProduct(const ConstTensorView& x, const ConstTensorView& scale,
                                 const ConstTensorView& shift, float eps, const TensorView& y,
                                 const RowProduct& product) {
    if (!y.isContiguous() || !product.y.isContiguous()) {
        doLayerNormModulate(x, scale, shift, eps, y);
        doLinear(y, *product.weights, product.y, Activation::None);
        return;
    }
    cuda::LayerNormArgs args = modulation(x, scale, shift, eps, y);
    args.product = linearArgs(*product.weights, product.y.dtype());
    args.product.rows = y.dim(0) * y.dim(1);
    args.product.x = y.data();
    args.product.y = product.y.mutableData();
    note(api().layerNorm(m_queue, args));
}

void CudaOps::doLayerNorm(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                          float eps, const TensorView& y, const GatedDelta& added) {
    cuda::LayerNormArgs args{};
    args.extents = cudaBatchExtents(x);
    args.x = cudaBatchRows(x);
    args.added = addend(added);
    args.y = cudaMutableBatchRows(y);
    args.scale = weight.as<float>();
    args.shift = bias.as<float>();
    args.eps = eps;
    note(api().layerNorm(m_queue, args));
}

void CudaOps::doRmsNorm(const ConstTensorView& x, const ConstTensorView& weight, float eps, const TensorView& y) {
    forRowPlanes<2>({&x, &y}, [&](const RowPlane<2>& plane) {
        cuda::RmsNormArgs args{};
        args.extents = {plane.batch, plane.rows, x.dim(-1)};
        args.x = cudaRows(x, plane, 0);
        args.y = cudaMutableRows(y, plane, 1);
        args.weight = weight.as<float>();
        args.eps = eps;
        note(api().rmsNorm(m_queue, args));
    });
}

void CudaOps::doChannelNorm(const ConstTensorView& x, const ConstTensorView& gamma, bool silu,
                            const TensorView& y) {
    forRowPlanes<2>({&x, &y}, [&](const RowPlane<2>& plane) {
        cuda::ChannelNormArgs args{};
        args.extents = {plane.batch, plane.rows, x.dim(-1)};
        args.x = cudaRows(x, plane, 0);
        args.y = cudaMutableRows(y, plane, 1);
        args.gamma = gamma.as<float>();
        args.silu = silu;
        note(api().channelNorm(m_queue, args));
    });
}

void CudaOps::doGatedAdd(const TensorView& residual, const ConstTensorView& delta, const ConstTensorView& gate) {
    cuda::GatedAddArgs args{};
    args.extents = cudaBatchExtents(residual);
    args.residual = cudaMutableBatchRows(residual);
    args.added = addend({delta, gate});
    note(api().gatedAdd(m_queue, args));
}

void CudaOps::doAdd(const ConstTensorView& a, const ConstTensorView& b, const TensorView& y) {
    cuda::AddArgs args{};
    args.nest = cudaNest<3>({&y, &a, &b});
    args.y = y.mutableAs<float>();
    args.a = a.as<float>();
    args.b = b.as<float>();
    note(api().add(m_queue, args));
}

void CudaOps::doSilu(const ConstTensorView& x, const TensorView& y) {
    note(api().silu(m_queue, x.as<float>(), y.mutableAs<float>(), x.count()));
}

void CudaOps::doGatedGelu(const ConstTensorView& x, const TensorView& y) {
    forRowPlanes<2>({&x, &y}, [&](const RowPlane<2>& plane) {
        cuda::GatedGeluArgs args{};
        args.extents = {plane.batch, plane.rows, y.dim(-1)};
        args.x = cudaRows(x, plane, 0);
        args.y = cudaMutableRows(y, plane, 1);
        note(api().gatedGelu(m_queue, args));
    });
}

void CudaOps::doEmbed(const ConstTensorView& table, const ConstTensorView& ids, const TensorView& y) {
    cuda::EmbedArgs args{};
    args.rows = ids.dim(0);
    args.channels = table.dim(1);
    args.tableRows = table.dim(0);
    args.table = {table.data(), cudaElement(table.dtype()), 0, table.stride(0)};
    args.ids = ids.as<std::int32_t>();
    args.y = {y.mutableData(), cudaElement(y.dtype()), 0, y.stride(0)};
    note(api().embed(m_queue, args));
}

void CudaOps::doCopy(const ConstTensorView& x, const TensorView& y) {
    cuda::CopyArgs args{};
    args.nest = cudaNest<2>({&y, &x});
    args.y = y.mutableData();
    args.yElement = cudaElement(y.dtype());
    args.x = x.data();
    args.xElement = cudaElement(x.dtype());
    note(api().copy(m_queue, args));
}

void CudaOps::doLinearCombination(std::span<const Term> terms, const TensorView& y) {
    static_assert(cuda::kMaxTerms == kMaxTerms);
    cuda::CombinationArgs args{};
    for (std::size_t i = 0; i < terms.size(); ++i) {
        args.x[i] = terms[i].x.as<float>();
        args.coefficients[i] = static_cast<float>(terms[i].coefficient);
    }
    args.terms = static_cast<std::int32_t>(terms.size());
    args.y = y.mutableAs<float>();
    args.count = y.count();
    note(api().linearCombination(m_queue, args));
}

void CudaOps::doDifference(const ConstTensorView& a, const ConstTensorView& b, const TensorView& means) {
    cuda::DifferenceArgs args{};
    args.extents = cudaBatchExtents(a);
    args.a = cudaBatchRows(a);
    args.b = cudaBatchRows(b);
    args.means = means.mutableAs<float>();
    note(api().difference(m_queue, args));
}

void CudaOps::doRowSums(const ConstTensorView& rows, const TokenGrid& grid,
                        const std::array<std::int64_t, 3>& pooling, const TensorView& sums,
                        const TensorView& columns) {
    cuda::RowSumsArgs args{};
    args.rows = rows.as<float>();
    args.heads = rows.dim(0);
    args.count = rows.dim(1);
    const std::int64_t extents[] = {grid.frames, grid.height, grid.width};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        args.grid[axis] = extents[axis];
        args.pool[axis] = pooling[axis];
    }
    args.sums = sums.mutableAs<float>();
    args.columns = columns.mutableAs<float>();
    note(api().rowSums(m_queue, args));
}

void CudaOps::doUpsample2x(const ConstTensorView& x, const TensorView& y) {
    cuda::Upsample2xArgs args{};
    for (std::size_t i = 0; i < 4; ++i) {
        args.extents[i] = x.shape()[i];
        args.xStrides[i] = x.strides()[i];
        args.yStrides[i] = y.strides()[i];
    }
    args.channels = x.dim(4);
    args.x = x.data();
    args.y = y.mutableData();
    args.element = cudaElement(x.dtype());
    note(api().upsample2x(m_queue, args));
}

void CudaOps::doToBytes(const ConstTensorView& x, const TensorView& y) {
    forElementPlanes<2>({&x, &y}, [&](const RowPlane<2>& plane, std::int64_t channels) {
        cuda::ToBytesArgs args{};
        args.extents = {plane.batch, plane.rows, channels};
        args.x = cudaRows(x, plane, 0);
        args.y = static_cast<std::uint8_t*>(advancedMutable(y, plane.base[1]));
        args.yBatchStride = plane.batchStep[1];
        args.yRowStride = plane.rowStep[1];
        note(api().toBytes(m_queue, args));
    });
}

}  // namespace fw::backend
