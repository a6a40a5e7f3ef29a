// State space models and rows of attention on a GPU: views become arguments of the kernels.
//
// Orders lie in device memory, so their entries cannot be checked here; the kernels stay within the rows whatever
// they hold.
#include <algorithm>

#include "core/backend/cuda_ops.h"
#include "core/backend/cuda_views.h"

namespace fw::backend {

namespace cuda = kernels::cuda;

namespace {

const std::int32_t* orderOrNull(const ConstTensorView& order) {
    return order.isNone() ? nullptr : order.as<std::int32_t>();
}

cuda::StateSpaceDirection directionOf(const StateSpaceInput& in) {
    cuda::StateSpaceDirection direction{};
    direction.x = in.x.data();
    direction.b = in.b.data();
    direction.c = in.c.data();
    direction.xBatch = in.x.stride(0), direction.xRow = in.x.stride(1), direction.xHead = in.x.stride(2);
    direction.bBatch = in.b.stride(0), direction.bRow = in.b.stride(1), direction.bGroup = in.b.stride(2);
    direction.cBatch = in.c.stride(0), direction.cRow = in.c.stride(1), direction.cGroup = in.c.stride(2);
    direction.step = in.step.data();
    direction.stepElement = cudaElement(in.step.dtype());
    direction.stepBatch = in.step.stride(0), direction.stepRow = in.step.stride(1);
    direction.stepBias = in.stepBias.as<float>();
    direction.decay = in.decay.as<float>();
    direction.skip = in.skip.as<float>();
    direction.initialState = in.initialState.isNone() ? nullptr : in.initialState.as<float>();
    direction.finalState = in.finalState.isNone() ? nullptr : in.finalState.mutableAs<float>();
    direction.reverse = in.reverse;
    return direction;
}

}  // namespace

void CudaOps::doScanConv(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                         const ScanConvOptions& options, const TensorView& y) {
    cuda::ScanConvArgs args{};
    args.extents = cudaBatchExtents(x);
    args.x = cudaBatchRows(x);
    args.y = cudaMutableBatchRows(y);
    args.weight = weight.as<float>();
    args.bias = bias.as<float>();
    args.taps = weight.dim(0);
    args.path = {orderOrNull(options.path.order), options.path.reverse};
    if (!options.prefix.isNone()) {
        args.prefix = cudaBatchRows(options.prefix);
        args.prefixRows = options.prefix.dim(1);
        args.prefixOrder = orderOrNull(options.prefixOrder);
    }
    note(api().scanConv(m_queue, args));
}

void CudaOps::doStateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions& options,
                               const TensorView& y) {
    cuda::StateSpaceArgs args{};
    std::transform(directions.begin(), directions.end(), args.directions, directionOf);
    args.directionCount = static_cast<std::int32_t>(directions.size());
    if (!y.isNone()) {
        args.y = y.mutableData();
        args.yBatch = y.stride(0), args.yRow = y.stride(1), args.yHead = y.stride(2);
    }
    const StateSpaceInput& first = directions.front();
    args.batch = first.x.dim(0);
    args.rows = first.x.dim(1);
    args.heads = first.x.dim(2);
    args.headDim = first.x.dim(3);
    args.groups = first.b.dim(2);
    args.stateDim = first.b.dim(3);
    args.element = cudaElement(first.x.dtype());
    args.order = orderOrNull(options.order);
    note(api().stateSpaceScan(m_queue, args));
}

void CudaOps::doGatedRmsNorm(const ConstTensorView& x, const ConstTensorView& gate, const ConstTensorView& weight,
                             std::int64_t groups, float eps, const TensorView& y) {
    cuda::GatedRmsNormArgs args{};
    args.extents = cudaBatchExtents(x);
    args.x = cudaBatchRows(x);
    args.gate = cudaBatchRows(gate);
    args.y = cudaMutableBatchRows(y);
    args.weight = weight.as<float>();
    args.groups = groups;
    args.eps = eps;
    note(api().gatedRmsNorm(m_queue, args));
}

void CudaOps::doPoolTokens(const ConstTensorView& x, const TokenGrid& grid,
                           const std::array<std::int64_t, 3>& pooling, const TensorView& y) {
    cuda::PoolArgs args{};
    args.extents = cudaBatchExtents(y);
    args.x = cudaBatchRows(x);
    args.y = cudaMutableBatchRows(y);
    args.grid[0] = grid.frames, args.grid[1] = grid.height, args.grid[2] = grid.width;
    std::copy(pooling.begin(), pooling.end(), args.box);
    note(api().poolRows(m_queue, args));
}

void CudaOps::doAttentionRows(const ConstTensorView& q, const ConstTensorView& k,
                              std::span<const std::int32_t> wanted, const AttentionRowOptions& options,
                              const TensorView& rows, const TensorView& entropies) {
    cuda::AttentionRowsArgs args{};
    args.q = q.data();
    args.k = k.data();
    args.qToken = q.stride(1), args.qHead = q.stride(2);
    args.kToken = k.stride(1), args.kHead = k.stride(2);
    args.heads = q.dim(2);
    args.keys = k.dim(1);
    args.headDim = q.dim(3);
    args.element = cudaElement(q.dtype());
    args.scale = options.scale;
    args.firstKeyRaise = firstKeyRaise(options.firstKeyWeight, options.scale);
    args.wanted = wanted.data();
    args.rows = static_cast<std::int64_t>(wanted.size());
    args.out = rows.mutableAs<float>();
    args.entropies = entropies.mutableAs<float>();
    note(api().attentionRows(m_queue, args));
}

}  // namespace fw::backend
