#include "core/cache/residual_store.h"

#include "core/cache/site_store.h"

namespace fw::cache {

Result<ResidualStore> ResidualStore::create(DType dtype, const RunShape& shape, const Allocate& allocate) {
    const Shape stream{1, shape.tokens, shape.width};
    ResidualStore store;
    FW_ASSIGN(store.m_before, allocate(DType::F32, stream));
    for (int branch = 0; branch < shape.branches; ++branch) {
        FW_ASSIGN(const TensorView residual, allocate(dtype, stream));
        store.m_residuals.push_back(residual);
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
    context.ops.copy(m_before, m_residuals[branch]);
    m_valid[branch] = true;
}

void ResidualStore::add(method::RunContext& context, const TensorView& x) const {
    FW_CHECK(has(context.branch), "branch {} has no residual", context.branch);
    context.ops.gatedAdd(x, m_residuals[static_cast<std::size_t>(context.branch)], {});
}

void ResidualStore::save(SavedState& state) const {
    for (std::size_t branch = 0; branch < m_residuals.size(); ++branch) {
        state.tensors.emplace_back(fmt::format("residual.{}", branch), m_residuals[branch]);
    }
}

std::vector<job::ParameterSchema> residualParameters() {
    return {storeParameters().front()};
}

}  // namespace fw::cache
