// State space models on the CPU: views become arguments of the kernels.
#include <algorithm>
#include <vector>

#include "core/backend/cpu_ops.h"
#include "core/backend/cpu_views.h"
#include "kernels/cpu/norm.h"
#include "kernels/cpu/scan_conv.h"
#include "kernels/cpu/state_space.h"

namespace fw::backend {

namespace {

// An order's entries, or null. An entry out of range would read foreign memory.
const std::int32_t* checkedOrder(const char* operation, const ConstTensorView& order) {
    if (order.isNone()) {
        return nullptr;
    }
    const auto* entries = order.as<std::int32_t>();
    const std::int64_t rows = order.dim(0);
    FW_CHECK(std::all_of(entries, entries + rows, [&](std::int32_t row) { return row >= 0 && row < rows; }),
             "{}: the order names a row beyond {}", operation, rows);
    return entries;
}

const float* floatsOrNull(const ConstTensorView& view) {
    return view.isNone() ? nullptr : view.as<float>();
}

kernels::cpu::StateSpaceDirection directionOf(const StateSpaceInput& in) {
    kernels::cpu::StateSpaceDirection direction;
    direction.x = in.x.data();
    direction.b = in.b.data();
    direction.c = in.c.data();
    direction.step = in.step.data();
    direction.stepElement = elementOf(in.step);
    direction.xBatch = in.x.stride(0), direction.xRow = in.x.stride(1), direction.xHead = in.x.stride(2);
    direction.bBatch = in.b.stride(0), direction.bRow = in.b.stride(1), direction.bGroup = in.b.stride(2);
    direction.cBatch = in.c.stride(0), direction.cRow = in.c.stride(1), direction.cGroup = in.c.stride(2);
    direction.stepBatch = in.step.stride(0), direction.stepRow = in.step.stride(1);
    direction.stepBias = in.stepBias.as<float>();
    direction.decay = in.decay.as<float>();
    direction.skip = in.skip.as<float>();
    direction.initialState = floatsOrNull(in.initialState);
    direction.finalState = in.finalState.isNone() ? nullptr : in.finalState.mutableAs<float>();
    direction.reverse = in.reverse;
    return direction;
}

}  // namespace

void CpuOps::doScanConv(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                        const ScanConvOptions& options, const TensorView& y) {
    kernels::cpu::ScanConvArgs args;
    args.extents = batchExtents(x);
    args.x = batchRows(x);
    args.y = mutableBatchRows(y);
    args.weight = weight.as<float>();
    args.bias = bias.as<float>();
    args.taps = weight.dim(0);
    args.order = checkedOrder("scanConv", options.path.order);
    args.reverse = options.path.reverse;
    if (!options.prefix.isNone()) {
        args.prefix = batchRows(options.prefix);
        args.prefixRows = options.prefix.dim(1);
        args.prefixOrder = checkedOrder("scanConv", options.prefixOrder);
    }
    kernels::cpu::scanConv(args, m_threads);
}

void CpuOps::doStateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions& options,
                              const TensorView& y) {
    std::vector<kernels::cpu::StateSpaceDirection> both;
    std::transform(directions.begin(), directions.end(), std::back_inserter(both), directionOf);
    const StateSpaceInput& first = directions.front();
    kernels::cpu::StateSpaceArgs args;
    args.directions = both.data();
    args.directionCount = static_cast<int>(both.size());
    if (!y.isNone()) {
        args.y = y.mutableData();
        args.yBatch = y.stride(0), args.yRow = y.stride(1), args.yHead = y.stride(2);
    }
    args.batch = first.x.dim(0);
    args.rows = first.x.dim(1);
    args.heads = first.x.dim(2);
    args.headDim = first.x.dim(3);
    args.groups = first.b.dim(2);
    args.stateDim = first.b.dim(3);
    args.element = elementOf(first.x);
    args.order = checkedOrder("stateSpaceScan", options.order);
    args.chunk = options.chunk;
    args.threads = m_threads;
    args.workspace = sparseScratch("stateSpaceScan", kernels::cpu::stateSpaceWorkspaceBytes(args));
    if (args.workspace != nullptr) {
        kernels::cpu::stateSpaceScan(args);
    }
}

void CpuOps::doGatedRmsNorm(const ConstTensorView& x, const ConstTensorView& gate, const ConstTensorView& weight,
                            std::int64_t groups, float eps, const TensorView& y) {
    kernels::cpu::GatedRmsNormArgs args;
    args.extents = batchExtents(x);
    args.x = batchRows(x);
    args.gate = batchRows(gate);
    args.y = mutableBatchRows(y);
    args.weight = weight.as<float>();
    args.groups = groups;
    args.eps = eps;
    kernels::cpu::gatedRmsNorm(args, m_threads);
}

void CpuOps::doPoolTokens(const ConstTensorView& x, const TokenGrid& grid,
                          const std::array<std::int64_t, 3>& pooling, const TensorView& y) {
    kernels::cpu::PoolArgs args;
    args.extents = batchExtents(y);
    args.x = batchRows(x);
    args.y = mutableBatchRows(y);
    args.grid = {grid.frames, grid.height, grid.width};
    args.box = pooling;
    kernels::cpu::poolRows(args, m_threads);
}

}  // namespace fw::backend
