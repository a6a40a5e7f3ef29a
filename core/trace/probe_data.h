// What the probes of a run saw inside it. Stored in the trace file (trace_file.h); this header is the contract of
// those tensors.
//
// A probe of kind K is a table of n records of equal shape. In the file it is
//   probe.K.step, probe.K.branch, probe.K.layer, probe.K.head   i32 [n]: where each record was taken;
//                                head -1: of all heads together; layer -1: of all layers together
//   probe.K.data                 first dimension n
// and for some kinds one more i32 [n]. N: tokens; B: pooled blocks; token = (t·H + h)·W + w in the grid [T, H, W].
//
//   K              data              what it is
//   attention_map  f16 [n, B, B]     mean attention mass from the queries of a pooled block (row) to the keys of a
//                                    pooled block (column): rows sum to 1
//   attention_row  f16 [n, N]        softmax of one query over all keys; probe.attention_row.query: its token
//   head_stats     f32 [n, 6]        means over the sampled queries: entropy in nats; |dt|, |dh|, |dw| between
//                                    query and key in tokens; the largest mean mass of any single key (sink);
//                                    mass on the query's own frame
//   mask           u8 [n, bytes]     (query tile, key tile) pairs computed: bit q·KT + k, lowest bit of a byte
//                                    first; probe.mask.shape i32 [2] = QT, KT; probe.mask.order: see TileOrder.
//                                    Heads of dense attention have no record, nor have those cut into other tiles
//                                    than the run's (painted ones, or a method's changed on the way)
//   kept_mass      f16 [n, QT]       share of the dense softmax mass that the pairs computed hold, mean over the
//                                    sampled queries of a query tile; probe.kept_mass.order as for masks
//   gate           f16 [n, N]        SALAD: what lets the linear branch in at each token, 0 … 1
//   linear_share   f32 [n, 3]        SALAD: RMS of the sparse part, RMS of what the linear branch adds, mean gate
//                                    times the branch's weight
//   change         f32 [n, 2]        of a module's output against the last step that computed it: mean squared
//                                    difference over mean square, mean difference over mean size;
//                                    probe.change.module: trace::Module
//   word_heat      f16 [n, W, N]     cross-attention mass each token of the clip puts on each prompt word, mean
//                                    over heads
//   cache_error    f32 [n, 2]        of what a step cache put in the place of a module against what the module
//                                    would have given, as for change; probe.cache_error.module: trace::Module,
//                                    `blocks` with layer -1 where all blocks or the whole pass were replaced
//   scan_memory    f16 [n, D, S, B]  LinGen: tokens along the scan in which a head of it forgets half,
//                                    ln 2 / (step · |A|), geometric mean over the sampled tokens of a pooled block;
//                                    D directions, S heads; probe.scan_memory.order: backend::ScanOrder, see
//                                    core/backend/token_scan.h
//   review_weight  f16 [n, D, S, R]  LinGen: share of each review token in what a head's scan of the clip begins
//                                    with, by Δ and decay alone; rows sum to 1, or are 0 where there are none
//   attention_query  f16 [n, N, C]   one head's queries as attention saw them
//   attention_key    f16 [n, N, C]   its keys; a query's row is softmax(q·k / √C)
//
// "probes" in the trace's description says what the shapes mean: ProbeInfo below. A run without probes has neither.
// Readers of files must expect any number in the data, NaN included, and every index within its range only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/tensor/tensor_view.h"

namespace fw::trace {

enum class ProbeKind : std::uint8_t {
    AttentionMap,
    AttentionRow,
    HeadStats,
    Mask,
    KeptMass,
    Gate,
    LinearShare,
    Change,
    WordHeat,
    CacheError,
    ScanMemory,
    ReviewWeight,
    AttentionQuery,
    AttentionKey,
};
inline constexpr std::array<ProbeKind, 14> kProbeKinds{
    ProbeKind::AttentionMap,   ProbeKind::AttentionRow, ProbeKind::HeadStats,   ProbeKind::Mask,
    ProbeKind::KeptMass,       ProbeKind::Gate,         ProbeKind::LinearShare, ProbeKind::Change,
    ProbeKind::WordHeat,       ProbeKind::CacheError,   ProbeKind::ScanMemory,  ProbeKind::ReviewWeight,
    ProbeKind::AttentionQuery, ProbeKind::AttentionKey};

// "attention_map": the enumerator in snake_case.
[[nodiscard]] std::string_view probeName(ProbeKind kind);
// The extra column of a kind ("query", "order", "module"); empty: it has none.
[[nodiscard]] std::string_view probeItemName(ProbeKind kind);
[[nodiscard]] DType probeType(ProbeKind kind);

// How the tiles of a mask lie: runs of 64 or 128 tokens in the order of memory, the same with the frames of one
// place together (position = place · T + t), or boxes in (t, h, w).
enum class TileOrder : std::uint8_t { FrameMajor, TokenMajor, Boxes };

// Columns of head_stats.
enum HeadStatistic : std::uint8_t { kEntropy, kTimeDistance, kHeightDistance, kWidthDistance, kSink, kOwnFrame };
inline constexpr std::int64_t kHeadStatistics = 6;

// A word of the prompt and its tokens [first, first + count).
struct PromptWord {
    std::string text;
    std::int32_t first = 0, count = 0;
    bool operator==(const PromptWord&) const = default;
};

// Tiles of masks and kept_mass: runs of `size` tokens, or boxes of `box` tokens where box[0] > 0. The last run and
// boxes at the far end of an axis are smaller.
struct MaskTiles {
    std::int64_t size = 64;
    std::array<std::int64_t, 3> box{0, 0, 0};  // t, h, w
    bool operator==(const MaskTiles&) const = default;
};

// LinGen's scans; zeros in other models.
struct ScanInfo {
    std::int64_t heads = 0, directions = 0;
    std::array<std::int64_t, 3> review{0, 0, 0};  // grid of the review tokens; zeros: none
    [[nodiscard]] std::int64_t reviewTokens() const { return review[0] * review[1] * review[2]; }
    bool operator==(const ScanInfo&) const = default;
};

// In the description: {"grid": [T, H, W], "pool": [t, h, w], "blocks": [BT, BH, BW], "heads", "layers",
// "words": [{"text", "first", "count"}], "steps": […], "probed_layers": […], "queries": […], "samples",
// "mask": {"size", "box": [t, h, w]}, "head_dim", "scan": {"heads", "directions", "review": [t, h, w]}}; the last
// two are absent in older files.
struct ProbeInfo {
    std::array<std::int64_t, 3> grid{0, 0, 0};  // tokens
    std::array<std::int64_t, 3> pool{1, 1, 1};  // tokens of a pooled block along each axis; the last may be smaller
    std::int64_t heads = 0, layers = 0;         // of the model
    std::vector<PromptWord> words;
    std::vector<std::int32_t> steps, probedLayers, queries;  // what was selected
    std::int64_t samples = 0;                                // queries asked of each pooled block; 0: all of them
    MaskTiles mask;
    std::int64_t headDim = 0;  // 0: unknown
    ScanInfo scan;

    [[nodiscard]] std::int64_t tokens() const { return grid[0] * grid[1] * grid[2]; }
    [[nodiscard]] std::array<std::int64_t, 3> blocks() const;
    [[nodiscard]] std::int64_t blockCount() const;
    // The pooled block a token lies in: (bt·BH + bh)·BW + bw.
    [[nodiscard]] std::int64_t blockOf(std::int64_t token) const;
    [[nodiscard]] std::int64_t maskTileCount() const;
    bool operator==(const ProbeInfo&) const = default;
};
[[nodiscard]] Json toJson(const ProbeInfo& info);
// BadModel naming the key that is missing, of the wrong kind or out of range.
[[nodiscard]] Result<ProbeInfo> probeInfoFromJson(const Json& json);
// Shape of one record of `kind` in a run of this kind.
[[nodiscard]] Shape probeRecordShape(ProbeKind kind, const ProbeInfo& info);

struct ProbeSite {
    std::int32_t step = 0, branch = 0, layer = -1, head = -1;
    bool operator==(const ProbeSite&) const = default;
};

// The records of one kind. A value; one read from a file borrows the file's mapping and keeps it alive.
class ProbeTable {
 public:
    ProbeTable() = default;
    ProbeTable(DType dtype, const Shape& record) : m_dtype(dtype), m_record(record) {}

    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(m_sites.size()); }
    [[nodiscard]] const Shape& recordShape() const { return m_record; }
    [[nodiscard]] const ProbeSite& site(std::int64_t i) const { return m_sites.at(static_cast<std::size_t>(i)); }
    // The extra column; 0 where the kind has none.
    [[nodiscard]] std::int32_t item(std::int64_t i) const { return m_items.at(static_cast<std::size_t>(i)); }
    // Index of the record, -1 when there is none. O(n).
    [[nodiscard]] std::int64_t find(const ProbeSite& site) const;
    [[nodiscard]] std::int64_t find(const ProbeSite& site, std::int32_t item) const;
    // [n, record…]; valid while the table lives and nothing is appended.
    [[nodiscard]] ConstTensorView data() const;
    [[nodiscard]] ConstTensorView record(std::int64_t i) const;
    // A record of f16 or f32 as numbers.
    [[nodiscard]] std::vector<float> values(std::int64_t i) const;

    // Adds a record, converted to the table's type (f16, f32). Only to tables not read from a file.
    void append(const ProbeSite& site, std::int32_t item, std::span<const float> values);
    // Adds a record for the caller to write; the view is valid until the next record is added.
    [[nodiscard]] TensorView appendSpace(const ProbeSite& site, std::int32_t item);
    // Memory for so many records, taken when they come.
    void reserve(std::int64_t records);
    // The same for u8.
    void appendBytes(const ProbeSite& site, std::int32_t item, std::span<const std::uint8_t> bytes);

    // Of a file: `data` [n, record…] in memory kept by `owner`; all vectors of length n.
    [[nodiscard]] static ProbeTable borrow(std::vector<ProbeSite> sites, std::vector<std::int32_t> items,
                                           const ConstTensorView& data, std::shared_ptr<const void> owner);

 private:
    DType m_dtype = DType::F32;
    Shape m_record;
    std::vector<ProbeSite> m_sites;
    std::vector<std::int32_t> m_items;
    std::vector<std::byte> m_bytes;  // of tables that own their data
    const void* m_mapped = nullptr;
    std::shared_ptr<const void> m_owner;
};

// Bit `query`·KT + `key` of a mask record.
[[nodiscard]] bool maskBit(const ConstTensorView& record, std::int64_t keyTiles, std::int64_t query,
                           std::int64_t key);

// One head's attention from `query` over all keys: softmax(q·k / √C) in f32, of records of attention_query and
// attention_key [N, C] f16. Sums to 1; NaN throughout where a product is not finite.
[[nodiscard]] std::vector<float> attentionRow(const ConstTensorView& queries, const ConstTensorView& keys,
                                              std::int64_t query);

struct ProbeData {
    ProbeInfo info;
    std::map<ProbeKind, ProbeTable> tables;  // only kinds that have records
    // Of a kind without records: null.
    [[nodiscard]] const ProbeTable* find(ProbeKind kind) const;
    // False in runs without probes.
    [[nodiscard]] bool isPresent() const { return info.heads > 0; }
};

}  // namespace fw::trace
