// Who looks inside a run. The model and the attention methods tell what they are about to do or have done; what
// becomes of it is the sink's affair. A sink only reads: a run with probes gives the same bits as one without.
#pragma once

#include <array>
#include <vector>

#include "core/backend/ops.h"
#include "core/backend/token_scan.h"
#include "core/base/result.h"
#include "core/method/attention_method.h"
#include "core/method/run_context.h"

namespace fw::method {

// One head's mask, painted by hand, as it was computed.
struct PaintedHead {
    int head = 0;
    const backend::TokenBlocks& cut;
    const std::vector<std::vector<std::int32_t>>& rows;  // key blocks of each query block
};

// The dynamics of LinGen's scans in one layer, on the device; [D]: directions, forward first. Where they are tied,
// both directions name the same tensors.
struct ScanSeen {
    int layer = 0;
    backend::ScanOrder order = backend::ScanOrder::SRow;
    TokenGrid grid, reviewGrid;                         // no review tokens: an empty grid
    std::int64_t heads = 0;                             // of the scan
    bool reviewBothWays = false;                        // else the backward scan starts from nothing
    std::array<ConstTensorView, 2> steps, reviewSteps;  // f32 [1, N, S] and [1, R, S], before bias and softplus
    std::array<ConstTensorView, 2> stepBias, decay;     // f32 [S]; decay is the logarithm of -A
};

// The cross-attention of a layer, after normalisation.
struct TextAttention {
    ConstTensorView q, k;  // [1, N, H, D], [1, M, H, D] act
    backend::AttentionRowOptions options;
    std::int64_t firstToken = 0;  // the key of the text's first token; 1 where the first key is the padding's
};

class ProbeSink {
 public:
    virtual ~ProbeSink() = default;
    ProbeSink() = default;
    ProbeSink(const ProbeSink&) = delete;
    ProbeSink& operator=(const ProbeSink&) = delete;

    // --- told by attention methods, within attend()
    // Windowed attention was computed with these options.
    [[nodiscard]] virtual Status windowDone(RunContext& context, const SelfAttentionCall& call,
                                            const backend::WindowOptions& options) = 0;
    // Attention over these lists was computed.
    [[nodiscard]] virtual Status blocksDone(RunContext& context, const SelfAttentionCall& call,
                                            const backend::TokenBlocks& blocks,
                                            const backend::BlockLists& lists) = 0;
    // `branch` [B, N, C] act is about to be added to call.out, which holds the sparse part.
    [[nodiscard]] virtual Status branchReady(RunContext& context, const SelfAttentionCall& call,
                                             const ConstTensorView& branch,
                                             const backend::BranchOptions& options) = 0;

    // This head was computed again over a mask painted by hand; it holds instead of what was told before.
    [[nodiscard]] virtual Status maskPainted(RunContext& context, const SelfAttentionCall& call,
                                             const PaintedHead& painted) = 0;

    // --- told by the model
    // The scans of a layer are about to run.
    [[nodiscard]] virtual Status scanReady(RunContext& context, const ScanSeen& scan) = 0;
    // Whether what a step cache puts in the place of a module at this step should be compared with what the module
    // gives; layer -1: of all blocks. The model then computes both, and goes on with the stand-in.
    [[nodiscard]] virtual bool wantsStandIns(const RunContext& context, int layer) const = 0;
    // Both of equal shape, f32 or act.
    [[nodiscard]] virtual Status standInSeen(RunContext& context, trace::Module module, int layer,
                                             const ConstTensorView& standIn, const ConstTensorView& computed) = 0;
    // The model's own windows, as LinGen's, were computed: boxes whose borders move from layer to layer.
    [[nodiscard]] virtual Status ownWindowsDone(RunContext& context, const SelfAttentionCall& call,
                                                const backend::TokenBlocks& blocks,
                                                const backend::BlockLists& lists) = 0;
    // After attend(): queries and keys are as it saw them.
    [[nodiscard]] virtual Status attentionDone(RunContext& context, const SelfAttentionCall& call) = 0;
    [[nodiscard]] virtual Status crossAttention(RunContext& context, int layer, const TextAttention& seen) = 0;
    // What a module computed, before its gate: [1, N, d] f32.
    [[nodiscard]] virtual Status moduleDone(RunContext& context, trace::Module module, int layer,
                                            const ConstTensorView& output) = 0;

    // --- told by whoever runs passes
    // `velocity` [C, T, h, w] f32 is what the pass of context.branch came to. False: it holds a number that is not
    // finite, and the sink wants the same pass once more, computed throughout, to find the module; it then ends in
    // an error.
    [[nodiscard]] virtual Result<bool> passDone(RunContext& context, const ConstTensorView& velocity) = 0;
};

// Keeps what a sink does out of the rows of the modules around it, and gives it a row of its own. Made by sinks
// where they start to work.
class ProbeScope {
 public:
    ProbeScope(RunContext& context, int layer);
    ~ProbeScope();
    ProbeScope(const ProbeScope&) = delete;
    ProbeScope& operator=(const ProbeScope&) = delete;

 private:
    RunContext& m_context;
    trace::Row m_row;
    std::size_t m_begin = 0;
    backend::OpCost m_before;
};

// Something computed for comparison's sake alone: no cache, no other probes, no rows and no work of the run.
class Aside {
 public:
    explicit Aside(RunContext& context);
    ~Aside();
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

 private:
    RunContext& m_context;
    cache::StepCache* m_cache;
    trace::Trace* m_trace;
    ProbeSink* m_probes;
    AttentionWork m_work;
};

}  // namespace fw::method
