// What every model call needs besides its tensors.
#pragma once

#include "core/backend/arena.h"
#include "core/backend/ops.h"
#include "core/base/cancel.h"
#include "core/trace/trace.h"

namespace fw::method {

class AttentionMethod;

// Borrowed for one run; all members outlive the calls. `trace` may be null: then nothing is timed.
struct RunContext {
    backend::Ops& ops;
    backend::Arena& arena;
    AttentionMethod& selfAttention;
    CancelToken cancel;
    trace::Trace* trace = nullptr;
    int step = -1;
    int branch = 0;
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
};

}  // namespace fw::method
