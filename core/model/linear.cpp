#include "core/model/linear.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/model/adapter.h"
#include "core/model/weight_loader.h"

namespace fw::model {

using backend::Activation;
using backend::ArenaScope;

namespace {

// A and B of a whole matrix on the host: a change of one source has its columns of A and its rows of B, zeros
// elsewhere. Rank 0: nothing changes.
struct Pair {
    std::int64_t rank = 0;
    std::vector<float> down, up;  // [rank, in], [out, rank]; empty where only sizes are wanted
};

// Rows of A and of Bᵀ are filled up with zeros to 16 bytes in bf16, which is what tensor cores read at a time.
constexpr std::int64_t kRankMultiple = 8;

std::int64_t rankOf(const AdapterSet& adapters, const std::vector<Linear::Source>& sources) {
    std::int64_t rank = 0;
    for (const Linear::Source& source : sources) {
        for (const LowRank& change : adapters.changesOf(source.name)) {
            rank += change.down.dim(0);
        }
    }
    return (rank + kRankMultiple - 1) / kRankMultiple * kRankMultiple;
}

Pair joined(const AdapterSet& adapters, const std::vector<Linear::Source>& sources, std::int64_t in,
            std::int64_t out) {
    Pair pair{.rank = rankOf(adapters, sources), .down = {}, .up = {}};
    pair.down.resize(static_cast<std::size_t>(pair.rank * in));
    pair.up.resize(static_cast<std::size_t>(out * pair.rank));
    std::int64_t first = 0;
    for (const Linear::Source& source : sources) {
        for (const LowRank& change : adapters.changesOf(source.name)) {
            const std::vector<float> down = toFloats(change.down), up = toFloats(change.up);
            const std::int64_t rank = change.down.dim(0);
            for (std::int64_t r = 0; r < rank; ++r) {
                std::copy_n(down.begin() + r * source.columns, source.columns,
                            pair.down.begin() + (first + r) * in + source.firstColumn);
            }
            for (std::int64_t row = 0; row < source.rows; ++row) {
                for (std::int64_t r = 0; r < rank; ++r) {
                    pair.up[static_cast<std::size_t>((source.firstRow + row) * pair.rank + first + r)] =
                        static_cast<float>(change.scale *
                                           static_cast<double>(up[static_cast<std::size_t>(row * rank + r)]));
                }
            }
            first += rank;
        }
    }
    return pair;
}

}  // namespace

Status Linear::setBeside(const AdapterSet& adapters, backend::Device& device, backend::Ops& ops) {
    m_down.reset();
    m_up.reset();
    m_one = {};
    m_besideBytes = 0;
    const std::int64_t in = m_matrix->inFeatures, out = m_matrix->outFeatures;
    const std::int64_t rank = rankOf(adapters, m_sources);
    if (rank == 0) {
        return {};
    }
    const bool isMeta = ops.deviceKind() == DeviceKind::Meta;
    const Pair pair = isMeta ? Pair() : joined(adapters, m_sources, in, out);
    const DeviceKind place = isMeta ? DeviceKind::Meta : DeviceKind::Cpu;
    const ConstTensorView down(pair.down.data(), DType::F32, {rank, in}, place);
    const ConstTensorView up(pair.up.data(), DType::F32, {out, rank}, place);
    const float value = 1.0F;
    FW_ASSIGN(auto one, backend::createTensor(device, DType::F32, {1}));
    if (!isMeta) {
        ops.upload(ConstTensorView(&value, DType::F32, {1}), one.view);
        FW_TRY(ops.synchronize());
    }
    FW_ASSIGN(auto packedDown, ops.packLinear({{&down, 1}, {}}, m_matrix->compute));
    FW_ASSIGN(m_up, ops.packLinear({{&up, 1}, {}}, m_matrix->compute));
    m_down = std::move(packedDown);
    m_one = std::move(one);
    m_besideBytes =
        footprintOf(device, *m_down) + footprintOf(device, *m_up) + device.footprint(m_one.view.bytes());
    return {};
}

// y += (x Aᵀ) Bᵀ for some rows. x [1, N, in], y [1, N, out].
void Linear::addBeside(method::RunContext& context, const ConstTensorView& x, const TensorView& y) const {
    const ArenaScope scope(context.arena);
    const std::int64_t rows = x.dim(1);
    const TensorView narrow = context.arena.take(m_matrix->compute, {1, rows, m_down->outFeatures});
    const TensorView change = context.arena.take(m_matrix->compute, {1, rows, m_up->outFeatures});
    context.ops.linear(x, *m_down, narrow);
    context.ops.linear(narrow, *m_up, change);
    context.ops.gatedAdd(y, change, {});
}

void Linear::apply(method::RunContext& context, const ConstTensorView& x, const TensorView& y,
                   Activation activation) const {
    backend::Ops& ops = context.ops;
    if (m_down == nullptr) {
        ops.linear(x, *m_matrix, y, activation);
        return;
    }
    FW_CHECK(activation != Activation::Silu || y.dtype() == DType::F32, "silu of {}", y.text());
    const std::int64_t rows = x.count() / m_matrix->inFeatures, out = m_matrix->outFeatures;
    const ConstTensorView from = x.reshape({1, rows, m_matrix->inFeatures});
    const TensorView to = y.reshape({1, rows, out});
    const bool gelu = activation == Activation::GeluTanh;
    const ArenaScope scope(context.arena);
    // The activation comes after the sum. GELU alone is the gated unit with gates of one.
    TensorView gated;
    if (gelu) {
        gated = context.arena.take(y.dtype(), {1, std::min(rows, kBlockRows), 2 * out});
        const TensorView gates = gated.slice(2, out, 2 * out);
        ops.copy(m_one.view.broadcastTo(gates.shape()), gates);
    } else {
        ops.linear(from, *m_matrix, to);
    }
    for (std::int64_t first = 0; first < rows; first += kBlockRows) {
        const std::int64_t last = std::min(first + kBlockRows, rows);
        const ConstTensorView part = from.slice(1, first, last);
        const TensorView result = to.slice(1, first, last);
        if (gelu) {
            const TensorView block = gated.slice(1, 0, last - first);
            const TensorView sum = block.slice(2, 0, out);
            ops.linear(part, *m_matrix, sum);
            addBeside(context, part, sum);
            ops.gatedGelu(block, result);
        } else {
            addBeside(context, part, result);
        }
    }
    if (activation == Activation::Silu) {
        ops.silu(y, y);
    }
}

}  // namespace fw::model
