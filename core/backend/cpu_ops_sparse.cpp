// Sparse and linear attention on the CPU, and single rows of attention.
#include <array>
#include <cmath>
#include <vector>

#include "core/backend/cpu_ops.h"
#include "core/backend/cpu_views.h"
#include "kernels/cpu/attention_rows.h"
#include "kernels/cpu/block_selection.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/kept_mass.h"
#include "kernels/cpu/linear_attention.h"
#include "kernels/cpu/row_sums.h"
#include "kernels/cpu/sparse_attention.h"

namespace fw::backend {

namespace {

// q and k; v and out where they are given.
kernels::cpu::AttentionArgs selfOperands(const ConstTensorView& q, const ConstTensorView& k,
                                         const ConstTensorView& v, const TensorView& out) {
    kernels::cpu::AttentionArgs args;
    args.q = q.data();
    args.k = k.data();
    args.qBatch = q.stride(0), args.qToken = q.stride(1), args.qHead = q.stride(2);
    args.kBatch = k.stride(0), args.kToken = k.stride(1), args.kHead = k.stride(2);
    if (!v.isNone()) {
        args.v = v.data();
        args.vBatch = v.stride(0), args.vToken = v.stride(1), args.vHead = v.stride(2);
    }
    if (!out.isNone()) {
        args.out = out.mutableData();
        args.outBatch = out.stride(0), args.outToken = out.stride(1), args.outHead = out.stride(2);
    }
    args.batch = q.dim(0);
    args.queries = args.keys = q.dim(1);
    args.heads = q.dim(2);
    args.headDim = q.dim(3);
    args.element = elementOf(q);
    return args;
}

// One order for each batch and head; empty: frame-major everywhere.
std::vector<std::uint8_t> readOrders(const ConstTensorView& orders) {
    std::vector<std::uint8_t> result;
    if (orders.isNone()) {
        return result;
    }
    const auto* data = static_cast<const std::uint8_t*>(orders.data());
    for (std::int64_t b = 0; b < orders.dim(0); ++b) {
        for (std::int64_t h = 0; h < orders.dim(1); ++h) {
            const std::uint8_t order = data[b * orders.stride(0) + h * orders.stride(1)];
            FW_CHECK(order <= 1, "windowAttention: token order {} of head {}", order, h);
            result.push_back(order);
        }
    }
    return result;
}

// The tables that what a window shows refers to.
class WindowSequences {
 public:
    explicit WindowSequences(const WindowOptions& options)
        : m_options(options),
          m_orders(readOrders(options.orders)),
          m_tokens{makeOrder(options.grid, TokenOrder::FrameMajor),
                   makeOrder(options.grid, TokenOrder::TokenMajor)},
          m_tables{m_tokens[0].data(), m_tokens[1].data()},
          m_sinkSteps{1, options.grid.frames} {}
    WindowSequences(const WindowSequences&) = delete;
    WindowSequences& operator=(const WindowSequences&) = delete;

    // Without operands; the object and its options outlive what is returned.
    [[nodiscard]] kernels::cpu::WindowArgs args() const {
        kernels::cpu::WindowArgs args;
        args.sequences = {m_tables.data(), m_orders.empty() ? nullptr : m_orders.data()};
        args.window = m_options.window;
        args.sinkTokens = m_options.sinkFrame ? m_options.grid.plane() : 0;
        args.sinkSteps = m_sinkSteps.data();
        return args;
    }

 private:
    const WindowOptions& m_options;
    std::vector<std::uint8_t> m_orders;
    std::array<std::vector<std::int32_t>, 2> m_tokens;
    std::array<const std::int32_t*, 2> m_tables;
    std::array<std::int64_t, 2> m_sinkSteps;
};

// What lists show; without operands. `order` and the table outlive what is returned.
kernels::cpu::BlockSparseArgs listArgs(const BlockLists& lists, const BlockTable& table,
                                       const std::int32_t* const& order) {
    kernels::cpu::BlockSparseArgs args;
    args.sequences = {&order, nullptr};
    args.starts = table.starts.data();
    args.blocks = static_cast<std::int64_t>(table.starts.size()) - 1;
    args.lists = lists.blocks.as<std::int32_t>();
    args.counts = lists.counts.as<std::int32_t>();
    args.listBatch = lists.blocks.stride(0), args.listHead = lists.blocks.stride(1);
    args.listRow = lists.blocks.stride(2);
    args.countBatch = lists.counts.stride(0), args.countHead = lists.counts.stride(1);
    args.countRow = lists.counts.stride(2);
    return args;
}

}  // namespace

void* CpuOps::sparseScratch(const char* operation, std::int64_t bytes) {
    void* memory = m_attention.take(bytes);
    if (memory == nullptr) {
        note(fail(ErrorCode::OutOfMemory, "{}: {} bytes of scratch memory are needed", operation, bytes));
    }
    return memory;
}

void CpuOps::doWindowAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                               const TensorView& out, const WindowOptions& options) {
    const WindowSequences sequences(options);
    kernels::cpu::WindowArgs args = sequences.args();
    args.operands = selfOperands(q, k, v, out);
    args.operands.scale = options.scale;
    args.operands.threads = m_threads;
    args.operands.workspace = sparseScratch("windowAttention", kernels::cpu::windowWorkspaceBytes(args));
    if (args.operands.workspace != nullptr) {
        const int code = kernels::cpu::windowAttention(args);
        FW_CHECK(code == 0, "windowAttention of {} failed with code {}", q.text(), code);
    }
}

void CpuOps::doBlockSparseAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                    const TensorView& out, const BlockLists& lists,
                                    const BlockSparseOptions& options) {
    const BlockTable table = makeBlockTable(options.blocks);
    const std::int32_t* order = table.order.data();
    kernels::cpu::BlockSparseArgs args = listArgs(lists, table, order);
    args.operands = selfOperands(q, k, v, out);
    args.operands.scale = options.scale;
    args.operands.threads = m_threads;
    args.operands.workspace = sparseScratch("blockSparseAttention", kernels::cpu::blockSparseWorkspaceBytes(args));
    if (args.operands.workspace != nullptr) {
        const int code = kernels::cpu::blockSparseAttention(args);
        FW_CHECK(code == 0, "blockSparseAttention of {} failed with code {}", q.text(), code);
    }
}

void CpuOps::doSelectBlocks(const ConstTensorView& q, const ConstTensorView& k, const SelectOptions& options,
                            const BlockLists& lists) {
    const BlockTable table = makeBlockTable(options.blocks);
    const std::vector<std::int32_t> forced =
        options.sinkFrame ? options.blocks.firstFrameBlocks() : std::vector<std::int32_t>{};
    kernels::cpu::BlockSelectionArgs args;
    args.operands = selfOperands(q, k, {}, {});
    args.operands.threads = m_threads;
    args.order = table.order.data();
    args.starts = table.starts.data();
    args.blocks = static_cast<std::int64_t>(table.starts.size()) - 1;
    args.kept = options.kept;
    args.forced = forced.data();
    args.forcedCount = static_cast<std::int64_t>(forced.size());
    args.lists = lists.blocks.mutableAs<std::int32_t>();
    args.counts = lists.counts.mutableAs<std::int32_t>();
    args.listBatch = lists.blocks.stride(0), args.listHead = lists.blocks.stride(1);
    args.listRow = lists.blocks.stride(2);
    args.countBatch = lists.counts.stride(0), args.countHead = lists.counts.stride(1);
    args.countRow = lists.counts.stride(2);
    args.operands.workspace = sparseScratch("selectBlocks", kernels::cpu::blockSelectionWorkspaceBytes(args));
    if (args.operands.workspace != nullptr) {
        kernels::cpu::selectBlocks(args);
    }
}

void CpuOps::doChooseTokenOrders(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                 const WindowOptions& options, std::int64_t samples, const TensorView& orders) {
    kernels::cpu::OrderChoiceArgs args;
    args.operands = selfOperands(q, k, v, {});
    args.operands.scale = options.scale;
    args.operands.threads = m_threads;
    args.frames = options.grid.frames;
    args.window = options.window;
    args.sinkFrame = options.sinkFrame;
    args.samples = samples;
    args.choice = static_cast<std::uint8_t*>(orders.mutableData());
    args.choiceBatch = orders.stride(0), args.choiceHead = orders.stride(1);
    args.operands.workspace = sparseScratch("chooseTokenOrders", kernels::cpu::orderChoiceWorkspaceBytes(args));
    if (args.operands.workspace != nullptr) {
        kernels::cpu::chooseOrders(args);
    }
}

void CpuOps::doLinearAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                               const TensorView& out, const LinearAttentionOptions& options) {
    kernels::cpu::LinearAttentionArgs args;
    args.operands = selfOperands(q, k, v, out);
    args.operands.threads = m_threads;
    if (options.rope) {
        args.cosine = options.rope->cosine.as<float>();
        args.sine = options.rope->sine.as<float>();
        args.cosineRow = options.rope->cosine.stride(0);
        args.sineRow = options.rope->sine.stride(0);
    }
    args.eps = options.eps;
    args.operands.workspace = sparseScratch("linearAttention", kernels::cpu::linearAttentionWorkspaceBytes(args));
    if (args.operands.workspace != nullptr) {
        const int code = kernels::cpu::linearAttention(args);
        FW_CHECK(code == 0, "linearAttention of {} failed with code {}", q.text(), code);
    }
}

void CpuOps::doAttentionRows(const ConstTensorView& q, const ConstTensorView& k,
                             std::span<const std::int32_t> wanted, const AttentionRowOptions& options,
                             const TensorView& rows, const TensorView& entropies) {
    kernels::cpu::AttentionRowsArgs args;
    args.q = q.data();
    args.k = k.data();
    args.qToken = q.stride(1), args.qHead = q.stride(2);
    args.kToken = k.stride(1), args.kHead = k.stride(2);
    args.heads = q.dim(2);
    args.keys = k.dim(1);
    args.headDim = q.dim(3);
    args.element = elementOf(q);
    args.scale = options.scale;
    args.firstKeyBias = std::log(options.firstKeyWeight);
    args.wanted = wanted.data();
    args.rows = static_cast<std::int64_t>(wanted.size());
    args.out = rows.mutableAs<float>();
    args.entropies = entropies.mutableAs<float>();
    args.threads = m_threads;
    kernels::cpu::attentionRows(args);
}

void CpuOps::doRowSums(const ConstTensorView& rows, const TokenGrid& grid,
                       const std::array<std::int64_t, 3>& pooling, const TensorView& sums,
                       const TensorView& columns) {
    kernels::cpu::RowSumsArgs args;
    args.rows = rows.as<float>();
    args.heads = rows.dim(0);
    args.count = rows.dim(1);
    args.grid = {grid.frames, grid.height, grid.width};
    args.pool = pooling;
    args.sums = sums.mutableAs<float>();
    args.columns = columns.mutableAs<float>();
    args.threads = m_threads;
    kernels::cpu::rowSums(args);
}

void CpuOps::doKeptMass(const ConstTensorView& rows, std::span<const std::int32_t> queries, const SeenKeys& seen,
                        const TensorView& masses) {
    kernels::cpu::KeptMassArgs args;
    args.rows = rows.as<float>();
    args.heads = rows.dim(0);
    args.count = rows.dim(1);
    args.keys = rows.dim(2);
    args.queries = queries.data();
    args.masses = masses.mutableAs<float>();
    args.threads = m_threads;
    if (seen.areListed()) {
        const BlockTable table = makeBlockTable(seen.blocks);
        const std::int32_t* order = table.order.data();
        const kernels::cpu::BlockSparseArgs blocks = listArgs(seen.lists, table, order);
        args.blocks = &blocks;
        kernels::cpu::keptMass(args);
        return;
    }
    const WindowSequences sequences(seen.window);
    const kernels::cpu::WindowArgs window = sequences.args();
    args.window = &window;
    kernels::cpu::keptMass(args);
}

void CpuOps::doAddBranch(const TensorView& out, const ConstTensorView& branch, const BranchOptions& options) {
    kernels::cpu::BranchAddArgs args;
    args.extents = batchExtents(out);
    args.target = mutableBatchRows(out);
    args.branch = batchRows(branch);
    args.scale = options.scale;
    args.meanGate = options.gate == GateMode::Sample;
    if (options.gate != GateMode::None) {
        args.logits = options.logits.as<float>();
        args.logitBatchStride = options.logits.stride(0);
        args.logitRowStride = options.logits.stride(1);
    }
    kernels::cpu::branchAdd(args, m_threads);
}

}  // namespace fw::backend
