// What every model call needs besides its tensors.
#pragma once

#include "core/backend/arena.h"
#include "core/backend/ops.h"
#include "core/base/cancel.h"
#include "core/trace/trace.h"

namespace fw::method {

class AttentionMethod;

// What self-attention computed, and what dense attention would have: (query, key) pairs, and tiles of 64 × 64 of
// them that hold any, over heads and calls.
struct AttentionWork {
    std::int64_t pairs = 0, densePairs = 0;
    std::int64_t tiles = 0, denseTiles = 0;
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
    AttentionWork attentionWork = {};  // since the context was made; methods add to it
};

// Times a module and counts its work into the run's trace; does nothing without one.
class ModuleScope {
 public:
    ModuleScope(RunContext& context, trace::Module module, int layer = -1);
    ~ModuleScope();
    ModuleScope(const ModuleScope&) = delete;
    ModuleScope& operator=(const ModuleScope&) = delete;

 private:
    RunContext& m_context;
    trace::Row m_row;
    backend::OpCost m_before;
    AttentionWork m_workBefore;
};

}  // namespace fw::method
