#include "core/method/run_context.h"

namespace fw::method {

ModuleScope::ModuleScope(RunContext& context, trace::Module module, int layer) : m_context(context) {
    if (context.trace == nullptr) {
        return;
    }
    m_row.step = context.step;
    m_row.branch = context.branch;
    m_row.layer = layer;
    m_row.module = module;
    m_begin = context.ops.mark();
    m_probesBegin = context.untimed.probes();
    m_before = context.ops.cost();
    m_workBefore = context.attentionWork;
    m_probesBefore = context.probeWork;
}

ModuleScope::ModuleScope(RunContext& context, trace::Module module, trace::Source source)
    : ModuleScope(context, module) {
    mark(source);
}

ModuleScope::~ModuleScope() {
    if (m_context.trace == nullptr) {
        return;
    }
    const ProbeWork& probes = m_context.probeWork;
    const backend::OpCost& after = m_context.ops.cost();
    m_row.flops = after.flops - m_before.flops - (probes.flops - m_probesBefore.flops);
    m_row.bytes = after.bytes - m_before.bytes - (probes.bytes - m_probesBefore.bytes);
    const AttentionWork& work = m_context.attentionWork;
    m_row.pairs = work.pairs - m_workBefore.pairs;
    m_row.densePairs = work.densePairs - m_workBefore.densePairs;
    m_row.tiles = work.tiles - m_workBefore.tiles;
    m_row.denseTiles = work.denseTiles - m_workBefore.denseTiles;
    m_context.untimed.add(m_row, {m_begin, m_context.ops.mark()}, m_probesBegin);
}

void UntimedRows::settle(backend::Ops& ops, trace::Trace& trace) {
    if (m_rows.empty()) {
        return;
    }
    const std::vector<std::int64_t> times = ops.markedTimes();
    const auto length = [&](const Span& span) { return times[span.end] - times[span.begin]; };
    for (Untimed& untimed : m_rows) {
        untimed.row.startUs = times[untimed.span.begin] - trace.originUs;
        untimed.row.durationUs = length(untimed.span);
        for (std::size_t i = untimed.probesBefore; i < untimed.probesBehind; ++i) {
            untimed.row.durationUs -= length(m_probes[i]);
        }
        trace.add(untimed.row);
    }
    m_rows.clear();
    m_probes.clear();
}

SettledTrace::~SettledTrace() {
    if (m_context.trace != nullptr) {
        m_context.untimed.settle(m_context.ops, *m_context.trace);
    }
}

}  // namespace fw::method
