#include "core/pipeline/probe_recorder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/pipeline/memory_text.h"
#include "core/pipeline/not_finite.h"
#include "core/trace/trace_file.h"

namespace fw::pipeline {

using job::Probe;
using method::ProbeScope;
using method::RunContext;
using method::SelfAttentionCall;
using trace::ProbeKind;

namespace {

constexpr std::int64_t kChangeBytes = std::int64_t{1} << 30;  // of outputs kept for their change
constexpr std::int64_t kModulesOfALayer = 3;

trace::MaskTiles tilesOf(const backend::TokenBlocks& blocks) {
    return {blocks.isTiled() ? 0 : blocks.size, blocks.tile};
}

}  // namespace

ProbeRecorder::ProbeRecorder(backend::Device& device, backend::Ops& ops, ProbeSetup setup)
    : m_device(device),
      m_ops(ops),
      m_setup(std::move(setup)),
      m_isDry(ops.deviceKind() == DeviceKind::Meta),
      m_steps(static_cast<std::size_t>(m_setup.steps)),
      m_layers(static_cast<std::size_t>(m_setup.info.layers)) {
    for (const std::int32_t step : m_setup.info.steps) {
        m_steps[static_cast<std::size_t>(step)] = true;
    }
    for (const std::int32_t layer : m_setup.info.probedLayers) {
        m_layers[static_cast<std::size_t>(layer)] = true;
    }
    chooseSamples();
}

ProbeRecorder::~ProbeRecorder() = default;

Result<std::unique_ptr<ProbeRecorder>> ProbeRecorder::create(backend::Device& device, backend::Ops& ops,
                                                             ProbeSetup setup) {
    if (setup.readsRows && !ops.supportsAttentionRows()) {
        return fail(
            ErrorCode::Unsupported,
            "{} cannot look into attention yet; choose --device cpu, or of the probes only mask, gate, change "
            "and finite",
            device.info().id);
    }
    std::unique_ptr<ProbeRecorder> recorder(new ProbeRecorder(device, ops, std::move(setup)));
    FW_ASSIGN(recorder->m_means, backend::createTensor(device, DType::F32, {4}));
    return recorder;
}

// Evenly spread within every pooled block.
void ProbeRecorder::chooseSamples() {
    const trace::ProbeInfo& info = m_setup.info;
    std::vector<std::vector<std::int32_t>> members(static_cast<std::size_t>(info.blockCount()));
    for (std::int64_t token = 0; token < info.tokens(); ++token) {
        members[static_cast<std::size_t>(info.blockOf(token))].push_back(static_cast<std::int32_t>(token));
    }
    for (const auto& block : members) {
        const std::size_t wanted =
            info.samples == 0 ? block.size() : std::min(block.size(), static_cast<std::size_t>(info.samples));
        for (std::size_t i = 0; i < wanted; ++i) {
            m_samples.push_back(block[(2 * i + 1) * block.size() / (2 * wanted)]);
        }
    }
    std::sort(m_samples.begin(), m_samples.end());
}

bool ProbeRecorder::isChosen(const RunContext& context, int layer) const {
    const auto step = static_cast<std::size_t>(context.step);
    return !m_isSearching && context.branch == 0 && context.step >= 0 && step < m_steps.size() && m_steps[step] &&
           layer >= 0 && static_cast<std::size_t>(layer) < m_layers.size() &&
           m_layers[static_cast<std::size_t>(layer)];
}

void ProbeRecorder::count(ProbeKind kind, std::int64_t records) {
    const std::int64_t record =
        trace::probeRecordShape(kind, m_setup.info).product() * dtypeSize(trace::probeType(kind));
    m_counted[kind] += records * (record + 5 * dtypeSize(DType::I32));
}

trace::ProbeTable& ProbeRecorder::table(ProbeKind kind) {
    const trace::ProbeInfo& info = m_setup.info;
    const auto [found, isNew] =
        m_tables.try_emplace(kind, trace::probeType(kind), trace::probeRecordShape(kind, info));
    if (isNew && kind == ProbeKind::WordHeat) {
        // Hundreds of megabytes of a long prompt, which a growing table would copy again and again.
        found->second.reserve(std::ssize(info.steps) * std::ssize(info.probedLayers));
    }
    return found->second;
}

trace::ProbeSite ProbeRecorder::siteOf(const RunContext& context, int layer, std::int64_t head) const {
    return {context.step, context.branch, layer, static_cast<std::int32_t>(head)};
}

Result<std::vector<float>> ProbeRecorder::onHost(const ConstTensorView& view) {
    backend::OwnedTensor copy;
    ConstTensorView source = view;
    if (view.dtype() != DType::F32 || !view.isContiguous()) {
        FW_ASSIGN(copy, backend::createTensor(m_device, DType::F32, view.shape()));
        m_ops.copy(view, copy.view);
        source = copy.view;
    }
    std::vector<float> values(static_cast<std::size_t>(view.count()));
    m_ops.download(source, TensorView(values.data(), DType::F32, view.shape()));
    FW_TRY(m_ops.synchronize());
    return values;
}

Status ProbeRecorder::windowDone(RunContext& context, const SelfAttentionCall& call,
                                 const backend::WindowOptions& options) {
    if (!isChosen(context, call.layer) || (!wants(Probe::Mask) && !wants(Probe::Kept))) {
        return {};
    }
    if (!settleTiles({}, TilesOf::Method)) {
        return {};
    }
    if (m_isDry) {
        m_masks.ofAll.emplace().isShared = options.orders.isNone();
        return {};
    }
    const ProbeScope scope(context, call.layer);
    finishEverything();
    ExecutedMask::Window window{options.grid, options.window, options.sinkFrame, {}};
    Executed executed;
    executed.seen.window = {
        .grid = options.grid, .window = options.window, .sinkFrame = options.sinkFrame, .orders = {}};
    if (!options.orders.isNone()) {
        // One sample: the orders of its heads.
        FW_CHECK(options.orders.dim(0) == 1 && options.orders.stride(1) == 1, "orders {}", options.orders.text());
        window.orders.resize(static_cast<std::size_t>(options.orders.dim(1)));
        const Shape heads{1, options.orders.dim(1)};
        m_ops.download(ConstTensorView(options.orders.data(), DType::U8, heads, options.orders.device()),
                       TensorView(window.orders.data(), DType::U8, heads));
        FW_TRY(m_ops.synchronize());
        if (wants(Probe::Kept)) {
            executed.orders = window.orders;
            FW_ASSIGN(const TensorView orders, scratch(m_seenTensors[-1].orders, heads, DType::U8));
            m_ops.upload(ConstTensorView(executed.orders.data(), DType::U8, heads), orders);
            executed.seen.window.orders = orders;
        }
    }
    executed.mask = ExecutedMask::of(window);
    executed.isShared = executed.mask.masks() == 1;
    m_masks.ofAll = std::move(executed);
    return {};
}

Status ProbeRecorder::blocksDone(RunContext& context, const SelfAttentionCall& call,
                                 const backend::TokenBlocks& blocks, const backend::BlockLists& lists) {
    if (!isChosen(context, call.layer) || (!wants(Probe::Mask) && !wants(Probe::Kept))) {
        return {};
    }
    return settleTiles(tilesOf(blocks), TilesOf::Method)
               ? recordLists(context, call, blocks, lists, ExecutedMask::Tiles::Blocks)
               : Status();
}

Status ProbeRecorder::ownWindowsDone(RunContext& context, const SelfAttentionCall& call,
                                     const backend::TokenBlocks& blocks, const backend::BlockLists& lists) {
    if (!isChosen(context, call.layer) || (!wants(Probe::Mask) && !wants(Probe::Kept))) {
        return {};
    }
    return settleTiles({}, TilesOf::Method) ? recordLists(context, call, blocks, lists, ExecutedMask::Tiles::Runs)
                                            : Status();
}

Status ProbeRecorder::recordLists(RunContext& context, const SelfAttentionCall& call,
                                  const backend::TokenBlocks& blocks, const backend::BlockLists& lists,
                                  ExecutedMask::Tiles tiles) {
    const std::int64_t heads = lists.blocks.stride(1) == 0 ? 1 : lists.blocks.dim(1);
    if (m_isDry) {
        m_masks.ofAll.emplace().isShared = heads == 1;
        return {};
    }
    const ProbeScope scope(context, call.layer);
    finishEverything();
    const std::int64_t rows = lists.blocks.dim(2);
    const std::int64_t longest = lists.blocks.dim(3);
    Executed executed;
    executed.lists.resize(static_cast<std::size_t>(heads * rows * longest));
    executed.counts.resize(static_cast<std::size_t>(heads * rows));
    const Shape listShape{1, heads, rows, longest};
    const Shape countShape{1, heads, rows};
    // Of one sample; heads that share their list lie at stride 0, one of them is all there is.
    FW_CHECK(lists.blocks.dim(0) == 1, "lists {}", lists.blocks.text());
    m_ops.download(ConstTensorView(lists.blocks.data(), DType::I32, listShape, lists.blocks.device()),
                   TensorView(executed.lists.data(), DType::I32, listShape));
    m_ops.download(ConstTensorView(lists.counts.data(), DType::I32, countShape, lists.counts.device()),
                   TensorView(executed.counts.data(), DType::I32, countShape));
    FW_TRY(m_ops.synchronize());
    std::vector<std::vector<std::vector<std::int32_t>>> kept(static_cast<std::size_t>(heads));
    for (std::int64_t row = 0; row < heads * rows; ++row) {
        const auto begin = executed.lists.begin() + row * longest;
        kept[static_cast<std::size_t>(row / rows)].emplace_back(
            begin, begin + executed.counts[static_cast<std::size_t>(row)]);
    }
    executed.mask = ExecutedMask::of(blocks, std::move(kept), tiles);
    executed.isShared = heads == 1;
    if (wants(Probe::Kept)) {
        FW_TRY(placeLists(executed, blocks, listShape, -1));
    }
    m_masks.ofAll = std::move(executed);
    return {};
}

// Back onto the device, where the lists of the call are gone by the time its rows are read.
Status ProbeRecorder::placeLists(Executed& executed, const backend::TokenBlocks& blocks, const Shape& shape,
                                 std::int64_t head) {
    const Shape counts{shape[0], shape[1], shape[2]};
    SeenTensors& tensors = m_seenTensors[head];
    FW_ASSIGN(const TensorView listView, scratch(tensors.lists, shape, DType::I32));
    FW_ASSIGN(const TensorView countView, scratch(tensors.counts, counts, DType::I32));
    m_ops.upload(ConstTensorView(executed.lists.data(), DType::I32, shape), listView);
    m_ops.upload(ConstTensorView(executed.counts.data(), DType::I32, counts), countView);
    executed.seen.blocks = blocks;
    executed.seen.lists = {listView, countView};
    if (head < 0 && shape[1] == 1) {  // of all heads
        const std::int64_t heads = m_setup.info.heads;
        executed.seen.lists = {
            TensorView(listView.mutableData(), DType::I32, {1, heads, shape[2], shape[3]}, {0, 0, shape[3], 1},
                       listView.device()),
            TensorView(countView.mutableData(), DType::I32, {1, heads, shape[2]}, {0, 0, 1}, countView.device())};
    }
    return {};
}

// All records of a kind have one shape. The method's tiles go before those somebody painted in, in whatever order
// they come; what is in other tiles leaves no record.
bool ProbeRecorder::settleTiles(const trace::MaskTiles& tiles, TilesOf from) {
    if (m_tilesOf == TilesOf::Nobody || (m_tilesOf == TilesOf::Painted && from == TilesOf::Method)) {
        if (m_tilesOf != TilesOf::Nobody && tiles != m_setup.info.mask) {
            finishReading();
            for (const ProbeKind kind : {ProbeKind::Mask, ProbeKind::KeptMass}) {
                m_tables.erase(kind);
                m_counted.erase(kind);
            }
        }
        m_setup.info.mask = tiles;
        m_tilesOf = from;
    }
    return tiles == m_setup.info.mask;
}

Status ProbeRecorder::maskPainted(RunContext& context, const SelfAttentionCall& call,
                                  const method::PaintedHead& painted) {
    if (!isChosen(context, call.layer) || (!wants(Probe::Mask) && !wants(Probe::Kept))) {
        return {};
    }
    std::optional<Executed>& executed = m_masks.painted[painted.head];
    if (!settleTiles(tilesOf(painted.cut), TilesOf::Painted)) {
        executed.reset();
        return {};
    }
    executed.emplace();
    if (m_isDry) {
        return {};
    }
    const ProbeScope scope(context, call.layer);
    executed->mask = ExecutedMask::of(painted.cut, {painted.rows});
    if (wants(Probe::Kept)) {
        std::size_t longest = 1;
        for (const auto& row : painted.rows) {
            longest = std::max(longest, row.size());
        }
        for (const auto& row : painted.rows) {
            executed->lists.insert(executed->lists.end(), row.begin(), row.end());
            executed->lists.resize(executed->lists.size() + longest - row.size());
            executed->counts.push_back(static_cast<std::int32_t>(row.size()));
        }
        const Shape shape{1, 1, static_cast<std::int64_t>(painted.rows.size()), static_cast<std::int64_t>(longest)};
        FW_TRY(placeLists(*executed, painted.cut, shape, painted.head));
    }
    return {};
}

const ProbeRecorder::Executed* ProbeRecorder::Masks::executedIn(std::int64_t head) const {
    if (const auto own = painted.find(head); own != painted.end()) {
        return own->second ? &*own->second : nullptr;
    }
    return ofAll ? &*ofAll : nullptr;
}

bool ProbeRecorder::Masks::isOneForAll() const {
    return painted.empty() && ofAll && ofAll->isShared;
}

void ProbeRecorder::recordMask(trace::ProbeSite site, std::int64_t head, const ExecutedMask& mask) {
    const std::int64_t own = mask.masks() == 1 ? 0 : head;
    site.head = static_cast<std::int32_t>(head);
    table(ProbeKind::Mask).appendBytes(site, static_cast<std::int32_t>(mask.order(own)), mask.bits(own));
}

// One record where all heads share their mask.
void ProbeRecorder::recordMasks(const trace::ProbeSite& site, const Masks& masks) {
    if (!wants(Probe::Mask)) {
        return;
    }
    if (masks.isOneForAll()) {
        recordMask(site, -1, masks.ofAll->mask);
        return;
    }
    for (std::int64_t head = 0; head < m_setup.info.heads; ++head) {
        if (const Executed* const executed = masks.executedIn(head)) {
            recordMask(site, head, executed->mask);
        }
    }
}

// What recordMasks() and the summaries of the rows would append.
void ProbeRecorder::countMasks() {
    std::int64_t heads = 0;
    for (std::int64_t head = 0; head < m_setup.info.heads; ++head) {
        heads += m_masks.executedIn(head) != nullptr ? 1 : 0;
    }
    if (heads > 0 && wants(Probe::Mask)) {
        count(ProbeKind::Mask, m_masks.isOneForAll() ? 1 : heads);
    }
    if (heads > 0 && wants(Probe::Kept)) {
        count(ProbeKind::KeptMass, heads);
    }
}

Status ProbeRecorder::attentionDone(RunContext& context, const SelfAttentionCall& call) {
    if (!isChosen(context, call.layer)) {
        m_masks = {};
        return {};
    }
    const bool summaries = wants(Probe::Map) || wants(Probe::Stats);
    const bool rows = summaries || wants(Probe::Kept) || !m_setup.info.queries.empty();
    if (m_isDry) {
        const std::int64_t heads = m_setup.info.heads;
        count(ProbeKind::AttentionMap, wants(Probe::Map) ? heads : 0);
        count(ProbeKind::HeadStats, wants(Probe::Stats) ? heads : 0);
        count(ProbeKind::AttentionRow,
              wants(Probe::Row) ? heads * static_cast<std::int64_t>(m_setup.info.queries.size()) : 0);
        count(ProbeKind::AttentionQuery, wants(Probe::Qk) ? heads : 0);
        count(ProbeKind::AttentionKey, wants(Probe::Qk) ? heads : 0);
        countMasks();
        m_masks = {};
        return {};
    }
    const bool masks = wants(Probe::Mask) && (m_masks.ofAll || !m_masks.painted.empty());
    if (!rows && !masks && !wants(Probe::Qk)) {
        m_masks = {};
        return {};
    }
    const ProbeScope scope(context, call.layer);
    finishReading();
    if (wants(Probe::Qk)) {
        FW_ASSIGN(const auto queries, onHost(call.q));
        FW_ASSIGN(const auto keys, onHost(call.k));
        recordOperands(context, call, queries, keys);
    }
    Reading reading;
    reading.site = siteOf(context, call.layer);
    if (rows) {
        FW_TRY(readRows(context, call, reading));
    }
    reading.masks = std::exchange(m_masks, {});
    m_reading = std::move(reading);
    return {};
}

// [N, H, C] as they lie, head by head.
void ProbeRecorder::recordOperands(const RunContext& context, const SelfAttentionCall& call,
                                   std::span<const float> queries, std::span<const float> keys) {
    const auto heads = static_cast<std::size_t>(m_setup.info.heads),
               width = static_cast<std::size_t>(m_setup.info.headDim);
    const auto tokens = static_cast<std::size_t>(m_setup.info.tokens());
    std::vector<float> own(tokens * width);
    for (std::size_t head = 0; head < heads; ++head) {
        for (const auto& [kind, all] :
             {std::pair(ProbeKind::AttentionQuery, queries), std::pair(ProbeKind::AttentionKey, keys)}) {
            for (std::size_t token = 0; token < tokens; ++token) {
                const auto from = all.subspan((token * heads + head) * width, width);
                std::copy(from.begin(), from.end(), own.begin() + static_cast<std::ptrdiff_t>(token * width));
            }
            table(kind).append(siteOf(context, call.layer, static_cast<std::int64_t>(head)), 0, own);
        }
    }
}

Status ProbeRecorder::branchReady(RunContext& context, const SelfAttentionCall& call, const ConstTensorView& branch,
                                  const backend::BranchOptions& options) {
    if (!wants(Probe::Gate) || !isChosen(context, call.layer)) {
        return {};
    }
    const backend::ArenaScope arenaScope(context.arena);
    const TensorView added = context.arena.take(branch.dtype(), branch.shape());
    if (m_isDry) {
        count(ProbeKind::Gate, 1);
        count(ProbeKind::LinearShare, 1);
        return {};
    }
    const ProbeScope scope(context, call.layer);
    finishEverything();
    // What is added, onto nothing: hundreds of megabytes, of which the device finds the mean square.
    const std::int64_t channels = added.dim(2);
    if (m_constants.buffer == nullptr) {
        std::vector<float> constants(static_cast<std::size_t>(channels) + 1);
        constants.back() = 1.0F;
        FW_ASSIGN(m_constants, backend::createTensor(m_device, DType::F32, {1, 1, channels + 1}));
        m_ops.upload(ConstTensorView(constants.data(), DType::F32, {1, 1, channels + 1}), m_constants.view);
        FW_TRY(m_ops.synchronize());
    }
    m_ops.copy(m_constants.view.slice(2, 0, channels).broadcastTo(added.shape()), added);
    m_ops.addBranch(added, branch, options);
    const ConstTensorView sparse = call.out.reshape(added.shape());
    GateReading reading;
    reading.site = siteOf(context, call.layer);
    reading.scale = options.scale;
    reading.tokens = branch.dim(1);
    if (options.gate != backend::GateMode::None) {
        // What becomes of ones.
        const Shape column{1, reading.tokens, 1};
        FW_ASSIGN(const TensorView ones, scratch(m_ones, column));
        FW_ASSIGN(const TensorView gates, scratch(m_gates, column));
        m_ops.copy(m_constants.view.slice(2, channels, channels + 1).broadcastTo(column), ones);
        m_ops.copy(m_constants.view.slice(2, 0, 1).broadcastTo(column), gates);
        m_ops.addBranch(gates, ones, {.scale = 1.0F, .gate = options.gate, .logits = options.logits});
        reading.gates.begin(m_ops, gates);
    }
    m_ops.difference(added, sparse, m_means.view);
    reading.sparse.begin(m_ops, m_means.view);
    m_ops.difference(sparse, added, m_means.view);
    reading.added.begin(m_ops, m_means.view);
    m_gateReading = std::move(reading);
    return {};
}

void ProbeRecorder::finishGate() {
    if (!m_gateReading) {
        return;
    }
    GateReading reading = *std::exchange(m_gateReading, std::nullopt);
    const auto tokens = static_cast<double>(reading.tokens);
    std::vector<float> gates = reading.gates.take();
    gates.resize(static_cast<std::size_t>(reading.tokens), 1.0F);
    const double mean = std::accumulate(gates.begin(), gates.end(), 0.0) / tokens;
    table(ProbeKind::Gate).append(reading.site, 0, gates);
    const std::vector<float> ofSparse = reading.sparse.take(), ofAdded = reading.added.take();
    const std::array<float, 3> share{std::sqrt(ofSparse[3]), std::sqrt(ofAdded[3]),
                                     static_cast<float>(mean * static_cast<double>(reading.scale))};
    table(ProbeKind::LinearShare).append(reading.site, 0, share);
}

Result<std::array<double, 4>> ProbeRecorder::difference(const ConstTensorView& a, const ConstTensorView& b) {
    std::array<float, 4> means{};
    m_ops.difference(a, b, m_means.view);
    m_ops.download(m_means.view, TensorView(means.data(), DType::F32, {4}));
    FW_TRY(m_ops.synchronize());
    return std::array<double, 4>{static_cast<double>(means[0]), static_cast<double>(means[1]),
                                 static_cast<double>(means[2]), static_cast<double>(means[3])};
}

Result<std::array<float, 2>> ProbeRecorder::relativeDifference(const ConstTensorView& a, const ConstTensorView& b) {
    FW_ASSIGN(const auto means, difference(a, b));
    const auto over = [](double part, double whole) {
        return static_cast<float>(whole > 0.0 ? part / whole : 0.0);
    };
    return std::array{over(means[2], means[3]), over(means[0], means[1])};
}

// As many of the selected layers, evenly spread, as kChangeBytes has room for.
void ProbeRecorder::chooseChangeLayers(std::int64_t outputBytes) {
    const std::vector<std::int32_t>& layers = m_setup.info.probedLayers;
    m_changeLayers.assign(m_layers.size(), false);
    const auto all = static_cast<std::int64_t>(layers.size());
    const std::int64_t room = std::max<std::int64_t>(kChangeBytes / (kModulesOfALayer * outputBytes), 1);
    const std::int64_t kept = std::min(all, room);
    for (std::int64_t i = 0; i < kept; ++i) {
        m_changeLayers[static_cast<std::size_t>(layers[static_cast<std::size_t>((2 * i + 1) * all / (2 * kept))])] =
            true;
    }
}

bool ProbeRecorder::readsChange(int layer) const {
    return wants(Probe::Change) && m_changeLayers[static_cast<std::size_t>(layer)];
}

Status ProbeRecorder::moduleDone(RunContext& context, trace::Module module, int layer,
                                 const ConstTensorView& output) {
    if (m_changeLayers.empty()) {
        chooseChangeLayers(output.count() * dtypeSize(DType::F32));
    }
    const bool change = !m_isSearching && context.branch == 0 && readsChange(layer);
    if (m_isDry) {
        Kept& kept = m_kept[{module, layer}];
        if (change && kept.step < 0) {
            m_keptBytes += output.count() * dtypeSize(DType::F32);
        }
        count(ProbeKind::Change, change && kept.step >= 0 ? 1 : 0);
        kept.step = change ? context.step : kept.step;
        return {};
    }
    if (m_isSearching) {
        FW_ASSIGN(const bool sound, isFinite(output));
        if (!sound) {
            return tl::unexpected(
                notFinite(context, fmt::format("the output of {} in layer {} of {}", trace::moduleName(module),
                                               layer + 1, m_layers.size())));
        }
    }
    if (!change) {
        return {};
    }
    const ProbeScope scope(context, layer);
    Kept& kept = m_kept[{module, layer}];
    if (kept.output.buffer == nullptr) {
        FW_ASSIGN(kept.output, backend::createTensor(m_device, DType::F32, output.shape()));
    } else if (kept.step >= 0) {
        FW_ASSIGN(const auto values, relativeDifference(output, kept.output.view));
        table(ProbeKind::Change).append(siteOf(context, layer), static_cast<std::int32_t>(module), values);
    }
    m_ops.copy(output, kept.output.view);
    kept.step = context.step;
    return {};
}

// One look at what a pass came to finds every number that went wrong in it: through the residual stream, what is
// not finite stays so. Only then are all modules looked at, in a second run of the pass.
Result<bool> ProbeRecorder::passDone(RunContext& context, const ConstTensorView& velocity) {
    if (m_isDry || !wants(Probe::Finite)) {
        return true;
    }
    if (m_isSearching) {
        return tl::unexpected(notFinite(
            context,
            "what the step cache put in the place of a module (no module's own output does that), the text "
            "or the noise"));
    }
    const ProbeScope scope(context, -1);
    FW_ASSIGN(const bool sound, isFinite(velocity));
    m_isSearching = !sound;
    return sound;
}

Result<bool> ProbeRecorder::isFinite(const ConstTensorView& view) {
    const ConstTensorView rows =
        view.rank() == 3 ? view : view.reshape({1, view.dim(0), view.count() / view.dim(0)});
    FW_ASSIGN(const auto means, difference(rows, rows));
    return std::isfinite(means[1]);
}

Error ProbeRecorder::notFinite(const RunContext& context, const std::string& what) const {
    return notFiniteError(
        fmt::format("{} holds a number that is not finite at step {} of {} ({} pass)", what, context.step + 1,
                    m_setup.steps, context.branch == 0 ? "prompt's" : "negative prompt's"),
        m_setup.dtype);
}

void ProbeRecorder::giveBack(trace::ProbeData&& data) {
    FW_CHECK(m_tables.empty() && !m_reading && !m_heatReading && !m_gateReading, "{} kinds read meanwhile",
             m_tables.size());
    m_tables = std::move(data.tables);
}

trace::ProbeData ProbeRecorder::take() {
    finishEverything();
    return {m_setup.info, std::exchange(m_tables, {})};
}

Result<job::ProbePlan> ProbeRecorder::forecast() const {
    job::ProbePlan plan;
    std::pair<std::int64_t, ProbeKind> most{0, ProbeKind::AttentionMap};
    for (const auto& [kind, bytes] : m_counted) {
        plan.bytes += bytes;
        most = std::max(most, {bytes, kind});
    }
    if (plan.bytes > kMostProbeBytes) {
        return fail(
            ErrorCode::InvalidArgument,
            "the probes would write {}, {} of it {}, but at most {} are allowed; choose fewer steps, layers or "
            "kinds",
            gibibytes(plan.bytes), gibibytes(most.first), trace::probeName(most.second),
            gibibytes(kMostProbeBytes));
    }
    plan.memoryBytes = plan.bytes + m_keptBytes + (m_setup.readsRows ? rowScratchBytes() : 0);
    plan.steps = static_cast<int>(m_setup.info.steps.size());
    plan.layers = static_cast<int>(m_setup.info.probedLayers.size());
    return plan;
}

}  // namespace fw::pipeline
