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
    m_row.startUs = context.ops.timestampUs() - context.trace->originUs;
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
    m_row.durationUs =
        m_context.ops.timestampUs() - m_context.trace->originUs - m_row.startUs - (probes.us - m_probesBefore.us);
    const backend::OpCost& after = m_context.ops.cost();
    m_row.flops = after.flops - m_before.flops - (probes.flops - m_probesBefore.flops);
    m_row.bytes = after.bytes - m_before.bytes - (probes.bytes - m_probesBefore.bytes);
    const AttentionWork& work = m_context.attentionWork;
    m_row.pairs = work.pairs - m_workBefore.pairs;
    m_row.densePairs = work.densePairs - m_workBefore.densePairs;
    m_row.tiles = work.tiles - m_workBefore.tiles;
    m_row.denseTiles = work.denseTiles - m_workBefore.denseTiles;
    m_context.trace->add(m_row);
}

}  // namespace fw::method
