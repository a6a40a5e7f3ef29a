// Reads what a request's probes ask for, while the run goes on, into the tables of its trace.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/backend/device.h"
#include "core/job/generation_request.h"
#include "core/job/plan.h"
#include "core/job/probe_selection.h"
#include "core/method/probe_sink.h"
#include "core/pipeline/attention_summary.h"
#include "core/pipeline/executed_mask.h"
#include "core/pipeline/model_parts.h"
#include "core/trace/probe_data.h"

namespace fw::pipeline {

// What a run's probes may write.
inline constexpr std::int64_t kMostProbeBytes = std::int64_t{1} << 30;

// A selection fitted to one model and clip.
struct ProbeSetup {
    job::ProbeSelection selection;
    trace::ProbeInfo info;  // its mask tiles become known with the first sparse call or painted head
    int steps = 0;
    DType dtype = DType::F32;  // of the run
    bool readsRows = false;    // needs Ops::attentionRows()
};
// Of a resolved request with probes. InvalidArgument when it names a layer or token that does not exist.
[[nodiscard]] Result<ProbeSetup> fitProbes(const ModelParts& parts, const job::GenerationRequest& request);

// The prompt's words and the tokens each became; words cut off by the tokenizer's length are left out.
[[nodiscard]] Result<std::vector<trace::PromptWord>> promptWords(const model::Tokenizer& tokenizer,
                                                                 const std::string& prompt);

// On a Meta device it only counts what a run would write. Reads the conditional branch alone. One run, one thread.
class ProbeRecorder final : public method::ProbeSink {
 public:
    // `device` and `ops` outlive the object. Unsupported when the device cannot look into attention and the
    // selection asks for it. OutOfMemory.
    [[nodiscard]] static Result<std::unique_ptr<ProbeRecorder>> create(backend::Device& device, backend::Ops& ops,
                                                                       ProbeSetup setup);
    ~ProbeRecorder() override;

    [[nodiscard]] Status windowDone(method::RunContext& context, const method::SelfAttentionCall& call,
                                    const backend::WindowOptions& options) override;
    [[nodiscard]] Status blocksDone(method::RunContext& context, const method::SelfAttentionCall& call,
                                    const backend::TokenBlocks& blocks, const backend::BlockLists& lists) override;
    // Recorded in runs of 64 tokens, whatever the boxes: so that all layers have the same tiles.
    [[nodiscard]] Status ownWindowsDone(method::RunContext& context, const method::SelfAttentionCall& call,
                                        const backend::TokenBlocks& blocks,
                                        const backend::BlockLists& lists) override;
    [[nodiscard]] Status branchReady(method::RunContext& context, const method::SelfAttentionCall& call,
                                     const ConstTensorView& branch, const backend::BranchOptions& options) override;
    [[nodiscard]] Status maskPainted(method::RunContext& context, const method::SelfAttentionCall& call,
                                     const method::PaintedHead& painted) override;
    [[nodiscard]] Status scanReady(method::RunContext& context, const method::ScanSeen& scan) override;
    [[nodiscard]] bool wantsStandIns(const method::RunContext& context, int layer) const override;
    [[nodiscard]] Status standInSeen(method::RunContext& context, trace::Module module, int layer,
                                     const ConstTensorView& standIn, const ConstTensorView& computed) override;
    [[nodiscard]] Status attentionDone(method::RunContext& context, const method::SelfAttentionCall& call) override;
    [[nodiscard]] Status crossAttention(method::RunContext& context, int layer,
                                        const method::TextAttention& seen) override;
    // Internal, naming step, layer and module, when a number is not finite and passDone() said that one is.
    [[nodiscard]] Status moduleDone(method::RunContext& context, trace::Module module, int layer,
                                    const ConstTensorView& output) override;
    // Internal when the second look found every module's output finite: then a step cache's stand-in was not.
    [[nodiscard]] Result<bool> passDone(method::RunContext& context, const ConstTensorView& velocity) override;

    // What was read so far, handed over; the recorder is empty afterwards.
    [[nodiscard]] trace::ProbeData take();
    // What take() gave, back again: for a look at it while the run goes on.
    void giveBack(trace::ProbeData&& data);
    // After a dry run. InvalidArgument, naming what takes most, when it exceeds kMostProbeBytes.
    [[nodiscard]] Result<job::ProbePlan> forecast() const;

 private:
    // What a call computed: its mask on the host, and its keys as the device finds them.
    struct Executed {
        ExecutedMask mask;
        backend::SeenKeys seen;                   // in m_seenTensors
        std::vector<std::int32_t> lists, counts;  // what was uploaded there
        std::vector<std::uint8_t> orders;
        bool isShared = true;  // one mask for all heads
    };
    // What was computed in a call.
    struct Masks {
        std::optional<Executed> ofAll;
        // Of heads painted by hand; none: in tiles of another kind, which are not recorded.
        std::map<std::int64_t, std::optional<Executed>> painted;
        // What a head computed; null: everything.
        [[nodiscard]] const Executed* executedIn(std::int64_t head) const;
        [[nodiscard]] bool isOneForAll() const;  // one record stands for every head
    };
    // Whose tiles the run's masks are recorded in.
    enum class TilesOf : std::uint8_t { Nobody, Painted, Method };
    ProbeRecorder(backend::Device& device, backend::Ops& ops, ProbeSetup setup);
    [[nodiscard]] bool wants(job::Probe probe) const { return m_setup.selection.has(probe); }
    [[nodiscard]] bool isChosen(const method::RunContext& context, int layer) const;
    [[nodiscard]] bool readsChange(int layer) const;
    void chooseSamples();
    void chooseChangeLayers(std::int64_t outputBytes);
    // Counts `records` of a kind on a Meta device.
    void count(trace::ProbeKind kind, std::int64_t records);
    [[nodiscard]] trace::ProbeTable& table(trace::ProbeKind kind);
    [[nodiscard]] trace::ProbeSite siteOf(const method::RunContext& context, int layer,
                                          std::int64_t head = -1) const;

    [[nodiscard]] Status recordLists(method::RunContext& context, const method::SelfAttentionCall& call,
                                     const backend::TokenBlocks& blocks, const backend::BlockLists& lists,
                                     ExecutedMask::Tiles tiles);
    void recordMasks(const trace::ProbeSite& site, const Masks& masks);
    void recordMask(trace::ProbeSite site, std::int64_t head, const ExecutedMask& mask);
    // Uploads the lists [1, heads or 1, rows, entries] of a head, or of all (-1).
    [[nodiscard]] Status placeLists(Executed& executed, const backend::TokenBlocks& blocks, const Shape& shape,
                                    std::int64_t head);
    void recordOperands(const method::RunContext& context, const method::SelfAttentionCall& call,
                        std::span<const float> queries, std::span<const float> keys);
    // False: the run's masks are in other tiles, and this one leaves no record.
    [[nodiscard]] bool settleTiles(const trace::MaskTiles& tiles, TilesOf from);
    void countMasks();
    // --- rows of attention: probe_rows.cpp
    // What is made of some rows, besides the chosen ones themselves.
    struct Wanted {
        bool sums = false, kept = false;
    };
    // Floats on their way from the device.
    class Fetched {
     public:
        void begin(backend::Ops& ops, const TensorView& view);
        // Once; waits. Empty when nothing was begun.
        [[nodiscard]] std::vector<float> take();

     private:
        std::unique_ptr<backend::PendingDownload> m_copy;
        std::size_t m_count = 0;
    };
    // What a batch of rows came to, group behind group, [heads, queries of the group, each] in every one.
    struct RowBatch {
        std::vector<std::int32_t> queries;
        std::size_t group = 0;
        Wanted wanted;
        Fetched sums, entropies, masses;
    };
    // What is to be recorded of a call.
    struct Reading {
        trace::ProbeSite site;
        Masks masks;
        std::vector<AttentionSummary> heads;  // of the batches that came; empty: no rows were asked for
        std::deque<RowBatch> batches;         // on their way, kMostPending at most
        Fetched columns;                      // [heads, tokens]; empty: nobody asked
    };
    struct HeatReading {
        trace::ProbeSite site;
        std::unique_ptr<backend::PendingDownload> heat;
    };
    struct GateReading {
        trace::ProbeSite site;
        float scale = 1.0F;  // lambda
        std::int64_t tokens = 0;
        Fetched gates;          // [tokens]; empty without
        Fetched sparse, added;  // Ops::difference() with each as `b`
    };
    [[nodiscard]] Status readRows(const method::RunContext& context, const method::SelfAttentionCall& call,
                                  Reading& reading);
    [[nodiscard]] Status readRows(const method::RunContext& context, const method::SelfAttentionCall& call,
                                  std::span<const std::int32_t> queries, Wanted wanted, Reading& reading);
    [[nodiscard]] Status readBatch(const method::RunContext& context, const method::SelfAttentionCall& call,
                                   std::span<const std::int32_t> queries, Wanted wanted, Reading& reading);
    [[nodiscard]] Status readColumns(Reading& reading);
    // Records what the last calls came to. Called when the next one is looked at, before the device is waited for,
    // so that it has work meanwhile, and before anybody sees the tables.
    void finishEverything();
    void finishReading();  // all but the gate, which is of the call under way when its attention is done
    void finishHeat();
    void finishGate();
    // Waits for the oldest batch on its way.
    static void addOldest(Reading& reading, const Masks& masks);
    void recordSummaries(const Reading& reading);
    // rows [heads, queries, keys] into sums [heads, queries, sums], and onto the columns of all rows.
    [[nodiscard]] Status sumRows(const TensorView& rows, const TensorView& sums);
    // rows [heads, queries, keys], masses [heads, queries]; of heads that computed everything nothing is written.
    void sumKept(const TensorView& rows, std::span<const std::int32_t> queries, const TensorView& masses);
    [[nodiscard]] Status appendRows(const method::RunContext& context, int layer,
                                    std::span<const std::int32_t> queries, const TensorView& rows);
    // How many queries to ask at a time, each over so many keys.
    [[nodiscard]] std::size_t rowsAtATime(std::int64_t keys) const;
    // How many queries' results, so many floats each, to fetch at a time: a whole number of groups.
    [[nodiscard]] static std::size_t batchOf(std::size_t group, std::int64_t floats);
    // Device memory of all this.
    [[nodiscard]] std::int64_t rowScratchBytes() const;
    // A scratch tensor of at least this many elements, seen in this shape.
    [[nodiscard]] Result<TensorView> scratch(backend::OwnedTensor& owned, const Shape& shape,
                                             DType dtype = DType::F32);
    // The view's values, there after the next synchronize().
    void fetch(const TensorView& view, std::vector<float>& values);
    void sumWords(const TensorView& means, const TensorView& heat);
    // Looks at nothing else while it searches for a number that is not finite.
    [[nodiscard]] Result<bool> isFinite(const ConstTensorView& view);
    [[nodiscard]] Error notFinite(const method::RunContext& context, const std::string& what) const;
    [[nodiscard]] Result<std::array<double, 4>> difference(const ConstTensorView& a, const ConstTensorView& b);
    // Mean squared difference over mean square of b, mean difference over mean size of b.
    [[nodiscard]] Result<std::array<float, 2>> relativeDifference(const ConstTensorView& a,
                                                                  const ConstTensorView& b);
    [[nodiscard]] Result<std::vector<float>> onHost(const ConstTensorView& view);

    backend::Device& m_device;
    backend::Ops& m_ops;
    ProbeSetup m_setup;
    bool m_isDry = false;
    bool m_isSearching = false;  // a pass is done again for the number that is not finite: nothing else is read
    std::vector<bool> m_steps, m_layers;
    std::vector<std::int32_t> m_samples;  // queries of maps and statistics, ascending
    TilesOf m_tilesOf = TilesOf::Nobody;
    Masks m_masks;                     // of the call under way
    std::optional<Reading> m_reading;  // of the last one, not recorded yet
    std::optional<HeatReading> m_heatReading;
    std::optional<GateReading> m_gateReading;
    struct SeenTensors {
        backend::OwnedTensor lists, counts, orders;
    };
    std::map<std::int64_t, SeenTensors> m_seenTensors;  // of painted heads, and of all others at -1
    std::map<trace::ProbeKind, trace::ProbeTable> m_tables;
    std::map<trace::ProbeKind, std::int64_t> m_counted;  // bytes, in a dry run
    // Outputs of the step before, by module and layer.
    struct Kept {
        backend::OwnedTensor output;
        int step = -1;
    };
    std::map<std::pair<trace::Module, int>, Kept> m_kept;
    std::vector<bool> m_changeLayers;  // empty until the first output
    std::int64_t m_keptBytes = 0;
    backend::OwnedTensor m_means;
    backend::OwnedTensor m_ones, m_gates;  // [1, tokens, 1]
    backend::OwnedTensor m_constants;  // [1, 1, channels + 1]: zeros and a one; none before a branch was looked at
    backend::OwnedTensor m_rows, m_columns;              // scratch for the largest group of rows
    backend::OwnedTensor m_sums, m_entropies, m_masses;  // and for what a batch of groups comes to
    backend::OwnedTensor m_allColumns;                   // the sums of all groups so far
    backend::OwnedTensor m_heat;                         // of every word
    bool m_columnsBegun = false;
    std::vector<float> m_hostRows;
};

}  // namespace fw::pipeline
