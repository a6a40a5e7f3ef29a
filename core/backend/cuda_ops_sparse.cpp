// Sparse and linear attention on a GPU. Nothing here waits for the device: lists and orders are read where they
// are.
#include <algorithm>

#include "core/backend/cuda_ops.h"
#include "core/backend/cuda_views.h"
#include "kernels/cuda/sparse_args.h"

namespace fw::backend {

namespace cuda = kernels::cuda;

namespace {

// q and k; v and out where they are given.
cuda::AttentionArgs selfOperands(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                 const TensorView& out) {
    cuda::AttentionArgs args{};
    args.batch = q.dim(0);
    args.queries = args.keys = q.dim(1);
    args.heads = q.dim(2);
    args.headDim = q.dim(3);
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
    args.element = cudaElement(q.dtype());
    args.kernel = cuda::AttentionKernel::Auto;
    return args;
}

cuda::RowSteps rowSteps(const ConstTensorView& view) {
    return {view.stride(0), view.stride(1), view.stride(2)};
}

// `out` [B, N, C], or [B, N, H, D] with its heads one behind the other.
cuda::AddBranchArgs branchArgs(const TensorView& out, const ConstTensorView& branch, const BranchOptions& options) {
    cuda::AddBranchArgs args{};
    args.extents = cudaBatchExtents(branch);
    args.target = cudaMutableBatchRows(out);
    args.branch = cudaBatchRows(branch);
    args.scale = options.scale;
    args.meanGate = options.gate == GateMode::Sample;
    if (options.gate != GateMode::None) {
        args.logits = options.logits.as<float>();
        args.logitBatch = options.logits.stride(0);
        args.logitRow = options.logits.stride(1);
    }
    return args;
}

cuda::AddBranchArgs addedArgs(const TensorView& out, const AddedBranch& added) {
    return added.branch.isNone() ? cuda::AddBranchArgs{} : branchArgs(out, added.branch, added.options);
}

// What a window shows; without operands.
cuda::WindowArgs windowArgs(const WindowOptions& options) {
    cuda::WindowArgs args{};
    args.frames = options.grid.frames;
    args.window = options.window;
    args.sinkFrame = options.sinkFrame;
    if (!options.orders.isNone()) {
        args.orders = static_cast<const std::uint8_t*>(options.orders.data());
        args.orderBatch = options.orders.stride(0);
        args.orderHead = options.orders.stride(1);
    }
    return args;
}

// What lists show; without operands and cut.
cuda::BlockSparseArgs listArgs(const BlockLists& lists) {
    cuda::BlockSparseArgs args{};
    args.lists = lists.blocks.as<std::int32_t>();
    args.counts = lists.counts.as<std::int32_t>();
    args.listSteps = rowSteps(lists.blocks);
    args.countSteps = rowSteps(lists.counts);
    return args;
}

// The boxes as the kernels count them; without their table of rows.
cuda::BoxCut boxCut(const TokenBlocks& blocks) {
    const std::array<std::int64_t, 3> extents{blocks.grid.frames, blocks.grid.height, blocks.grid.width};
    const auto along = blocks.tiles();
    cuda::BoxCut boxes{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        boxes.box[axis] = static_cast<std::int32_t>(blocks.tile[axis]);
        boxes.before[axis] =
            blocks.shift[axis] > 0 ? static_cast<std::int32_t>(blocks.tile[axis] - blocks.shift[axis]) : 0;
        boxes.count[axis] = static_cast<std::int32_t>(along[axis]);
        boxes.grid[axis] = static_cast<std::int32_t>(extents[axis]);
    }
    return boxes;
}

// The token at every place of every box, -1 outside of the clip.
std::vector<std::int32_t> rowsOfBoxes(const cuda::BoxCut& boxes) {
    std::vector<std::int32_t> rows;
    const std::int32_t blocks = boxes.count[0] * boxes.count[1] * boxes.count[2];
    for (std::int32_t block = 0; block < blocks; ++block) {
        const std::int32_t first[3] = {
            block / (boxes.count[1] * boxes.count[2]) * boxes.box[0] - boxes.before[0],
            block / boxes.count[2] % boxes.count[1] * boxes.box[1] - boxes.before[1],
            block % boxes.count[2] * boxes.box[2] - boxes.before[2],
        };
        for (std::int32_t t = first[0]; t < first[0] + boxes.box[0]; ++t) {
            for (std::int32_t y = first[1]; y < first[1] + boxes.box[1]; ++y) {
                for (std::int32_t x = first[2]; x < first[2] + boxes.box[2]; ++x) {
                    const bool exists =
                        t >= 0 && t < boxes.grid[0] && y >= 0 && y < boxes.grid[1] && x >= 0 && x < boxes.grid[2];
                    rows.push_back(exists ? (t * boxes.grid[1] + y) * boxes.grid[2] + x : -1);
                }
            }
        }
    }
    return rows;
}

}  // namespace

const CudaBlockTable* CudaOps::blockTable(const TokenBlocks& blocks) {
    constexpr std::size_t kMostTables = 8;  // a run uses one or two cuts
    const auto known =
        std::find_if(m_tables.begin(), m_tables.end(), [&](const auto& table) { return table->blocks == blocks; });
    if (known != m_tables.end()) {
        return known->get();
    }
    if (m_tables.size() == kMostTables) {
        note(synchronize());  // queued work may still read the oldest
        m_tables.erase(m_tables.begin());
    }
    auto table = std::make_unique<CudaBlockTable>();
    table->blocks = blocks;
    table->host = makeBlockTable(blocks);
    table->hostRows = rowsOfBoxes(boxCut(blocks));
    const auto place = [&](const std::vector<std::int32_t>& host) -> std::unique_ptr<Buffer> {
        const auto bytes = static_cast<std::int64_t>(host.size() * sizeof(std::int32_t));
        auto buffer = allocateCuda(m_library, m_device, bytes);
        if (!buffer) {
            note(Status(tl::make_unexpected(std::move(buffer).error())));
            return nullptr;
        }
        note(api().upload(m_queue, host.data(), (*buffer)->data(), bytes));
        return std::move(*buffer);
    };
    table->order = place(table->host.order);
    table->starts = place(table->host.starts);
    table->rows = place(table->hostRows);
    if (!table->order || !table->starts || !table->rows) {
        return nullptr;
    }
    m_tables.push_back(std::move(table));
    return m_tables.back().get();
}

bool CudaOps::cutInto(const TokenBlocks& blocks, cuda::TokenCut& cut) {
    cut = {};
    cut.blocks = blocks.count();
    cut.size = blocks.size;
    if (!blocks.isTiled()) {
        return true;
    }
    const CudaBlockTable* table = blockTable(blocks);
    if (table == nullptr) {
        return false;
    }
    cut.order = static_cast<const std::int32_t*>(table->order->data());
    cut.starts = static_cast<const std::int32_t*>(table->starts->data());
    cut.boxes = boxCut(blocks);
    cut.boxes.rows = static_cast<const std::int32_t*>(table->rows->data());
    const std::array<std::int64_t, 3> extents{blocks.grid.frames, blocks.grid.height, blocks.grid.width};
    cut.size = 1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        cut.size *= std::min(blocks.tile[axis], extents[axis]);
    }
    return true;
}

void CudaOps::doWindowAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                const TensorView& out, const WindowOptions& options) {
    cuda::WindowArgs args = windowArgs(options);
    args.operands = selfOperands(q, k, v, out);
    args.operands.scale = options.scale;
    args.added = addedArgs(out, options.added);
    note(api().windowAttention(m_queue, args));
}

void CudaOps::doBlockSparseAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                     const TensorView& out, const BlockLists& lists,
                                     const BlockSparseOptions& options) {
    cuda::BlockSparseArgs args = listArgs(lists);
    args.operands = selfOperands(q, k, v, out);
    args.operands.scale = options.scale;
    args.added = addedArgs(out, options.added);
    if (cutInto(options.blocks, args.cut)) {
        note(api().blockSparseAttention(m_queue, args));
    }
}

void CudaOps::doKeptMass(const ConstTensorView& rows, std::span<const std::int32_t> queries, const SeenKeys& seen,
                         const TensorView& masses) {
    cuda::KeptMassArgs args{};
    args.rows = rows.as<float>();
    args.heads = rows.dim(0);
    args.count = rows.dim(1);
    args.keys = rows.dim(2);
    args.queries = queries.data();
    args.masses = masses.mutableAs<float>();
    args.byLists = seen.areListed();
    if (!args.byLists) {
        args.window = windowArgs(seen.window);
        note(api().keptMass(m_queue, args));
        return;
    }
    args.blocks = listArgs(seen.lists);
    if (cutInto(seen.blocks, args.blocks.cut)) {
        note(api().keptMass(m_queue, args));
    }
}

void CudaOps::doSelectBlocks(const ConstTensorView& q, const ConstTensorView& k, const SelectOptions& options,
                             const BlockLists& lists) {
    cuda::SelectBlocksArgs args{};
    args.operands = selfOperands(q, k, {}, {});
    args.kept = options.kept;
    // The blocks of the first frame are the first blocks.
    args.forced =
        options.sinkFrame ? static_cast<std::int64_t>(options.blocks.firstFrameBlocks().size()) : std::int64_t{0};
    args.lists = lists.blocks.mutableAs<std::int32_t>();
    args.counts = lists.counts.mutableAs<std::int32_t>();
    args.listSteps = rowSteps(lists.blocks);
    args.countSteps = rowSteps(lists.counts);
    if (cutInto(options.blocks, args.cut)) {
        note(api().selectBlocks(m_queue, args));
    }
}

void CudaOps::doChooseTokenOrders(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                  const WindowOptions& options, std::int64_t samples, const TensorView& orders) {
    cuda::ChooseOrdersArgs args{};
    args.operands = selfOperands(q, k, v, {});
    args.operands.scale = options.scale;
    args.frames = options.grid.frames;
    args.window = options.window;
    args.sinkFrame = options.sinkFrame;
    args.samples = std::min(samples, q.dim(1));
    args.orders = static_cast<std::uint8_t*>(orders.mutableData());
    args.orderBatch = orders.stride(0);
    args.orderHead = orders.stride(1);
    note(api().chooseOrders(m_queue, args));
}

void CudaOps::doLinearAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                                const TensorView& out, const LinearAttentionOptions& options) {
    cuda::LinearAttentionArgs args{};
    args.operands = selfOperands(q, k, v, out);
    if (options.rope) {
        args.cosine = options.rope->cosine.as<float>();
        args.sine = options.rope->sine.as<float>();
        args.cosineRow = options.rope->cosine.stride(0);
        args.sineRow = options.rope->sine.stride(0);
    }
    args.eps = options.eps;
    note(api().linearAttention(m_queue, args));
}

void CudaOps::doAddBranch(const TensorView& out, const ConstTensorView& branch, const BranchOptions& options) {
    note(api().addBranch(m_queue, branchArgs(out, branch, options)));
}

}  // namespace fw::backend
