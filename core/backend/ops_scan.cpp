// Checks and costs of the operations on tokens in a row.
#include "core/backend/ops.h"
#include "core/backend/ops_checks.h"
#include "core/backend/token_scan.h"

namespace fw::backend {

namespace {

constexpr std::int64_t kGatedNormFlops = 4;  // product, square and add, two scalings
constexpr std::int64_t kStepFlops = 8;       // bias, softplus, decay and its sum
constexpr std::int64_t kLargestState = 256, kLargestHead = 256, kLargestChunk = 1024;

void checkRows(const char* op, const char* name, const ConstTensorView& view, const ConstTensorView& like) {
    checkAct(op, name, view);
    FW_CHECK(view.rank() == 3 && view.dtype() == like.dtype(), "{}: {} is {}, x is {}", op, name, view.text(),
             like.text());
}

void checkOrder(const char* op, const ConstTensorView& order, std::int64_t rows) {
    if (order.isNone()) {
        return;
    }
    checkShape(op, "order", order, {rows});
    FW_CHECK(order.dtype() == DType::I32 && order.isContiguous(), "{}: order is {}, i32 expected", op,
             order.text());
}

void checkDirection(const StateSpaceInput& in, const StateSpaceInput& first, const StateSpaceOptions& options) {
    const char* op = "stateSpaceScan";
    checkAct(op, "x", in.x);
    FW_CHECK(in.x.rank() == 4 && in.x.dim(2) >= 1 && in.x.dim(3) >= 1 && in.x.dim(3) <= kLargestHead,
             "{}: x is {}, [B, N, H, P] with P up to {} expected", op, in.x.text(), kLargestHead);
    checkShape(op, "x", in.x, first.x.shape());
    checkAct(op, "b", in.b);
    checkAct(op, "c", in.c);
    const std::int64_t batch = in.x.dim(0), rows = in.x.dim(1), heads = in.x.dim(2);
    FW_CHECK(in.b.rank() == 4 && in.b.dim(2) >= 1 && heads % in.b.dim(2) == 0 && in.b.dim(3) >= 1 &&
                 in.b.dim(3) <= kLargestState,
             "{}: b is {}, [B, N, G, S] with G a divisor of {} and S up to {} expected", op, in.b.text(), heads,
             kLargestState);
    checkShape(op, "b", in.b, {batch, rows, in.b.dim(2), in.b.dim(3)});
    checkShape(op, "b", in.b, first.b.shape());
    checkShape(op, "c", in.c, in.b.shape());
    for (const ConstTensorView* view : {&in.x, &in.b, &in.c}) {
        FW_CHECK(view->dtype() == first.x.dtype(), "{}: {} beside {}", op, view->text(), first.x.text());
    }
    checkAct(op, "step", in.step);
    checkShape(op, "step", in.step, {batch, rows, heads});
    for (const ConstTensorView* vector : {&in.stepBias, &in.decay, &in.skip}) {
        checkF32(op, "vector", *vector);
        checkShape(op, "vector", *vector, {heads});
    }
    for (const ConstTensorView& state : {in.initialState, ConstTensorView(in.finalState)}) {
        if (!state.isNone()) {
            checkF32(op, "state", state);
            checkShape(op, "state", state, {batch, heads, in.x.dim(3), in.b.dim(3)});
            FW_CHECK(state.isContiguous(), "{}: strided state {}", op, state.text());
        }
    }
    FW_CHECK(options.chunk >= 1 && options.chunk <= kLargestChunk, "{}: chunk {}, 1 to {} expected", op,
             options.chunk, kLargestChunk);
}

}  // namespace

void Ops::scanConv(const ConstTensorView& x, const ConstTensorView& weight, const ConstTensorView& bias,
                   const ScanConvOptions& options, const TensorView& y) {
    const char* op = "scanConv";
    checkDevice(op, deviceKind(), {x, weight, bias, y, options.path.order, options.prefix, options.prefixOrder});
    checkRows(op, "x", x, x);
    checkRows(op, "y", y, x);
    checkShape(op, "y", y, x.shape());
    checkF32(op, "weight", weight);
    checkF32(op, "bias", bias);
    FW_CHECK(weight.rank() == 2 && weight.dim(0) >= 1 && weight.dim(1) == x.dim(2) && weight.isContiguous(),
             "{}: weight is {}, [K, {}] expected", op, weight.text(), x.dim(2));
    checkShape(op, "bias", bias, {x.dim(2)});
    checkOrder(op, options.path.order, x.dim(1));
    if (!options.prefix.isNone()) {
        checkRows(op, "prefix", options.prefix, x);
        checkShape(op, "prefix", options.prefix, {x.dim(0), options.prefix.dim(1), x.dim(2)});
        checkOrder(op, options.prefixOrder, options.prefix.dim(1));
    }
    charge(x.count() * (2 * weight.dim(0) + kActivationFlops), {x, weight, bias, y});
    if (y.count() > 0) {
        doScanConv(x, weight, bias, options, y);
    }
}

void Ops::stateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions& options,
                         const TensorView& y) {
    const char* op = "stateSpaceScan";
    FW_CHECK(directions.size() == 1 || directions.size() == 2, "{} of {} directions", op, directions.size());
    const StateSpaceInput& first = directions.front();
    for (const StateSpaceInput& in : directions) {
        checkDevice(op, deviceKind(),
                    {in.x, in.b, in.c, in.step, in.stepBias, in.decay, in.skip, in.initialState, in.finalState,
                     options.order, y});
        checkDirection(in, first, options);
    }
    checkOrder(op, options.order, first.x.dim(1));
    if (!y.isNone()) {
        checkAct(op, "y", y);
        checkShape(op, "y", y, first.x.shape());
        FW_CHECK(y.dtype() == first.x.dtype(), "{}: y is {}, x is {}", op, y.text(), first.x.text());
    }
    // Scores and their use within chunks, state and read-out: full chunks, as kernels compute them (the triangle is
    // not discounted). Scores are charged once for each group.
    const std::int64_t rows = first.x.dim(0) * first.x.dim(1);
    const std::int64_t inner = first.x.dim(2) * first.x.dim(3), state = first.b.dim(3);
    const std::int64_t chunk = std::min(options.chunk, std::max<std::int64_t>(first.x.dim(1), 1));
    const std::int64_t within = y.isNone() ? 0 : chunk * (first.b.dim(2) * state + inner) + state * inner;
    const std::int64_t perRow = 2 * (within + state * inner) + kStepFlops * first.x.dim(2);
    for (const StateSpaceInput& in : directions) {
        charge(rows * perRow, {in.x, in.b, in.c, in.step, in.initialState, in.finalState, y});
    }
    if (first.x.count() > 0) {
        doStateSpaceScan(directions, options, y);
    }
}

void Ops::gatedRmsNorm(const ConstTensorView& x, const ConstTensorView& gate, const ConstTensorView& weight,
                       std::int64_t groups, float eps, const TensorView& y) {
    const char* op = "gatedRmsNorm";
    checkDevice(op, deviceKind(), {x, gate, weight, y});
    checkRows(op, "x", x, x);
    checkRows(op, "gate", gate, x);
    checkRows(op, "y", y, x);
    checkShape(op, "gate", gate, x.shape());
    checkShape(op, "y", y, x.shape());
    checkF32(op, "weight", weight);
    checkShape(op, "weight", weight, {x.dim(2)});
    FW_CHECK(groups >= 1 && x.dim(2) % groups == 0 && eps > 0.0F, "{}: {} groups of {}, eps {}", op, groups,
             x.text(), eps);
    charge(x.count() * (kActivationFlops + kGatedNormFlops), {x, gate, weight, y});
    if (y.count() > 0) {
        doGatedRmsNorm(x, gate, weight, groups, eps, y);
    }
}

void Ops::poolTokens(const ConstTensorView& x, const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling,
                     const TensorView& y) {
    const char* op = "poolTokens";
    checkDevice(op, deviceKind(), {x, y});
    checkRows(op, "x", x, x);
    checkRows(op, "y", y, x);
    FW_CHECK(pooling[0] >= 1 && pooling[1] >= 1 && pooling[2] >= 1, "{}: boxes of {} x {} x {}", op, pooling[0],
             pooling[1], pooling[2]);
    FW_CHECK(x.dim(1) == grid.tokens(), "{}: x is {}, the grid has {} tokens", op, x.text(), grid.tokens());
    checkShape(op, "y", y, {x.dim(0), pooledGrid(grid, pooling).tokens(), x.dim(2)});
    charge(x.count(), {x, y});
    if (y.count() > 0) {
        doPoolTokens(x, grid, pooling, y);
    }
}

void Ops::doScanConv(const ConstTensorView& x, const ConstTensorView&, const ConstTensorView&,
                     const ScanConvOptions&, const TensorView&) {
    FW_CHECK(false, "scanConv of {}: this back-end has no state space models", x.text());
}
void Ops::doStateSpaceScan(std::span<const StateSpaceInput> directions, const StateSpaceOptions&,
                           const TensorView&) {
    FW_CHECK(false, "stateSpaceScan of {}: this back-end has no state space models", directions.front().x.text());
}
void Ops::doGatedRmsNorm(const ConstTensorView& x, const ConstTensorView&, const ConstTensorView&, std::int64_t,
                         float, const TensorView&) {
    FW_CHECK(false, "gatedRmsNorm of {}: this back-end has no state space models", x.text());
}
void Ops::doPoolTokens(const ConstTensorView& x, const TokenGrid&, const std::array<std::int64_t, 3>&,
                       const TensorView&) {
    FW_CHECK(false, "poolTokens of {}: this back-end has no state space models", x.text());
}

}  // namespace fw::backend
