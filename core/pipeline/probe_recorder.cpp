#include "core/pipeline/probe_recorder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/pipeline/attention_summary.h"
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

constexpr std::int64_t kRowBytes = std::int64_t{64} << 20;    // of rows read at a time
constexpr std::int64_t kCacheBytes = std::int64_t{1} << 20;   // on a CPU, where more would leave its caches
constexpr std::int64_t kChangeBytes = std::int64_t{1} << 30;  // of outputs kept for their change
constexpr std::int64_t kMostRows = 4096;                      // read at a time
constexpr std::int64_t kFewestRows = 32;                      // on a CPU: what shares one pass over the keys
constexpr std::int64_t kModulesOfALayer = 3;

double rootMeanSquare(std::span<const float> values) {
    double sum = 0.0;
    for (const float value : values) {
        sum += static_cast<double>(value) * static_cast<double>(value);
    }
    return values.empty() ? 0.0 : std::sqrt(sum / static_cast<double>(values.size()));
}

}  // namespace

// Rows of a group of queries.
struct ProbeRecorder::Rows {
    TensorView all, entropies;  // [heads, rows, keys], [heads, rows] on the device
    [[nodiscard]] std::int64_t count() const { return all.dim(1); }
    // Row `index` of a head among the values of all.
    [[nodiscard]] std::span<const float> row(std::span<const float> values, std::int64_t head,
                                             std::int64_t index) const {
        return values.subspan(static_cast<std::size_t>((head * all.dim(1) + index) * all.dim(2)),
                              static_cast<std::size_t>(all.dim(2)));
    }
};

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
    return m_tables.try_emplace(kind, trace::probeType(kind), trace::probeRecordShape(kind, m_setup.info))
        .first->second;
}

trace::ProbeSite ProbeRecorder::siteOf(const RunContext& context, int layer, std::int64_t head) const {
    return {context.step, context.branch, layer, static_cast<std::int32_t>(head)};
}

Result<std::vector<float>> ProbeRecorder::onHost(const ConstTensorView& view) {
    FW_ASSIGN(auto copy, backend::createTensor(m_device, DType::F32, view.shape()));
    m_ops.copy(view, copy.view);
    std::vector<float> values(static_cast<std::size_t>(view.count()));
    m_ops.download(copy.view, TensorView(values.data(), DType::F32, view.shape()));
    FW_TRY(m_ops.synchronize());
    return values;
}

Result<TensorView> ProbeRecorder::scratch(backend::OwnedTensor& owned, const Shape& shape) {
    if (owned.buffer == nullptr || owned.view.count() < shape.product()) {
        FW_ASSIGN(owned, backend::createTensor(m_device, DType::F32, {shape.product()}));
    }
    return owned.view.slice(0, 0, shape.product()).reshape(shape);
}

std::span<const float> ProbeRecorder::hostValues(const TensorView& view, std::vector<float>& copy) {
    const auto count = static_cast<std::size_t>(view.count());
    if (m_ops.deviceKind() == DeviceKind::Cpu) {
        return {view.as<float>(), count};
    }
    copy.resize(count);
    m_ops.download(view, TensorView(copy.data(), DType::F32, view.shape()));
    return {copy.data(), count};
}

std::size_t ProbeRecorder::rowsAtATime(std::int64_t keys) const {
    const std::int64_t rowBytes = m_setup.info.heads * keys * dtypeSize(DType::F32);
    const bool onCpu = m_ops.deviceKind() == DeviceKind::Cpu;
    return static_cast<std::size_t>(
        std::clamp<std::int64_t>((onCpu ? kCacheBytes : kRowBytes) / rowBytes, onCpu ? kFewestRows : 1, kMostRows));
}

Result<ProbeRecorder::Rows> ProbeRecorder::rowsOf(const ConstTensorView& q, const ConstTensorView& k,
                                                  std::span<const std::int32_t> wanted, float scale) {
    const Shape few{q.dim(2), static_cast<std::int64_t>(wanted.size())};
    Rows rows;
    FW_ASSIGN(rows.all, scratch(m_rows, {few[0], few[1], k.dim(1)}));
    FW_ASSIGN(rows.entropies, scratch(m_entropies, few));
    m_ops.attentionRows(q, k, wanted, scale, rows.all, rows.entropies);
    return rows;
}

Status ProbeRecorder::windowDone(RunContext& context, const SelfAttentionCall& call,
                                 const backend::WindowOptions& options) {
    if (!isChosen(context, call.layer) || (!wants(Probe::Mask) && !wants(Probe::Kept))) {
        return {};
    }
    m_setup.info.mask = {};
    if (m_isDry) {
        countAttention(options.orders.isNone() ? 1 : m_setup.info.heads);
        return {};
    }
    const ProbeScope scope(context, call.layer);
    ExecutedMask::Window window{options.grid, options.window, options.sinkFrame, {}};
    if (!options.orders.isNone()) {
        // One sample: the orders of its heads.
        FW_CHECK(options.orders.dim(0) == 1 && options.orders.stride(1) == 1, "orders {}", options.orders.text());
        window.orders.resize(static_cast<std::size_t>(options.orders.dim(1)));
        const Shape heads{options.orders.dim(1)};
        m_ops.download(ConstTensorView(options.orders.data(), DType::U8, heads, options.orders.device()),
                       TensorView(window.orders.data(), DType::U8, heads));
        FW_TRY(m_ops.synchronize());
    }
    m_mask = ExecutedMask::of(window);
    return {};
}

Status ProbeRecorder::blocksDone(RunContext& context, const SelfAttentionCall& call,
                                 const backend::TokenBlocks& blocks, const backend::BlockLists& lists) {
    if (!isChosen(context, call.layer) || (!wants(Probe::Mask) && !wants(Probe::Kept))) {
        return {};
    }
    m_setup.info.mask = {blocks.isTiled() ? 0 : blocks.size, blocks.tile};
    return recordLists(context, call, blocks, lists, ExecutedMask::Tiles::Blocks);
}

Status ProbeRecorder::ownWindowsDone(RunContext& context, const SelfAttentionCall& call,
                                     const backend::TokenBlocks& blocks, const backend::BlockLists& lists) {
    if (!isChosen(context, call.layer) || (!wants(Probe::Mask) && !wants(Probe::Kept))) {
        return {};
    }
    m_setup.info.mask = {};
    return recordLists(context, call, blocks, lists, ExecutedMask::Tiles::Runs);
}

Status ProbeRecorder::recordLists(RunContext& context, const SelfAttentionCall& call,
                                  const backend::TokenBlocks& blocks, const backend::BlockLists& lists,
                                  ExecutedMask::Tiles tiles) {
    const std::int64_t heads = lists.blocks.stride(1) == 0 ? 1 : lists.blocks.dim(1);
    if (m_isDry) {
        countAttention(heads);
        return {};
    }
    const ProbeScope scope(context, call.layer);
    const std::int64_t rows = lists.blocks.dim(2);
    const std::int64_t longest = lists.blocks.dim(3);
    std::vector<std::int32_t> entries(static_cast<std::size_t>(heads * rows * longest));
    std::vector<std::int32_t> counts(static_cast<std::size_t>(heads * rows));
    const Shape entryShape{heads, rows, longest};
    const Shape countShape{heads, rows};
    // Of one sample; heads that share their list lie at stride 0, one of them is all there is.
    FW_CHECK(lists.blocks.dim(0) == 1, "lists {}", lists.blocks.text());
    m_ops.download(ConstTensorView(lists.blocks.data(), DType::I32, entryShape, lists.blocks.device()),
                   TensorView(entries.data(), DType::I32, entryShape));
    m_ops.download(ConstTensorView(lists.counts.data(), DType::I32, countShape, lists.counts.device()),
                   TensorView(counts.data(), DType::I32, countShape));
    FW_TRY(m_ops.synchronize());
    std::vector<std::vector<std::vector<std::int32_t>>> kept(static_cast<std::size_t>(heads));
    for (std::int64_t row = 0; row < heads * rows; ++row) {
        const auto begin = entries.begin() + row * longest;
        kept[static_cast<std::size_t>(row / rows)].emplace_back(begin,
                                                                begin + counts[static_cast<std::size_t>(row)]);
    }
    m_mask = ExecutedMask::of(blocks, std::move(kept), tiles);
    return {};
}

void ProbeRecorder::countAttention(std::int64_t masks) {
    if (wants(Probe::Mask)) {
        count(ProbeKind::Mask, masks);
    }
    if (wants(Probe::Kept)) {
        count(ProbeKind::KeptMass, m_setup.info.heads);
    }
}

Status ProbeRecorder::maskPainted(RunContext& context, const SelfAttentionCall& call,
                                  const method::PaintedHead& painted) {
    if (!isChosen(context, call.layer) || (!wants(Probe::Mask) && !wants(Probe::Kept))) {
        return {};
    }
    const trace::MaskTiles tiles{painted.cut.isTiled() ? 0 : painted.cut.size, painted.cut.tile};
    if (m_isDry) {
        count(ProbeKind::Mask, wants(Probe::Mask) ? 1 : 0);
        count(ProbeKind::KeptMass, wants(Probe::Kept) ? 1 : 0);
        return {};
    }
    const ProbeScope scope(context, call.layer);
    if (!m_mask && m_painted.empty()) {
        m_setup.info.mask = tiles;  // of heads that are dense otherwise
    }
    auto& mask = m_painted[painted.head];
    if (tiles == m_setup.info.mask) {
        mask = ExecutedMask::of(painted.cut, {painted.rows});
    }
    return {};
}

const ExecutedMask* ProbeRecorder::maskOf(std::int64_t head) const {
    if (const auto painted = m_painted.find(head); painted != m_painted.end()) {
        return painted->second ? &*painted->second : nullptr;
    }
    return m_mask ? &*m_mask : nullptr;
}

void ProbeRecorder::forgetMasks() {
    m_mask.reset();
    m_painted.clear();
}

void ProbeRecorder::recordMask(const RunContext& context, int layer, std::int64_t head, const ExecutedMask& mask) {
    const std::int64_t own = mask.masks() == 1 ? 0 : head;
    table(ProbeKind::Mask)
        .appendBytes(siteOf(context, layer, head), static_cast<std::int32_t>(mask.order(own)), mask.bits(own));
}

// One record where all heads share their mask.
void ProbeRecorder::recordMasks(const RunContext& context, int layer) {
    if (!wants(Probe::Mask)) {
        return;
    }
    if (m_painted.empty() && m_mask && m_mask->masks() == 1) {
        recordMask(context, layer, -1, *m_mask);
        return;
    }
    for (std::int64_t head = 0; head < m_setup.info.heads; ++head) {
        if (const ExecutedMask* mask = maskOf(head)) {
            recordMask(context, layer, head, *mask);
        }
    }
}

Status ProbeRecorder::attentionDone(RunContext& context, const SelfAttentionCall& call) {
    if (!isChosen(context, call.layer)) {
        forgetMasks();
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
        return {};
    }
    const bool masks = wants(Probe::Mask) && (m_mask || !m_painted.empty());
    if (!rows && !masks && !wants(Probe::Qk)) {
        forgetMasks();
        return {};
    }
    const ProbeScope scope(context, call.layer);
    recordMasks(context, call.layer);
    if (wants(Probe::Qk)) {
        FW_ASSIGN(const auto queries, onHost(call.q));
        FW_ASSIGN(const auto keys, onHost(call.k));
        recordOperands(context, call, queries, keys);
    }
    if (rows) {
        FW_TRY(readRows(context, call));
    }
    forgetMasks();
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

// Samples first; then what kept mass and chosen queries want besides.
Status ProbeRecorder::readRows(const RunContext& context, const SelfAttentionCall& call) {
    const trace::ProbeInfo& info = m_setup.info;
    const bool kept = wants(Probe::Kept) && (m_mask.has_value() || !m_painted.empty());
    const bool summaries = wants(Probe::Map) || wants(Probe::Stats);
    std::vector<AttentionSummary> heads(static_cast<std::size_t>(info.heads), AttentionSummary(info));
    const std::vector<std::int32_t> samples = summaries || kept ? m_samples : std::vector<std::int32_t>{};
    std::set<std::int32_t> further(info.queries.begin(), info.queries.end());
    const auto cover = [&](const ExecutedMask& mask) {
        const auto uncovered = mask.uncovered(samples);
        further.insert(uncovered.begin(), uncovered.end());
    };
    if (kept && m_mask) {
        cover(*m_mask);
    }
    for (const auto& [head, mask] : m_painted) {
        if (kept && mask) {
            cover(*mask);
            break;  // all have the same tiles
        }
    }
    for (const std::int32_t query : samples) {
        further.erase(query);
    }
    FW_TRY(addRows(context, call, samples, summaries, heads));
    FW_TRY(addRows(context, call, std::vector<std::int32_t>(further.begin(), further.end()), false, heads));
    recordSummaries(context, call.layer, heads);
    return {};
}

// In groups that fit.
Status ProbeRecorder::addRows(const RunContext& context, const SelfAttentionCall& call,
                              std::span<const std::int32_t> queries, bool areSamples,
                              std::vector<AttentionSummary>& heads) {
    const trace::ProbeInfo& info = m_setup.info;
    const bool kept = wants(Probe::Kept) && (m_mask.has_value() || !m_painted.empty());
    const std::set<std::int32_t> chosen(info.queries.begin(), info.queries.end());
    const std::size_t group = rowsAtATime(info.tokens());
    for (std::size_t first = 0; first < queries.size(); first += group) {
        const auto part = queries.subspan(first, std::min(group, queries.size() - first));
        FW_ASSIGN(const Rows rows, rowsOf(call.q, call.k, part, call.scale));
        if (areSamples) {
            FW_TRY(addSums(rows, part, first == 0, heads));
        }
        const bool isChosen =
            std::any_of(part.begin(), part.end(), [&](auto query) { return chosen.contains(query); });
        if (!kept && !isChosen) {
            continue;
        }
        const std::span<const float> values = hostValues(rows.all, m_hostRows);
        FW_TRY(m_ops.synchronize());
        for (std::int64_t head = 0; head < info.heads; ++head) {
            const ExecutedMask* const mask = kept ? maskOf(head) : nullptr;
            const std::int64_t own = mask != nullptr && mask->masks() == 1 ? 0 : head;
            for (std::size_t i = 0; i < part.size(); ++i) {
                const auto row = rows.row(values, head, static_cast<std::int64_t>(i));
                if (mask != nullptr) {
                    heads[static_cast<std::size_t>(head)].addKept(*mask, own, part[i], row);
                }
                if (chosen.contains(part[i])) {
                    table(ProbeKind::AttentionRow).append(siteOf(context, call.layer, head), part[i], row);
                }
            }
        }
    }
    if (areSamples && !queries.empty()) {
        FW_TRY(addColumns(heads));
    }
    return {};
}

Status ProbeRecorder::addSums(const Rows& rows, std::span<const std::int32_t> queries, bool areFirst,
                              std::vector<AttentionSummary>& heads) {
    const trace::ProbeInfo& info = m_setup.info;
    const std::int64_t each = AttentionSummary::sumCount(info);
    FW_ASSIGN(const TensorView sums, scratch(m_sums, {info.heads, rows.count(), each}));
    FW_ASSIGN(const TensorView columns, scratch(m_columns, {info.heads, info.tokens()}));
    m_ops.rowSums(rows.all, {info.grid[0], info.grid[1], info.grid[2]}, info.pool, sums, columns);
    FW_ASSIGN(const TensorView all, scratch(m_allColumns, columns.shape()));
    if (areFirst) {
        m_ops.copy(columns, all);
    } else {
        const backend::Ops::Term terms[] = {{1.0, all}, {1.0, columns}};
        m_ops.linearCombination(terms, all);
    }
    const auto sumValues = hostValues(sums, m_hostSums);
    const auto entropies = hostValues(rows.entropies, m_hostEntropies);
    FW_TRY(m_ops.synchronize());
    const auto width = static_cast<std::size_t>(each);
    for (std::size_t head = 0; head < heads.size(); ++head) {
        for (std::size_t i = 0; i < queries.size(); ++i) {
            const std::size_t row = head * queries.size() + i;
            heads[head].add(queries[i], sumValues.subspan(row * width, width), entropies[row]);
        }
    }
    return {};
}

// Of all groups together: 1.5 MB at the real size, which is not worth fetching for each.
Status ProbeRecorder::addColumns(std::vector<AttentionSummary>& heads) {
    const trace::ProbeInfo& info = m_setup.info;
    FW_ASSIGN(const TensorView all, scratch(m_allColumns, {info.heads, info.tokens()}));
    const auto values = hostValues(all, m_hostColumns);
    FW_TRY(m_ops.synchronize());
    const auto tokens = static_cast<std::size_t>(info.tokens());
    for (std::size_t head = 0; head < heads.size(); ++head) {
        heads[head].addColumns(values.subspan(head * tokens, tokens));
    }
    return {};
}

void ProbeRecorder::recordSummaries(const RunContext& context, int layer,
                                    const std::vector<AttentionSummary>& heads) {
    for (std::size_t head = 0; head < heads.size(); ++head) {
        const trace::ProbeSite site = siteOf(context, layer, static_cast<std::int64_t>(head));
        if (wants(Probe::Map)) {
            table(ProbeKind::AttentionMap).append(site, 0, heads[head].map());
        }
        if (wants(Probe::Stats)) {
            table(ProbeKind::HeadStats).append(site, 0, heads[head].statistics());
        }
        const ExecutedMask* const mask = wants(Probe::Kept) ? maskOf(static_cast<std::int64_t>(head)) : nullptr;
        if (mask != nullptr) {
            const auto own = static_cast<std::int64_t>(mask->masks() == 1 ? 0 : head);
            table(ProbeKind::KeptMass)
                .append(site, static_cast<std::int32_t>(mask->order(own)), heads[head].keptMass());
        }
    }
}

Status ProbeRecorder::branchReady(RunContext& context, const SelfAttentionCall& call, const ConstTensorView& branch,
                                  const backend::BranchOptions& options) {
    if (!wants(Probe::Gate) || !isChosen(context, call.layer)) {
        return {};
    }
    if (m_isDry) {
        count(ProbeKind::Gate, 1);
        count(ProbeKind::LinearShare, 1);
        return {};
    }
    const ProbeScope scope(context, call.layer);
    const auto tokens = static_cast<std::size_t>(branch.dim(1));
    std::vector<float> gates(tokens, 1.0F);
    if (options.gate != backend::GateMode::None) {
        FW_ASSIGN(gates, onHost(options.logits));
        if (options.gate == backend::GateMode::Sample) {
            double sum = 0.0;
            std::for_each(gates.begin(), gates.end(), [&](float logit) { sum += static_cast<double>(logit); });
            std::fill(gates.begin(), gates.end(), static_cast<float>(sum / static_cast<double>(tokens)));
        }
        std::transform(gates.begin(), gates.end(), gates.begin(),
                       [](float logit) { return 1.0F / (1.0F + std::exp(-logit)); });
    }
    FW_ASSIGN(std::vector<float> added, onHost(branch));
    FW_ASSIGN(const std::vector<float> sparse, onHost(call.out));
    const std::size_t width = added.size() / tokens;
    double mean = 0.0;
    for (std::size_t token = 0; token < tokens; ++token) {
        const float factor = gates[token] * options.scale;
        mean += static_cast<double>(factor) / static_cast<double>(tokens);
        for (std::size_t i = 0; i < width; ++i) {
            added[token * width + i] *= factor;
        }
    }
    const trace::ProbeSite site = siteOf(context, call.layer);
    table(ProbeKind::Gate).append(site, 0, gates);
    const std::array<float, 3> share{static_cast<float>(rootMeanSquare(sparse)),
                                     static_cast<float>(rootMeanSquare(added)), static_cast<float>(mean)};
    table(ProbeKind::LinearShare).append(site, 0, share);
    return {};
}

// heat[word · N]: the mass on each word, from a query's mean row over the text's tokens.
void ProbeRecorder::addWords(std::span<const float> row, std::span<float> heat) const {
    const trace::ProbeInfo& info = m_setup.info;
    for (std::size_t word = 0; word < info.words.size(); ++word) {
        const auto first = row.begin() + info.words[word].first;
        heat[word * static_cast<std::size_t>(info.tokens())] =
            std::accumulate(first, first + info.words[word].count, 0.0F);
    }
}

Status ProbeRecorder::crossAttention(RunContext& context, int layer, const ConstTensorView& q,
                                     const ConstTensorView& k, float scale) {
    const trace::ProbeInfo& info = m_setup.info;
    if (!wants(Probe::Words) || info.words.empty() || !isChosen(context, layer)) {
        return {};
    }
    if (m_isDry) {
        count(ProbeKind::WordHeat, 1);
        return {};
    }
    const ProbeScope scope(context, layer);
    const std::int64_t tokens = q.dim(1);
    const std::int64_t used = info.words.back().first + info.words.back().count;
    const auto group = static_cast<std::int64_t>(rowsAtATime(k.dim(1)));
    std::vector<float> heat(info.words.size() * static_cast<std::size_t>(tokens));
    for (std::int64_t first = 0; first < tokens; first += group) {
        std::vector<std::int32_t> wanted(static_cast<std::size_t>(std::min(group, tokens - first)));
        std::iota(wanted.begin(), wanted.end(), static_cast<std::int32_t>(first));
        FW_ASSIGN(const Rows rows, rowsOf(q, k, wanted, scale));
        // The mean over heads where the rows are, of the prompt's tokens alone.
        FW_ASSIGN(const TensorView means, scratch(m_sums, {1, rows.count(), used}));
        const Shape flat{1, info.heads * rows.count(), k.dim(1)};
        m_ops.poolTokens(rows.all.reshape(flat).slice(2, 0, used), {info.heads, rows.count(), 1},
                         {info.heads, 1, 1}, means);
        const std::span<const float> values = hostValues(means, m_hostSums);
        FW_TRY(m_ops.synchronize());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const auto width = static_cast<std::size_t>(used);
            addWords(values.subspan(i * width, width),
                     std::span(heat).subspan(static_cast<std::size_t>(first) + i));
        }
    }
    table(ProbeKind::WordHeat).append(siteOf(context, layer), 0, heat);
    return {};
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
    FW_CHECK(m_tables.empty(), "{} kinds read meanwhile", m_tables.size());
    m_tables = std::move(data.tables);
}

trace::ProbeData ProbeRecorder::take() {
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
    // Columns: of a group of rows and of all.
    const std::int64_t rowBytes = m_setup.info.heads * m_setup.info.tokens() * dtypeSize(DType::F32);
    plan.memoryBytes = plan.bytes + m_keptBytes +
                       (m_setup.readsRows ? std::max(kRowBytes, kFewestRows * rowBytes) + 2 * rowBytes : 0);
    plan.steps = static_cast<int>(m_setup.info.steps.size());
    plan.layers = static_cast<int>(m_setup.info.probedLayers.size());
    return plan;
}

}  // namespace fw::pipeline
