#include "core/cache/kept_tensor.h"

#include "core/backend/packed_rows.h"

namespace fw::cache {

namespace {

backend::PacksRows& packing(backend::Ops& ops) {
    auto* packs = dynamic_cast<backend::PacksRows*>(&ops);
    FW_CHECK(packs != nullptr, "a queue that packs no rows");
    return *packs;
}

Shape rowsOf(const Shape& shape) {
    return {shape[0], shape[1]};
}

}  // namespace

std::int64_t KeptTensor::bytesOf(DType dtype, const Shape& shape) {
    const std::int64_t scales = dtype == DType::F8E4M3 ? rowsOf(shape).product() * dtypeSize(DType::F32) : 0;
    return shape.product() * dtypeSize(dtype) + scales;
}

Result<KeptTensor> KeptTensor::create(DType dtype, const Shape& shape, backend::Ops& ops,
                                      const Allocate& allocate) {
    KeptTensor kept;
    if (dtype != DType::F8E4M3) {
        FW_ASSIGN(kept.m_values, allocate(dtype, shape));
        return kept;
    }
    if (dynamic_cast<backend::PacksRows*>(&ops) == nullptr) {
        return fail(ErrorCode::Unsupported, "this device keeps nothing in fp8; choose precision=bf16");
    }
    FW_ASSIGN(kept.m_values, allocate(DType::U8, shape));
    FW_ASSIGN(kept.m_scales, allocate(DType::F32, rowsOf(shape)));
    return kept;
}

void KeptTensor::store(method::RunContext& context, const ConstTensorView& x) const {
    if (m_scales.isNone()) {
        context.ops.copy(x, m_values);
    } else {
        packing(context.ops).packRows(x, m_values, m_scales);
    }
}

TensorView KeptTensor::load(method::RunContext& context) const {
    if (m_scales.isNone()) {
        return m_values;
    }
    const TensorView wide = context.arena.take(DType::BF16, m_values.shape());
    packing(context.ops).unpackRows(m_values, m_scales, wide);
    return wide;
}

void KeptTensor::save(const std::string& name, SavedState& state) const {
    state.tensors.emplace_back(name, m_values);
    if (!m_scales.isNone()) {
        state.tensors.emplace_back(name + ".scales", m_scales);
    }
}

}  // namespace fw::cache
