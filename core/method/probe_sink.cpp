#include "core/method/probe_sink.h"

#include <utility>

namespace fw::method {

ProbeScope::ProbeScope(RunContext& context, int layer)
    : m_context(context), m_begin(context.trace != nullptr ? context.ops.mark() : 0), m_before(context.ops.cost()) {
    m_row.step = context.step;
    m_row.branch = context.branch;
    m_row.layer = layer;
    m_row.module = trace::Module::Probe;
}

ProbeScope::~ProbeScope() {
    const backend::OpCost& after = m_context.ops.cost();
    m_row.flops = after.flops - m_before.flops;
    m_row.bytes = after.bytes - m_before.bytes;
    m_context.probeWork.flops += m_row.flops;
    m_context.probeWork.bytes += m_row.bytes;
    if (m_context.trace != nullptr) {
        m_context.untimed.addProbe(m_row, {m_begin, m_context.ops.mark()});
    }
}

Aside::Aside(RunContext& context)
    : m_context(context),
      m_cache(std::exchange(context.cache, nullptr)),
      m_trace(std::exchange(context.trace, nullptr)),
      m_probes(std::exchange(context.probes, nullptr)),
      m_work(context.attentionWork) {}

Aside::~Aside() {
    m_context.cache = m_cache;
    m_context.trace = m_trace;
    m_context.probes = m_probes;
    m_context.attentionWork = m_work;
}

}  // namespace fw::method
