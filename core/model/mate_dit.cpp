#include "core/model/mate_dit.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/method/probe_sink.h"

namespace fw::model {

using backend::ArenaScope;
using backend::OwnedTensor;
using method::ModuleScope;

namespace {

constexpr float kNormEps = 1e-5F;  // Mamba2's own
constexpr std::int64_t kForward = 0, kBackward = 1;

// A view of one part of every row of [1, N, C].
TensorView columns(const TensorView& view, std::int64_t first, std::int64_t count) {
    return view.slice(2, first, first + count);
}

std::vector<std::int32_t> clampedPositions(std::int64_t extent, std::int64_t size) {
    std::vector<std::int32_t> ids;
    for (std::int64_t i = 0; i < extent; ++i) {
        ids.push_back(static_cast<std::int32_t>(std::min(i, size - 1)));
    }
    return ids;
}

// Steps of one direction; tied directions share theirs.
TensorView stepsOf(const TensorView& steps, std::int64_t direction, std::int64_t heads) {
    return columns(steps, steps.dim(2) == heads ? 0 : direction * heads, heads);
}

// `view` with a dimension of stride 0 in front.
ConstTensorView repeated(const ConstTensorView& view, std::int64_t times) {
    Shape shape{times};
    Strides strides{0};
    for (std::size_t i = 0; i < view.rank(); ++i) {
        shape.push(view.shape()[i]);
        strides.push(view.strides()[i]);
    }
    return {view.data(), view.dtype(), shape, strides, view.device()};
}

}  // namespace

Result<std::vector<backend::ScanOrder>> scanOrdersOf(const weights::MateConfig& config, std::int64_t layers) {
    std::vector<backend::ScanOrder> result;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        const auto index = static_cast<std::size_t>(layer) % config.scanOrders.size();
        const auto order = backend::scanOrderFromName(config.scanOrders[index]);
        if (!order) {
            return fail(ErrorCode::BadModel, "\"scan_orders\": {}", order.error().message);
        }
        result.push_back(*order);
    }
    return result;
}

// --- weights

Result<MateMixer::Scan> MateMixer::loadScan(WeightLoader& loader, const std::string& prefix) const {
    const std::int64_t channels = m_mate.scannedWidth(m_dit), heads = m_mate.heads(m_dit);
    Scan scan;
    FW_ASSIGN(scan.weight, loader.transposed(prefix + "conv1d.weight", channels, m_mate.convKernel));
    FW_ASSIGN(scan.bias, loader.floats(prefix + "conv1d.bias", {channels}));
    FW_ASSIGN(scan.stepBias, loader.floats(prefix + "dt_bias", {heads}));
    FW_ASSIGN(scan.decay, loader.floats(prefix + "A_log", {heads}));
    FW_ASSIGN(scan.skip, loader.floats(prefix + "D", {heads}));
    return scan;
}

Result<MateMixer::Positions> MateMixer::loadPositions(WeightLoader& loader, const std::string& prefix) const {
    const std::int64_t width = m_dit.width();
    Positions positions;
    FW_ASSIGN(positions.frames, loader.floats(prefix + "frames", {m_mate.positionSizes[0], width}));
    FW_ASSIGN(positions.rows, loader.floats(prefix + "rows", {m_mate.positionSizes[1], width}));
    FW_ASSIGN(positions.columns, loader.floats(prefix + "columns", {m_mate.positionSizes[2], width}));
    return positions;
}

Status MateMixer::loadLayer(WeightLoader& loader, std::int64_t index) {
    const std::string block = fmt::format("blocks.{}.", index);
    const std::string ssm = block + "ssm.";
    const std::int64_t projected = m_mate.innerWidth(m_dit) + m_mate.scannedWidth(m_dit);
    const std::int64_t steps = m_mate.directions() * m_mate.heads(m_dit);
    Layer layer;
    FW_ASSIGN(layer.attention, QueryKeyValue::load(loader, block + "attn1.", m_dit.width(), m_compute));
    FW_ASSIGN(layer.in, loader.linearRows(ssm + "in_proj", 0, projected, m_compute));
    FW_ASSIGN(layer.step, loader.linearRows(ssm + "in_proj", projected, steps, m_compute));
    FW_ASSIGN(Scan forward, loadScan(loader, ssm + "forward_scan."));
    layer.scans.push_back(std::move(forward));
    if (!m_mate.tiedDirections) {
        FW_ASSIGN(Scan backward, loadScan(loader, ssm + "backward_scan."));
        layer.scans.push_back(std::move(backward));
    }
    FW_ASSIGN(layer.norm, loader.floats(ssm + "norm.weight", {m_mate.innerWidth(m_dit)}));
    FW_ASSIGN(layer.out, loader.layerSum({block + "attn1.to_out.0", ssm + "out_proj"}, m_compute));
    m_layers.push_back(std::move(layer));
    if (m_mate.positions == weights::MateConfig::Positions::PerBlock) {
        FW_ASSIGN(Positions positions, loadPositions(loader, block + "position_embedding."));
        m_positions.push_back(std::move(positions));
    }
    return {};
}

Result<std::unique_ptr<TokenMixer>> MateMixer::create(WeightLoader& loader,
                                                      const weights::TransformerConfig& config, DType compute) {
    if (!loader.ops().supportsStateSpace() || !loader.ops().supportsSparseAttention()) {
        return fail(ErrorCode::Unsupported,
                    "{} cannot compute the state space models of a LinGen model yet; choose the CPU",
                    loader.device().info().id);
    }
    std::unique_ptr<MateMixer> mixer(new MateMixer(loader.device(), config, compute));
    FW_ASSIGN(mixer->m_layerOrders, scanOrdersOf(*config.mate, config.dit.layers));
    if (config.mate->positions == weights::MateConfig::Positions::Shared) {
        FW_ASSIGN(Positions positions, mixer->loadPositions(loader, "position_embedding."));
        mixer->m_positions.push_back(std::move(positions));
    }
    return mixer;
}

// --- what depends on the clip's size

// A dry run needs no values.
Result<OwnedTensor> MateMixer::makeTable(backend::Ops& ops, std::int64_t count,
                                         const std::function<std::vector<std::int32_t>()>& values) const {
    const Shape shape{count};
    FW_ASSIGN(auto tensor, backend::createTensor(*m_device, DType::I32, shape));
    if (ops.deviceKind() != DeviceKind::Meta) {
        const std::vector<std::int32_t> host = values();
        ops.upload(ConstTensorView(host.data(), DType::I32, shape), tensor.view);
        FW_TRY(ops.synchronize());
    }
    return tensor;
}

// Where a window is at least as long as an axis, the axis is one window in every layer.
Result<MateMixer::Windows> MateMixer::makeWindows(backend::Ops& ops, const method::TokenGrid& grid,
                                                  bool shifted) const {
    const std::int64_t extents[] = {grid.frames, grid.height, grid.width};
    Windows windows;
    windows.cut = {.grid = grid, .size = 0, .tile = {}, .shift = {}};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const bool whole = m_mate.window[axis] >= extents[axis];
        windows.cut.tile[axis] = whole ? extents[axis] : m_mate.window[axis];
        windows.cut.shift[axis] = whole || !shifted ? 0 : m_mate.shift[axis];
    }
    std::vector<std::vector<std::int32_t>> kept;
    for (std::int32_t block = 0; block < static_cast<std::int32_t>(windows.cut.count()); ++block) {
        kept.push_back({block});
    }
    const method::HostLists lists = method::makeHostLists(windows.cut, kept);
    const auto table = [&](const std::vector<std::int32_t>& values) {
        return makeTable(ops, static_cast<std::int64_t>(values.size()), [&] { return values; });
    };
    FW_ASSIGN(windows.blocks, table(lists.blocks));
    FW_ASSIGN(windows.counts, table(lists.counts));
    windows.work = lists.work;
    return windows;
}

Status MateMixer::prepare(backend::Ops& ops, const method::TokenGrid& grid) {
    if (m_grid == grid) {
        return {};
    }
    m_grid = {};
    FW_TRY(m_rotary.prepare(ops, grid));
    m_reviewGrid = m_mate.reviewPooling ? backend::pooledGrid(grid, *m_mate.reviewPooling) : method::TokenGrid{};
    m_orders.clear();
    const auto scan = [&](const method::TokenGrid& of, backend::ScanOrder order) {
        return makeTable(ops, of.tokens(), [&] { return backend::makeScan(of, order); });
    };
    for (const backend::ScanOrder order : m_layerOrders) {
        Orders& tables = m_orders[order];
        if (tables.tokens.view.isNone()) {
            FW_ASSIGN(tables.tokens, scan(grid, order));
            if (m_mate.reviewPooling) {
                FW_ASSIGN(tables.review, scan(m_reviewGrid, order));
            }
        }
    }
    FW_ASSIGN(m_windows[0], makeWindows(ops, grid, false));
    FW_ASSIGN(m_windows[1], makeWindows(ops, grid, true));
    if (!m_positions.empty()) {
        const auto positions = [&](std::int64_t extent, std::size_t axis) {
            return makeTable(ops, extent, [&] { return clampedPositions(extent, m_mate.positionSizes[axis]); });
        };
        FW_ASSIGN(m_frameIds, positions(grid.frames, 0));
        FW_ASSIGN(m_rowIds, positions(grid.height, 1));
        FW_ASSIGN(m_columnIds, positions(grid.width, 2));
    }
    m_grid = grid;
    return {};
}

// --- a block

// normed = LN(x)·(1 + scale) + shift + E_frames + E_rows + E_columns. What belongs to a frame goes into its shift.
void MateMixer::normWithPositions(const MixerCall& call) const {
    backend::Ops& ops = call.context.ops;
    const auto eps = static_cast<float>(m_dit.eps);
    if (m_positions.empty()) {
        ops.layerNormModulate(call.x, call.scale, call.shift, eps, call.normed);
        return;
    }
    const std::int64_t d = m_dit.width();
    const method::TokenGrid& grid = call.grid;
    const Positions& tables = m_positions[m_positions.size() == 1 ? 0 : static_cast<std::size_t>(call.layer)];
    const ArenaScope scope(call.context.arena);
    const auto take = [&](const Shape& shape) { return call.context.arena.take(DType::F32, shape); };
    const TensorView frames = take({grid.frames, d}), rows = take({grid.height, d}), cells = take({grid.width, d});
    const TensorView shifts = take({grid.frames, d}), plane = take({grid.height, grid.width, d});
    ops.embed(tables.frames.view, m_frameIds.view, frames);
    ops.embed(tables.rows.view, m_rowIds.view, rows);
    ops.embed(tables.columns.view, m_columnIds.view, cells);
    ops.add(frames, call.shift, shifts);
    ops.add(rows.reshape({grid.height, 1, d}), cells.reshape({1, grid.width, d}), plane);

    const Shape byFrame{grid.frames, grid.plane(), d};
    const TensorView normed = call.normed.reshape(byFrame);
    ops.layerNormModulate(call.x.reshape(byFrame), repeated(call.scale.reshape({d}), grid.frames), shifts, eps,
                          normed);
    ops.gatedAdd(normed, repeated(plane.reshape({grid.plane(), d}), grid.frames), {});
}

// out [1, N, d]: attention within the windows of this layer, before its output projection.
Status MateMixer::attendWindows(const MixerCall& call, const TensorView& out) {
    const Layer& layer = m_layers[static_cast<std::size_t>(call.layer)];
    const ArenaScope scope(call.context.arena);
    const TensorView projected = call.context.arena.take(m_compute, {1, call.grid.tokens(), 3 * m_dit.width()});
    const auto heads = layer.attention.project(call.context, call.normed, m_rotary.tables(), m_dit, projected);
    const Windows& windows = m_windows[static_cast<std::size_t>(call.layer % 2)];
    const ModuleScope core(call.context, trace::Module::AttentionCore, static_cast<int>(call.layer));
    const backend::BlockLists lists = method::sharedLists(windows.blocks.view, windows.counts.view, heads.q);
    const float scale = 1.0F / std::sqrt(static_cast<float>(m_dit.headDim));
    call.context.ops.blockSparseAttention(heads.q, heads.k, heads.v, out.split(2, m_dit.heads, m_dit.headDim),
                                          lists,
                                          {.scale = scale, .blocks = windows.cut, .pairs = windows.work.pairs});
    method::AttentionWork& work = call.context.attentionWork;
    const backend::KeptWork dense = backend::denseWork(call.grid);
    work.pairs += windows.work.pairs * m_dit.heads;
    work.tiles += windows.work.tiles * m_dit.heads;
    work.densePairs += dense.pairs * m_dit.heads;
    work.denseTiles += dense.tiles * m_dit.heads;
    if (call.context.probes == nullptr) {
        return {};
    }
    method::SelfAttentionCall seen;
    seen.q = heads.q;
    seen.k = heads.k;
    seen.v = heads.v;
    seen.out = out.split(2, m_dit.heads, m_dit.headDim);
    seen.grid = call.grid;
    seen.scale = scale;
    seen.layer = static_cast<int>(call.layer);
    FW_TRY(call.context.probes->ownWindowsDone(call.context, seen, windows.cut, lists));
    return call.context.probes->attentionDone(call.context, seen);
}

struct MateMixer::ScanCall {
    const Layer& layer;
    const Orders& orders;
    TensorView scanned, steps;              // [1, N, Cx] act: x, B, C before the convolution; [1, N, D·S] f32
    TensorView reviewScanned, reviewSteps;  // the same of the review tokens; none without
};

backend::StateSpaceInput MateMixer::scanInput(const Scan& dynamics, const TensorView& rows,
                                              const ConstTensorView& steps) const {
    const std::int64_t inner = m_mate.innerWidth(m_dit), shared = m_mate.groups * m_mate.stateDim;
    backend::StateSpaceInput input;
    input.x = columns(rows, 0, inner).split(2, m_mate.heads(m_dit), m_mate.headDim);
    input.b = columns(rows, inner, shared).split(2, m_mate.groups, m_mate.stateDim);
    input.c = columns(rows, inner + shared, shared).split(2, m_mate.groups, m_mate.stateDim);
    input.step = steps;
    input.stepBias = dynamics.stepBias.view;
    input.decay = dynamics.decay.view;
    input.skip = dynamics.skip.view;
    return input;
}

// state [1, S, P, N] f32: what the review tokens leave behind in one direction.
void MateMixer::review(const MixerCall& call, const ScanCall& scan, std::int64_t direction,
                       const TensorView& state) const {
    const Scan& dynamics = dynamicsOf(scan.layer, direction);
    const ArenaScope scope(call.context.arena);
    const TensorView rows = call.context.arena.take(m_compute, scan.reviewScanned.shape());
    const backend::ScanPath path{scan.orders.review.view, direction == kBackward};
    call.context.ops.scanConv(scan.reviewScanned, dynamics.weight.view, dynamics.bias.view,
                              {.path = path, .prefix = {}, .prefixOrder = {}}, rows);
    backend::StateSpaceInput input =
        scanInput(dynamics, rows, stepsOf(scan.reviewSteps, direction, m_mate.heads(m_dit)));
    input.finalState = state;
    input.reverse = path.reverse;
    call.context.ops.stateSpaceScan({&input, 1}, {.order = path.order, .chunk = m_mate.chunk}, {});
}

Status MateMixer::tellProbes(const MixerCall& call, const ScanCall& scan) const {
    if (call.context.probes == nullptr) {
        return {};
    }
    method::ScanSeen seen;
    seen.layer = static_cast<int>(call.layer);
    seen.order = m_layerOrders[static_cast<std::size_t>(call.layer)];
    seen.grid = call.grid;
    seen.reviewGrid = m_reviewGrid;
    seen.heads = m_mate.heads(m_dit);
    seen.reviewBothWays = m_mate.reviewBothWays;
    for (const std::int64_t direction : {kForward, kBackward}) {
        const auto at = static_cast<std::size_t>(direction);
        const Scan& dynamics = dynamicsOf(scan.layer, direction);
        seen.steps[at] = stepsOf(scan.steps, direction, seen.heads);
        if (!scan.reviewSteps.isNone()) {
            seen.reviewSteps[at] = stepsOf(scan.reviewSteps, direction, seen.heads);
        }
        seen.stepBias[at] = dynamics.stepBias.view;
        seen.decay[at] = dynamics.decay.view;
    }
    return call.context.probes->scanReady(call.context, seen);
}

// out [1, N, d_in]: the normed sum of both scans, before its output projection.
Status MateMixer::scanTokens(const MixerCall& call, const TensorView& out) const {
    backend::Ops& ops = call.context.ops;
    const ArenaScope scope(call.context.arena);
    const Layer& layer = m_layers[static_cast<std::size_t>(call.layer)];
    const std::int64_t tokens = call.grid.tokens(), heads = m_mate.heads(m_dit);
    const std::int64_t inner = m_mate.innerWidth(m_dit), scanned = m_mate.scannedWidth(m_dit);
    const auto take = [&](DType dtype, const Shape& shape) { return call.context.arena.take(dtype, shape); };

    const TensorView projected = take(m_compute, {1, tokens, inner + scanned});
    ScanCall scan{layer,
                  m_orders.at(m_layerOrders[static_cast<std::size_t>(call.layer)]),
                  columns(projected, inner, scanned),
                  take(DType::F32, {1, tokens, m_mate.directions() * heads}),
                  {},
                  {}};
    ops.linear(call.normed, *layer.in, projected);
    ops.linear(call.normed, *layer.step, scan.steps);
    if (m_mate.reviewPooling) {  // the projection is linear: the means of its results are the results of the means
        scan.reviewScanned = take(m_compute, {1, m_reviewGrid.tokens(), scanned});
        scan.reviewSteps = take(DType::F32, {1, m_reviewGrid.tokens(), scan.steps.dim(2)});
        ops.poolTokens(scan.scanned, call.grid, *m_mate.reviewPooling, scan.reviewScanned);
        ops.poolTokens(scan.steps, call.grid, *m_mate.reviewPooling, scan.reviewSteps);
    }
    FW_TRY(tellProbes(call, scan));
    std::array<backend::StateSpaceInput, 2> inputs;
    for (const std::int64_t direction : {kForward, kBackward}) {
        const Scan& dynamics = dynamicsOf(layer, direction);
        const bool reviewed = m_mate.reviewPooling && (direction == kForward || m_mate.reviewBothWays);
        const TensorView rows = take(m_compute, {1, tokens, scanned});
        backend::ScanConvOptions options{
            .path = {scan.orders.tokens.view, direction == kBackward}, .prefix = {}, .prefixOrder = {}};
        if (reviewed) {
            options.prefix = scan.reviewScanned;
            options.prefixOrder = scan.orders.review.view;
        }
        ops.scanConv(scan.scanned, dynamics.weight.view, dynamics.bias.view, options, rows);
        backend::StateSpaceInput& input = inputs[static_cast<std::size_t>(direction)];
        input = scanInput(dynamics, rows, stepsOf(scan.steps, direction, heads));
        input.reverse = options.path.reverse;
        if (reviewed) {
            const TensorView state = take(DType::F32, {1, heads, m_mate.headDim, m_mate.stateDim});
            review(call, scan, direction, state);
            input.initialState = state;
        }
    }
    ops.stateSpaceScan(inputs, {.order = scan.orders.tokens.view, .chunk = m_mate.chunk},
                       out.split(2, heads, m_mate.headDim));
    ops.gatedRmsNorm(out, columns(projected, 0, inner), layer.norm.view, m_mate.groups, kNormEps, out);
    return {};
}

Status MateMixer::mix(const MixerCall& call, const TensorView& delta) {
    const ArenaScope scope(call.context.arena);
    const std::int64_t d = m_dit.width(), inner = m_mate.innerWidth(m_dit);
    normWithPositions(call);
    // Side by side, so that one product projects both branches and adds them.
    const TensorView joined = call.context.arena.take(m_compute, {1, call.grid.tokens(), d + inner});
    FW_TRY(attendWindows(call, columns(joined, 0, d)));
    FW_TRY(scanTokens(call, columns(joined, d, inner)));
    m_layers[static_cast<std::size_t>(call.layer)].out->apply(call.context, joined, delta);
    return {};
}

}  // namespace fw::model
