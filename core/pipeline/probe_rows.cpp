// The part of ProbeRecorder that reads rows of attention. Rows stay on the device: what is fetched are their sums,
// and of chosen queries alone the rows themselves.
#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

#include "core/pipeline/probe_recorder.h"

namespace fw::pipeline {

using job::Probe;
using method::ProbeScope;
using method::RunContext;
using method::SelfAttentionCall;
using trace::ProbeKind;

namespace {

constexpr std::int64_t kRowBytes = std::int64_t{128} << 20;   // of rows read at a time
constexpr std::int64_t kCacheBytes = std::int64_t{1} << 20;   // on a CPU, where more would leave its caches
constexpr std::int64_t kBatchBytes = std::int64_t{16} << 20;  // of what rows come to, fetched at a time
constexpr std::int64_t kMostPending = 3;                      // batches on their way to the host
constexpr std::int64_t kMostRows = 4096;                      // read at a time
constexpr std::int64_t kFewestRows = 32;                      // on a CPU: what shares one pass over the keys
constexpr std::int64_t kTileRows = 32;                        // a kernel computes so many, wanted or not

// Rows [first, first + count) of what lies group behind group, [heads, count, each] in every group.
TensorView groupOf(const TensorView& batch, std::int64_t heads, std::int64_t first, std::int64_t count,
                   std::int64_t each) {
    return batch.slice(0, heads * first * each, heads * (first + count) * each).reshape({heads, count, each});
}

}  // namespace

Result<TensorView> ProbeRecorder::scratch(backend::OwnedTensor& owned, const Shape& shape, DType dtype) {
    if (owned.buffer == nullptr || owned.view.count() < shape.product()) {
        FW_ASSIGN(owned, backend::createTensor(m_device, dtype, {std::max<std::int64_t>(shape.product(), 1)}));
    }
    return owned.view.slice(0, 0, shape.product()).reshape(shape);
}

void ProbeRecorder::fetch(const TensorView& view, std::vector<float>& values) {
    values.resize(static_cast<std::size_t>(view.count()));
    m_ops.download(view, TensorView(values.data(), DType::F32, view.shape()));
}

std::size_t ProbeRecorder::rowsAtATime(std::int64_t keys) const {
    const std::int64_t rowBytes = m_setup.info.heads * keys * dtypeSize(DType::F32);
    const bool onCpu = m_ops.deviceKind() == DeviceKind::Cpu;
    const std::int64_t rows =
        std::clamp<std::int64_t>((onCpu ? kCacheBytes : kRowBytes) / rowBytes, onCpu ? kFewestRows : 1, kMostRows);
    return static_cast<std::size_t>(rows < kTileRows ? rows : rows - rows % kTileRows);
}

std::size_t ProbeRecorder::batchOf(std::size_t group, std::int64_t floats) {
    const std::int64_t bytes = static_cast<std::int64_t>(group) * floats * dtypeSize(DType::F32);
    return group * static_cast<std::size_t>(std::max<std::int64_t>(kBatchBytes / bytes, 1));
}

// A group of rows and what their sums are made of; its columns and those of all, here and fetched; batches of sums
// here, on their way and taken; the heat of words here and on its way.
std::int64_t ProbeRecorder::rowScratchBytes() const {
    const trace::ProbeInfo& info = m_setup.info;
    const std::int64_t rowBytes = info.heads * info.tokens() * dtypeSize(DType::F32);
    const std::int64_t heatBytes =
        wants(Probe::Words) ? std::ssize(info.words) * info.tokens() * dtypeSize(DType::F16) : 0;
    const std::int64_t group = std::max(kRowBytes, kFewestRows * rowBytes);
    // Of each row the sums of its lines, and of its columns over each stack of boxes.
    const std::int64_t lines = info.grid[0] * info.grid[1];
    const auto boxes = [&](std::size_t axis) { return (info.grid[axis] + info.pool[axis] - 1) / info.pool[axis]; };
    const std::int64_t parts = group / info.grid[2] + group * boxes(0) * boxes(1) / lines;
    return group + parts + 3 * rowBytes + (2 + kMostPending) * kBatchBytes + 2 * heatBytes;
}

// Samples first; then what kept mass and chosen queries want besides.
Status ProbeRecorder::readRows(const RunContext& context, const SelfAttentionCall& call, Reading& reading) {
    const trace::ProbeInfo& info = m_setup.info;
    const bool kept = wants(Probe::Kept) && (m_masks.ofAll.has_value() || !m_masks.painted.empty());
    const bool summaries = wants(Probe::Map) || wants(Probe::Stats);
    const std::vector<std::int32_t> samples = summaries || kept ? m_samples : std::vector<std::int32_t>{};
    std::set<std::int32_t> further(info.queries.begin(), info.queries.end());
    const auto cover = [&](const ExecutedMask& mask) {
        const auto uncovered = mask.uncovered(samples);
        further.insert(uncovered.begin(), uncovered.end());
    };
    if (kept && m_masks.ofAll) {
        cover(m_masks.ofAll->mask);
    }
    for (const auto& [head, executed] : m_masks.painted) {
        if (kept && executed) {
            cover(executed->mask);
            break;  // all have the same tiles
        }
    }
    for (const std::int32_t query : samples) {
        further.erase(query);
    }
    FW_TRY(readRows(context, call, samples, {.sums = summaries, .kept = kept}, reading));
    if (summaries && !samples.empty()) {
        FW_TRY(readColumns(reading));
    }
    const std::vector<std::int32_t> others(further.begin(), further.end());
    return readRows(context, call, others, {.sums = false, .kept = kept}, reading);
}

void ProbeRecorder::Fetched::begin(backend::Ops& ops, const TensorView& view) {
    m_count = static_cast<std::size_t>(view.count());
    m_copy = ops.beginDownload(view);
}

std::vector<float> ProbeRecorder::Fetched::take() {
    std::vector<float> values(std::exchange(m_count, 0));
    if (const auto copy = std::exchange(m_copy, nullptr)) {
        copy->take(values.data());
    }
    return values;
}

Status ProbeRecorder::readRows(const RunContext& context, const SelfAttentionCall& call,
                               std::span<const std::int32_t> queries, Wanted wanted, Reading& reading) {
    const trace::ProbeInfo& info = m_setup.info;
    m_columnsBegun = false;
    if (reading.heads.empty() && !queries.empty()) {
        reading.heads = std::vector<AttentionSummary>(static_cast<std::size_t>(info.heads), AttentionSummary(info));
    }
    const std::size_t batch =
        batchOf(rowsAtATime(info.tokens()), info.heads * (AttentionSummary::sumCount(info) + 2));
    for (std::size_t first = 0; first < queries.size(); first += batch) {
        FW_TRY(readBatch(context, call, queries.subspan(first, std::min(batch, queries.size() - first)), wanted,
                         reading));
    }
    return {};
}

// Queues all groups of rows, and the copies of what they come to.
Status ProbeRecorder::readBatch(const RunContext& context, const SelfAttentionCall& call,
                                std::span<const std::int32_t> queries, Wanted wanted, Reading& reading) {
    const trace::ProbeInfo& info = m_setup.info;
    const std::int64_t each = wanted.sums ? AttentionSummary::sumCount(info) : 0;
    const std::size_t group = rowsAtATime(info.tokens());
    const auto all = static_cast<std::int64_t>(queries.size()) * info.heads;
    FW_ASSIGN(const TensorView sums, scratch(m_sums, {all * each}));
    FW_ASSIGN(const TensorView entropies, scratch(m_entropies, {all}));
    FW_ASSIGN(const TensorView masses, scratch(m_masses, {all}));
    for (std::size_t first = 0; first < queries.size(); first += group) {
        const auto part = queries.subspan(first, std::min(group, queries.size() - first));
        const auto at = static_cast<std::int64_t>(first), count = static_cast<std::int64_t>(part.size());
        const Shape few{info.heads, count};
        FW_ASSIGN(const TensorView rows, scratch(m_rows, {info.heads, count, info.tokens()}));
        m_ops.attentionRows(call.q, call.k, part, {.scale = call.scale}, rows,
                            groupOf(entropies, info.heads, at, count, 1).reshape(few));
        if (wanted.sums) {
            FW_TRY(sumRows(rows, groupOf(sums, info.heads, at, count, each)));
        }
        if (wanted.kept) {
            sumKept(rows, part, groupOf(masses, info.heads, at, count, 1).reshape(few));
        }
        FW_TRY(appendRows(context, call.layer, part, rows));
    }
    if (std::ssize(reading.batches) == kMostPending) {
        addOldest(reading, m_masks);
    }
    RowBatch batch;
    batch.queries.assign(queries.begin(), queries.end());
    batch.group = group;
    batch.wanted = wanted;
    if (wanted.sums) {
        batch.sums.begin(m_ops, sums);
        batch.entropies.begin(m_ops, entropies);
    }
    if (wanted.kept) {
        batch.masses.begin(m_ops, masses);
    }
    reading.batches.push_back(std::move(batch));
    return {};
}

void ProbeRecorder::addOldest(Reading& reading, const Masks& masks) {
    RowBatch batch = std::move(reading.batches.front());
    reading.batches.pop_front();
    std::vector<AttentionSummary>& heads = reading.heads;
    const std::span<const std::int32_t> queries = batch.queries;
    const std::vector<float> allSums = batch.sums.take(), entropies = batch.entropies.take(),
                             masses = batch.masses.take();
    const std::span<const float> sums = allSums;
    const std::size_t width = sums.size() / (queries.size() * heads.size());
    std::size_t row = 0;
    for (std::size_t first = 0; first < queries.size(); first += batch.group) {
        const auto part = queries.subspan(first, std::min(batch.group, queries.size() - first));
        for (std::size_t head = 0; head < heads.size(); ++head) {
            const Executed* const executed =
                batch.wanted.kept ? masks.executedIn(static_cast<std::int64_t>(head)) : nullptr;
            for (const std::int32_t query : part) {
                if (batch.wanted.sums) {
                    heads[head].add(query, sums.subspan(row * width, width), entropies[row]);
                }
                if (executed != nullptr) {
                    heads[head].addKept(executed->mask, static_cast<std::int64_t>(head), query, masses[row]);
                }
                ++row;
            }
        }
    }
}

void ProbeRecorder::finishEverything() {
    finishGate();
    finishReading();
}

void ProbeRecorder::finishReading() {
    finishHeat();
    if (!m_reading) {
        return;
    }
    Reading reading = *std::exchange(m_reading, std::nullopt);
    recordMasks(reading.site, reading.masks);
    if (reading.heads.empty()) {
        return;
    }
    while (!reading.batches.empty()) {
        addOldest(reading, reading.masks);
    }
    const auto tokens = static_cast<std::size_t>(m_setup.info.tokens());
    const std::vector<float> columns = reading.columns.take();
    for (std::size_t head = 0; head < reading.heads.size() && !columns.empty(); ++head) {
        reading.heads[head].setColumns(std::span(columns).subspan(head * tokens, tokens));
    }
    recordSummaries(reading);
}

void ProbeRecorder::finishHeat() {
    if (m_heatReading) {
        const HeatReading reading = *std::exchange(m_heatReading, std::nullopt);
        reading.heat->take(table(ProbeKind::WordHeat).appendSpace(reading.site, 0).mutableData());
    }
}

Status ProbeRecorder::sumRows(const TensorView& rows, const TensorView& sums) {
    const trace::ProbeInfo& info = m_setup.info;
    FW_ASSIGN(const TensorView columns, scratch(m_columns, {info.heads, info.tokens()}));
    m_ops.rowSums(rows, {info.grid[0], info.grid[1], info.grid[2]}, info.pool, sums, columns);
    FW_ASSIGN(const TensorView all, scratch(m_allColumns, columns.shape()));
    if (std::exchange(m_columnsBegun, true)) {
        const backend::Ops::Term terms[] = {{1.0, all}, {1.0, columns}};
        m_ops.linearCombination(terms, all);
    } else {
        m_ops.copy(columns, all);
    }
    return {};
}

// Painted heads last: they hold instead of what all heads were told to have seen.
void ProbeRecorder::sumKept(const TensorView& rows, std::span<const std::int32_t> queries,
                            const TensorView& masses) {
    if (m_masks.ofAll) {
        m_ops.keptMass(rows, queries, m_masks.ofAll->seen, masses);
    }
    for (const auto& [head, executed] : m_masks.painted) {
        if (executed) {
            m_ops.keptMass(rows.slice(0, head, head + 1), queries, executed->seen, masses.slice(0, head, head + 1));
        }
    }
}

Status ProbeRecorder::appendRows(const RunContext& context, int layer, std::span<const std::int32_t> queries,
                                 const TensorView& rows) {
    const std::vector<std::int32_t>& chosen = m_setup.info.queries;
    std::vector<std::int64_t> found;  // indices into rows
    for (std::size_t i = 0; i < queries.size(); ++i) {
        if (std::find(chosen.begin(), chosen.end(), queries[i]) != chosen.end()) {
            found.push_back(static_cast<std::int64_t>(i));
        }
    }
    if (found.empty()) {
        return {};
    }
    fetch(rows, m_hostRows);
    FW_TRY(m_ops.synchronize());
    const std::span<const float> values = m_hostRows;
    const auto keys = static_cast<std::size_t>(rows.dim(2));
    for (std::int64_t head = 0; head < rows.dim(0); ++head) {
        for (const std::int64_t i : found) {
            table(ProbeKind::AttentionRow)
                .append(siteOf(context, layer, head), queries[static_cast<std::size_t>(i)],
                        values.subspan(static_cast<std::size_t>(head * rows.dim(1) + i) * keys, keys));
        }
    }
    return {};
}

// Of all groups together: 1.5 MB at the real size, which is not worth fetching for each.
Status ProbeRecorder::readColumns(Reading& reading) {
    const trace::ProbeInfo& info = m_setup.info;
    FW_ASSIGN(const TensorView all, scratch(m_allColumns, {info.heads, info.tokens()}));
    reading.columns.begin(m_ops, all);
    return {};
}

void ProbeRecorder::recordSummaries(const Reading& reading) {
    const std::vector<AttentionSummary>& heads = reading.heads;
    for (std::size_t head = 0; head < heads.size(); ++head) {
        trace::ProbeSite site = reading.site;
        site.head = static_cast<std::int32_t>(head);
        if (wants(Probe::Map)) {
            table(ProbeKind::AttentionMap).append(site, 0, heads[head].map());
        }
        if (wants(Probe::Stats)) {
            table(ProbeKind::HeadStats).append(site, 0, heads[head].statistics());
        }
        const Executed* const executed =
            wants(Probe::Kept) ? reading.masks.executedIn(static_cast<std::int64_t>(head)) : nullptr;
        if (executed != nullptr) {
            const ExecutedMask& mask = executed->mask;
            const auto own = static_cast<std::int64_t>(mask.masks() == 1 ? 0 : head);
            table(ProbeKind::KeptMass)
                .append(site, static_cast<std::int32_t>(mask.order(own)), heads[head].keptMass());
        }
    }
}

// Of means [queries, the prompt's tokens] into heat [words, queries]: the sum of the columns of every word. Of
// words in a row that have one column each, all at once.
void ProbeRecorder::sumWords(const TensorView& means, const TensorView& heat) {
    const std::vector<trace::PromptWord>& words = m_setup.info.words;
    const auto column = [&](std::int32_t at) { return means.slice(1, at, at + 1); };
    for (const trace::PromptWord& word : words) {
        for (std::int32_t i = 1; i < word.count; ++i) {
            m_ops.add(column(word.first), column(word.first + i), column(word.first));
        }
    }
    for (std::size_t first = 0; first < words.size();) {
        std::size_t end = first + 1;
        while (end < words.size() && words[end].first == words[end - 1].first + 1) {
            ++end;
        }
        const auto from = static_cast<std::int64_t>(first), to = static_cast<std::int64_t>(end);
        m_ops.copy(means.slice(1, words[first].first, words[first].first + to - from).permute({1, 0}),
                   heat.slice(0, from, to));
        first = end;
    }
}

Status ProbeRecorder::crossAttention(RunContext& context, int layer, const method::TextAttention& seen) {
    const trace::ProbeInfo& info = m_setup.info;
    if (!wants(Probe::Words) || info.words.empty() || !isChosen(context, layer)) {
        return {};
    }
    if (m_isDry) {
        count(ProbeKind::WordHeat, 1);
        return {};
    }
    const ProbeScope scope(context, layer);
    finishHeat();
    const auto& [q, k, options, firstToken] = seen;
    const std::int64_t tokens = q.dim(1);
    const std::int64_t used = info.words.back().first + info.words.back().count;
    const auto group = static_cast<std::int64_t>(rowsAtATime(k.dim(1)));
    const auto batch = static_cast<std::int64_t>(batchOf(static_cast<std::size_t>(group), used));
    std::vector<std::int32_t> queries(static_cast<std::size_t>(tokens));
    std::iota(queries.begin(), queries.end(), 0);
    const auto wordCount = static_cast<std::int64_t>(info.words.size());
    FW_ASSIGN(const TensorView heat, scratch(m_heat, {wordCount, tokens}, DType::F16));
    for (std::int64_t begin = 0; begin < tokens; begin += batch) {
        const std::int64_t end = std::min(begin + batch, tokens);
        FW_ASSIGN(const TensorView means, scratch(m_sums, {1, end - begin, used}));
        for (std::int64_t first = begin; first < end; first += group) {
            const std::int64_t count = std::min(group, end - first);
            FW_ASSIGN(const TensorView rows, scratch(m_rows, {info.heads, count, k.dim(1)}));
            FW_ASSIGN(const TensorView entropies, scratch(m_entropies, {info.heads, count}));
            m_ops.attentionRows(
                q, k, std::span(queries).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                options, rows, entropies);
            // The mean over heads where the rows are, of the prompt's tokens alone.
            m_ops.poolTokens(
                rows.reshape({1, info.heads * count, k.dim(1)}).slice(2, firstToken, firstToken + used),
                {info.heads, count, 1}, {info.heads, 1, 1}, means.slice(1, first - begin, first - begin + count));
        }
        sumWords(means.reshape({end - begin, used}), heat.slice(1, begin, end));
    }
    m_heatReading.emplace(HeatReading{siteOf(context, layer), m_ops.beginDownload(heat)});
    return {};
}

}  // namespace fw::pipeline
