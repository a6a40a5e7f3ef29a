// What every model call needs besides its tensors.
#pragma once

#include <cstddef>
#include <vector>

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
    std::int64_t flops = 0, bytes = 0;
};

// Keys and values of a text for the cross-attention of every layer. They depend on neither step nor latents: a
// run's first pass computes them, the others read them.
struct TextKeys {
    TensorView values;  // as VideoTransformer::textKeys() says
    bool ready = false;
    std::int64_t flops = 0;  // that they took
};

// What a trace is to hold of the work queued so far, until the queue tells how long it took.
class UntimedRows {
 public:
    // Points that Ops::mark() gave.
    struct Span {
        std::size_t begin = 0, end = 0;
    };
    // `row`'s times are those of the span without what was spent on probes since `probesBefore`.
    void add(const trace::Row& row, Span span, std::size_t probesBefore) {
        m_rows.push_back({row, span, probesBefore, m_probes.size()});
    }
    void addProbe(const trace::Row& row, Span span) {
        m_rows.push_back({row, span, m_probes.size(), m_probes.size()});
        m_probes.push_back(span);
    }
    [[nodiscard]] std::size_t probes() const { return m_probes.size(); }
    // Waits for the queue; afterwards the trace has all rows in the order in which they were added.
    void settle(backend::Ops& ops, trace::Trace& trace);

 private:
    struct Untimed {
        trace::Row row;
        Span span;
        std::size_t probesBefore = 0, probesBehind = 0;
    };
    std::vector<Untimed> m_rows;
    std::vector<Span> m_probes;
};

// Borrowed for one run; all members outlive the calls. `trace` may be null: then nothing is timed. Else whoever
// makes the context sees to it that `untimed` is settled: SettledTrace, or by hand before the trace is read.
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
    UntimedRows untimed = {};           // of `trace`
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
    std::size_t m_begin = 0, m_probesBegin = 0;
    backend::OpCost m_before;
    AttentionWork m_workBefore;
    ProbeWork m_probesBefore;
};

// Brings what is untimed into the trace when a run ends, however it ends.
class SettledTrace {
 public:
    explicit SettledTrace(RunContext& context) : m_context(context) {}
    ~SettledTrace();
    SettledTrace(const SettledTrace&) = delete;
    SettledTrace& operator=(const SettledTrace&) = delete;

 private:
    RunContext& m_context;
};

}  // namespace fw::method
