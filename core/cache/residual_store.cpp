#include "core/cache/residual_store.h"

#include "core/cache/site_store.h"

namespace fw::cache {

Result<ResidualStore> ResidualStore::create(DType dtype, const RunShape& shape, backend::Ops& ops,
                                            const KeptTensor::Allocate& allocate) {
    const Shape stream{1, shape.tokens, shape.width};
    ResidualStore store;
    FW_ASSIGN(store.m_before, allocate(DType::F32, stream));
    for (int branch = 0; branch < shape.branches; ++branch) {
        FW_ASSIGN(KeptTensor residual, KeptTensor::create(dtype, stream, ops, allocate));
        store.m_residuals.push_back(std::move(residual));
    }
    return store;
}

void ResidualStore::open(method::RunContext& context, const TensorView& x) {
    context.ops.copy(x, m_before);
}

void ResidualStore::close(method::RunContext& context, const TensorView& x) {
    const method::ModuleScope timed(context, trace::Module::Blocks);
    const std::array<backend::Ops::Term, 2> difference{{{1.0, x}, {-1.0, m_before}}};
    context.ops.linearCombination(difference, m_before);
    const auto branch = static_cast<std::size_t>(context.branch);
    m_residuals[branch].store(context, m_before);
    m_valid[branch] = true;
}

void ResidualStore::add(method::RunContext& context, const TensorView& x) const {
    FW_CHECK(has(context.branch), "branch {} has no residual", context.branch);
    // No forecast sees this taken: the blocks it stands for take more.
    const backend::ArenaScope scope(context.arena);
    context.ops.gatedAdd(x, m_residuals[static_cast<std::size_t>(context.branch)].load(context), {});
}

void ResidualStore::save(SavedState& state) const {
    for (std::size_t branch = 0; branch < m_residuals.size(); ++branch) {
        m_residuals[branch].save(fmt::format("residual.{}", branch), state);
    }
}

std::vector<job::ParameterSchema> residualParameters() {
    return {storeParameters().front()};
}

}  // namespace fw::cache
