#include "core/backend/cpu_dnnl.h"

#include <omp.h>

#include "core/backend/cpu_memory.h"

namespace fw::backend {

using dnnl::memory;

ThreadScope::ThreadScope(int threads) : m_before(omp_get_max_threads()) {
    omp_set_num_threads(threads);
}
ThreadScope::~ThreadScope() {
    omp_set_num_threads(m_before);
}

memory::data_type dnnlType(DType dtype) {
    return dtype == DType::BF16 ? memory::data_type::bf16 : memory::data_type::f32;
}

dnnl::primitive_attr userScratchpad() {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attr;
}

bool hasFastBf16() {
    return dnnl::get_effective_cpu_isa() == dnnl::cpu_isa::avx512_core_amx;
}

Status checkCompute(const char* op, DType compute) {
    if (compute == DType::F32 || (compute == DType::BF16 && hasFastBf16())) {
        return {};
    }
    return fail(ErrorCode::Unsupported, "{} in {} is not supported on this processor; use f32", op,
                dtypeName(compute));
}

Status checkPacking(const char* what, std::int64_t bytes) {
    const std::int64_t free = readHostMemory().availableBytes;
    if (bytes <= free / 2) {
        return {};
    }
    return fail(ErrorCode::OutOfMemory, "{}: {} bytes of memory are needed, {} are free", what, 2 * bytes, free);
}

memory WeightLayouts::inLayout(const memory::desc& layout, const dnnl::engine& engine, dnnl::stream& stream) {
    const std::scoped_lock lock(m_mutex);
    for (const memory& variant : m_variants) {
        if (variant.get_desc() == layout) {
            return variant;
        }
    }
    memory variant(layout, engine);
    dnnl::reorder(m_variants.front(), variant).execute(stream, m_variants.front(), variant);
    stream.wait();
    m_variants.push_back(variant);
    return variant;
}

std::int64_t WeightLayouts::bytes() {
    const std::scoped_lock lock(m_mutex);
    std::int64_t total = 0;
    for (const memory& variant : m_variants) {
        total += static_cast<std::int64_t>(variant.get_desc().get_size());
    }
    return total;
}

}  // namespace fw::backend
