// What every model call needs besides its tensors.
#pragma once

#include "core/backend/arena.h"
#include "core/backend/ops.h"
#include "core/base/cancel.h"
#include "core/trace/trace.h"

namespace fw::cache {
class StepCache;
}

namespace fw::method {

class AttentionMethod;
class PaintedMasks;
class ProbeSink;

// What self-attention computed, and what dense attention would have: (query, key) pairs, and tiles of 64 × 64 of
// them that hold any, over heads and calls.
struct AttentionWork {
    std::int64_t pairs = 0, densePairs = 0;
    std::int64_t tiles = 0, denseTiles = 0;
};

// What the reading of probes has cost.
struct ProbeWork {
    std::int64_t us = 0, flops = 0, bytes = 0;
};

// Keys and values of a text for the cross-attention of every layer. They depend on neither step nor latents: a
// run's first pass computes them, the others read them.
struct TextKeys {
    TensorView values;  // as VideoTransformer::textKeys() says
    bool ready = false;
    std::int64_t flops = 0;  // that they took
};

// Borrowed for one run; all members outlive the calls. `trace` may be null: then nothing is timed.
struct RunContext {
    backend::Ops& ops;
    backend::Arena& arena;
    AttentionMethod& selfAttention;
    CancelToken cancel;
    trace::Trace* trace = nullptr;
    int step = -1;
    int branch = 0;
    AttentionWork attentionWork = {};   // since the context was made; methods add to it
    cache::StepCache* cache = nullptr;  // may be null: then everything is computed
    TextKeys* textKeys = nullptr;       // of this branch's text; null: computed in every pass
    ProbeSink* probes = nullptr;        // who looks inside; null: nobody, at no cost (probe_sink.h)
    PaintedMasks* painted = nullptr;    // heads whose masks were painted by hand; null: none (painted_masks.h)
    ProbeWork probeWork = {};           // since the context was made; no part of any module's row
};

// Times a module and counts its work into the run's trace; does nothing without one.
class ModuleScope {
 public:
    ModuleScope(RunContext& context, trace::Module module, int layer = -1);
    // Of something a step cache stands in for as a whole.
    ModuleScope(RunContext& context, trace::Module module, trace::Source source);
    ~ModuleScope();
    // Says that the module's result was not computed.
    void mark(trace::Source source) { m_row.source = source; }
    ModuleScope(const ModuleScope&) = delete;
    ModuleScope& operator=(const ModuleScope&) = delete;

 private:
    RunContext& m_context;
    trace::Row m_row;
    backend::OpCost m_before;
    AttentionWork m_workBefore;
    ProbeWork m_probesBefore;
};

}  // namespace fw::method
