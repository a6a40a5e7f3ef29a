// Checks and costs of the sparse and linear attention operations, and of looking into attention.
#include <algorithm>
#include <vector>

#include "core/backend/ops.h"
#include "core/backend/ops_checks.h"
#include "core/backend/token_scan.h"

namespace fw::backend {

namespace {

constexpr std::int64_t kFeatureFlops = 7;  // back from the rotation, rectified, rotated: per element of q and k
constexpr std::int64_t kGateFlops = 2;

void checkSelf(const char* op, const ConstTensorView& q, const ConstTensorView& k, std::int64_t tokens) {
    for (const auto& [name, view] : {std::pair<const char*, const ConstTensorView*>{"q", &q}, {"k", &k}}) {
        checkAct(op, name, *view);
        FW_CHECK(view->rank() == 4, "{}: {} is {}, [B, tokens, H, D] expected", op, name, view->text());
        FW_CHECK(view->dtype() == q.dtype(), "{}: {} is {}, q is {}", op, name, view->text(), q.text());
    }
    checkShape(op, "k", k, q.shape());
    FW_CHECK(q.dim(1) == tokens, "{}: q is {}, the grid has {} tokens", op, q.text(), tokens);
    FW_CHECK(q.dim(3) > 0 && q.dim(3) % 16 == 0 && q.dim(3) <= kMaxHeadDim,
             "{}: head width {}, a multiple of 16 up to {} expected", op, q.dim(3), kMaxHeadDim);
}

void checkValues(const char* op, const ConstTensorView& q, const ConstTensorView& v, const TensorView& out) {
    for (const auto& [name, view] : {std::pair<const char*, const ConstTensorView*>{"v", &v}, {"out", &out}}) {
        checkAct(op, name, *view);
        checkShape(op, name, *view, q.shape());
        FW_CHECK(view->dtype() == q.dtype(), "{}: {} is {}, q is {}", op, name, view->text(), q.text());
    }
}

void checkBlocks(const char* op, const TokenBlocks& blocks) {
    const bool boxes = blocks.tile[0] > 0 && blocks.tile[1] > 0 && blocks.tile[2] > 0;
    const bool runs = blocks.tile == std::array<std::int64_t, 3>{} && blocks.size > 0;
    FW_CHECK(boxes || runs, "{}: blocks of {} tokens, boxes of {} x {} x {}", op, blocks.size, blocks.tile[0],
             blocks.tile[1], blocks.tile[2]);
    for (std::size_t axis = 0; axis < 3; ++axis) {
        FW_CHECK(blocks.shift[axis] == 0 || (blocks.shift[axis] > 0 && blocks.shift[axis] < blocks.tile[axis]),
                 "{}: boxes of {} shifted by {}", op, blocks.tile[axis], blocks.shift[axis]);
    }
}

void checkOrders(const char* op, const WindowOptions& options, std::int64_t batch, std::int64_t heads) {
    if (!options.orders.isNone()) {
        checkShape(op, "orders", options.orders, {batch, heads});
        FW_CHECK(options.orders.dtype() == DType::U8, "{}: orders are {}, u8 expected", op, options.orders.text());
    }
}

void checkLists(const char* op, const BlockLists& lists, std::int64_t batch, std::int64_t heads,
                const TokenBlocks& blocks) {
    for (const ConstTensorView& view : {ConstTensorView(lists.blocks), ConstTensorView(lists.counts)}) {
        FW_CHECK(view.dtype() == DType::I32, "{}: lists are {}, i32 expected", op, view.text());
    }
    checkShape(op, "counts", lists.counts, {batch, heads, blocks.count()});
    FW_CHECK(lists.blocks.rank() == 4 && lists.blocks.dim(3) >= 1 &&
                 (lists.blocks.stride(3) == 1 || lists.blocks.dim(3) == 1),
             "{}: block lists are {}", op, lists.blocks.text());
    checkShape(op, "lists", lists.blocks, {batch, heads, blocks.count(), lists.blocks.dim(3)});
}

}  // namespace

namespace {

void checkBranch(const char* op, const TensorView& out, const ConstTensorView& branch,
                 const BranchOptions& options) {
    checkAct(op, "branch", branch);
    FW_CHECK(out.rank() == 3 && branch.dtype() == out.dtype(), "{}: {} onto {}, [B, N, C] expected", op,
             branch.text(), out.text());
    checkShape(op, "branch", branch, out.shape());
    if (options.gate != GateMode::None) {
        checkF32(op, "logits", options.logits);
        checkShape(op, "logits", options.logits, {out.dim(0), out.dim(1), 1});
    }
}

// [B, N, H, D] as [B, N, H·D].
TensorView withoutHeads(const TensorView& out) {
    FW_CHECK(out.stride(2) == out.dim(3) || out.dim(2) == 1, "heads of {} do not lie one behind the other",
             out.text());
    return {out.mutableData(),
            out.dtype(),
            {out.dim(0), out.dim(1), out.dim(2) * out.dim(3)},
            {out.stride(0), out.stride(1), 1},
            out.device()};
}

}  // namespace

void Ops::checkAdded(const char* op, const TensorView& out, const AddedBranch& added) {
    if (added.branch.isNone()) {
        return;
    }
    checkDevice(op, deviceKind(), {added.branch, added.options.logits});
    checkBranch(op, withoutHeads(out), added.branch, added.options);
    charge(kGateFlops * out.count(), {added.branch});
}

void Ops::finishAdded(const TensorView& out, const AddedBranch& added) {
    if (!added.branch.isNone() && !addsBranches()) {
        doAddBranch(withoutHeads(out), added.branch, added.options);
    }
}

void Ops::windowAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                          const TensorView& out, const WindowOptions& options) {
    const char* op = "windowAttention";
    checkDevice(op, deviceKind(), {q, k, v, out, options.orders});
    checkSelf(op, q, k, options.grid.tokens());
    checkValues(op, q, v, out);
    FW_CHECK(options.window >= 0 && options.scale > 0.0F, "{}: window {}, scale {}", op, options.window,
             options.scale);
    checkOrders(op, options, q.dim(0), q.dim(2));
    const KeptWork work = windowWork(options.grid, TokenOrder::FrameMajor, options.window, options.sinkFrame);
    charge(4 * work.pairs * q.dim(0) * q.dim(2) * q.dim(3), {q, k, v, out});
    checkAdded(op, out, options.added);
    if (out.count() > 0) {
        doWindowAttention(q, k, v, out, options);
        finishAdded(out, options.added);
    }
}

void Ops::blockSparseAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                               const TensorView& out, const BlockLists& lists, const BlockSparseOptions& options) {
    const char* op = "blockSparseAttention";
    checkDevice(op, deviceKind(), {q, k, v, out, lists.blocks, lists.counts});
    checkSelf(op, q, k, options.blocks.grid.tokens());
    checkValues(op, q, v, out);
    checkBlocks(op, options.blocks);
    checkLists(op, lists, q.dim(0), q.dim(2), options.blocks);
    FW_CHECK(options.scale > 0.0F && options.pairs >= 0, "{}: scale {}, {} pairs", op, options.scale,
             options.pairs);
    charge(4 * options.pairs * q.dim(0) * q.dim(2) * q.dim(3), {q, k, v, out});
    checkAdded(op, out, options.added);
    if (out.count() > 0) {
        doBlockSparseAttention(q, k, v, out, lists, options);
        finishAdded(out, options.added);
    }
}

void Ops::selectBlocks(const ConstTensorView& q, const ConstTensorView& k, const SelectOptions& options,
                       const BlockLists& lists) {
    const char* op = "selectBlocks";
    checkDevice(op, deviceKind(), {q, k, lists.blocks, lists.counts});
    checkSelf(op, q, k, options.blocks.grid.tokens());
    checkBlocks(op, options.blocks);
    checkLists(op, lists, q.dim(0), q.dim(2), options.blocks);
    const std::int64_t blocks = options.blocks.count();
    FW_CHECK(options.kept >= 1 && options.kept <= blocks && lists.blocks.dim(3) == options.kept,
             "{}: {} of {} blocks into lists {}", op, options.kept, blocks, lists.blocks.text());
    charge(q.count() + k.count() + 2 * q.dim(0) * q.dim(2) * q.dim(3) * blocks * blocks, {q, k});
    if (q.count() > 0) {
        doSelectBlocks(q, k, options, lists);
    }
}

void Ops::chooseTokenOrders(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                            const WindowOptions& options, std::int64_t samples, const TensorView& orders) {
    const char* op = "chooseTokenOrders";
    checkDevice(op, deviceKind(), {q, k, v, orders});
    checkSelf(op, q, k, options.grid.tokens());
    checkAct(op, "v", v);
    checkShape(op, "v", v, q.shape());
    FW_CHECK(v.dtype() == q.dtype() && samples >= 1 && options.window >= 0, "{}: v {}, {} samples, window {}", op,
             v.text(), samples, options.window);
    checkShape(op, "orders", orders, {q.dim(0), q.dim(2)});
    FW_CHECK(orders.dtype() == DType::U8, "{}: orders are {}, u8 expected", op, orders.text());
    // The scores, and the values for three results: dense, and windows of two orders.
    const std::int64_t rows = std::min(samples, q.dim(1)) * q.dim(0) * q.dim(2);
    charge(8 * rows * q.dim(1) * q.dim(3), {k, v});
    if (q.count() > 0) {
        doChooseTokenOrders(q, k, v, options, samples, orders);
    }
}

void Ops::linearAttention(const ConstTensorView& q, const ConstTensorView& k, const ConstTensorView& v,
                          const TensorView& out, const LinearAttentionOptions& options) {
    const char* op = "linearAttention";
    checkDevice(op, deviceKind(), {q, k, v, out});
    checkSelf(op, q, k, q.dim(1));
    checkValues(op, q, v, out);
    FW_CHECK(options.eps > 0.0F, "{}: eps {}", op, options.eps);
    if (options.rope) {
        for (const ConstTensorView& table : {options.rope->cosine, options.rope->sine}) {
            checkDevice(op, deviceKind(), {table});
            checkF32(op, "rope table", table);
            checkShape(op, "rope table", table, {q.dim(1), q.dim(3) / 2});
        }
        charge(2 * kFeatureFlops * q.count(), {options.rope->cosine, options.rope->sine});
    }
    // State and read-out: D multiply-adds for each element of v and of out; the normaliser: two for each of q and
    // k.
    charge(4 * q.count() * (q.dim(3) + 1), {q, k, v, out});
    if (out.count() > 0) {
        doLinearAttention(q, k, v, out, options);
    }
}

void Ops::addBranch(const TensorView& out, const ConstTensorView& branch, const BranchOptions& options) {
    const char* op = "addBranch";
    checkDevice(op, deviceKind(), {out, branch, options.logits});
    checkAct(op, "out", out);
    checkBranch(op, out, branch, options);
    charge(kGateFlops * out.count(), {out, branch, out});
    if (out.count() > 0) {
        doAddBranch(out, branch, options);
    }
}

void Ops::attentionRows(const ConstTensorView& q, const ConstTensorView& k, std::span<const std::int32_t> wanted,
                        const AttentionRowOptions& options, const TensorView& rows, const TensorView& entropies) {
    const char* op = "attentionRows";
    checkDevice(op, deviceKind(), {q, k, rows, entropies});
    checkAct(op, "q", q);
    checkAct(op, "k", k);
    FW_CHECK(q.rank() == 4 && q.dim(0) == 1 && k.rank() == 4 && k.dim(1) > 0 && q.dtype() == k.dtype() &&
                 options.scale > 0.0F,
             "{}: q {}, k {}, scale {}", op, q.text(), k.text(), options.scale);
    checkFirstKey(op, options.firstKeyWeight, options.scale);
    checkShape(op, "k", k, {1, k.dim(1), q.dim(2), q.dim(3)});
    for (const std::int32_t query : wanted) {
        FW_CHECK(query >= 0 && query < q.dim(1), "{}: query {} of {}", op, query, q.dim(1));
    }
    const auto count = static_cast<std::int64_t>(wanted.size());
    checkF32(op, "rows", rows);
    checkShape(op, "rows", rows, {q.dim(2), count, k.dim(1)});
    checkF32(op, "entropies", entropies);
    checkShape(op, "entropies", entropies, {q.dim(2), count});
    FW_CHECK(rows.isContiguous() && entropies.isContiguous(), "{}: rows {}", op, rows.text());
    charge(2 * rows.count() * q.dim(3), {k, rows});
    if (rows.count() > 0) {
        doAttentionRows(q, k, wanted, options, rows, entropies);
    }
}

void Ops::rowSums(const ConstTensorView& rows, const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling,
                  const TensorView& sums, const TensorView& columns) {
    const char* op = "rowSums";
    checkDevice(op, deviceKind(), {rows, sums, columns});
    for (const auto& [name, view] :
         {std::pair("rows", ConstTensorView(rows)), {"sums", sums}, {"columns", columns}}) {
        checkF32(op, name, view);
        FW_CHECK(view.isContiguous(), "{}: {} {}", op, name, view.text());
    }
    FW_CHECK(pooling[0] >= 1 && pooling[1] >= 1 && pooling[2] >= 1, "{}: boxes of {} x {} x {}", op, pooling[0],
             pooling[1], pooling[2]);
    FW_CHECK(rows.rank() == 3 && rows.dim(2) == grid.tokens(), "{}: rows {}, the grid has {} tokens", op,
             rows.text(), grid.tokens());
    const std::int64_t each = pooledGrid(grid, pooling).tokens() + grid.frames + grid.height + grid.width;
    checkShape(op, "sums", sums, {rows.dim(0), rows.dim(1), each});
    checkShape(op, "columns", columns, {rows.dim(0), rows.dim(2)});
    charge(3 * rows.count(), {rows, sums, columns});
    if (rows.count() > 0) {
        doRowSums(rows, grid, pooling, sums, columns);
    }
}

void Ops::keptMass(const ConstTensorView& rows, std::span<const std::int32_t> queries, const SeenKeys& seen,
                   const TensorView& masses) {
    const char* op = "keptMass";
    checkDevice(op, deviceKind(), {rows, masses});
    checkF32(op, "rows", rows);
    checkF32(op, "masses", masses);
    const std::int64_t tokens = (seen.areListed() ? seen.blocks.grid : seen.window.grid).tokens();
    const auto count = static_cast<std::int64_t>(queries.size());
    FW_CHECK(rows.rank() == 3 && rows.isContiguous() && masses.isContiguous(), "{}: rows {}, masses {}", op,
             rows.text(), masses.text());
    checkShape(op, "rows", rows, {rows.dim(0), count, tokens});
    checkShape(op, "masses", masses, {rows.dim(0), count});
    for (const std::int32_t query : queries) {
        FW_CHECK(query >= 0 && query < tokens, "{}: query {} of {}", op, query, tokens);
    }
    std::vector<std::int32_t> places(queries.begin(), queries.end());
    if (seen.areListed()) {
        checkDevice(op, deviceKind(), {seen.lists.blocks, seen.lists.counts});
        checkBlocks(op, seen.blocks);
        checkLists(op, seen.lists, 1, rows.dim(0), seen.blocks);
        std::transform(places.begin(), places.end(), places.begin(),
                       [&](std::int32_t query) { return static_cast<std::int32_t>(seen.blocks.blockOf(query)); });
    } else {
        checkDevice(op, deviceKind(), {seen.window.orders});
        FW_CHECK(seen.window.window >= 0, "{}: window {}", op, seen.window.window);
        checkOrders(op, seen.window, 1, rows.dim(0));
    }
    charge(rows.count(), {rows, masses});
    if (rows.count() > 0) {
        doKeptMass(rows, places, seen, masses);
    }
}

// Reached only when a back-end says that it has these operations and lacks one.
void Ops::doWindowAttention(const ConstTensorView& q, const ConstTensorView&, const ConstTensorView&,
                            const TensorView&, const WindowOptions&) {
    FW_CHECK(false, "windowAttention of {}: this back-end has no sparse attention", q.text());
}
void Ops::doBlockSparseAttention(const ConstTensorView& q, const ConstTensorView&, const ConstTensorView&,
                                 const TensorView&, const BlockLists&, const BlockSparseOptions&) {
    FW_CHECK(false, "blockSparseAttention of {}: this back-end has no sparse attention", q.text());
}
void Ops::doSelectBlocks(const ConstTensorView& q, const ConstTensorView&, const SelectOptions&,
                         const BlockLists&) {
    FW_CHECK(false, "selectBlocks of {}: this back-end has no sparse attention", q.text());
}
void Ops::doChooseTokenOrders(const ConstTensorView& q, const ConstTensorView&, const ConstTensorView&,
                              const WindowOptions&, std::int64_t, const TensorView&) {
    FW_CHECK(false, "chooseTokenOrders of {}: this back-end has no sparse attention", q.text());
}
void Ops::doLinearAttention(const ConstTensorView& q, const ConstTensorView&, const ConstTensorView&,
                            const TensorView&, const LinearAttentionOptions&) {
    FW_CHECK(false, "linearAttention of {}: this back-end has no linear attention", q.text());
}
void Ops::doAttentionRows(const ConstTensorView& q, const ConstTensorView&, std::span<const std::int32_t>,
                          const AttentionRowOptions&, const TensorView&, const TensorView&) {
    FW_CHECK(false, "attentionRows of {}: this back-end does not have it", q.text());
}
void Ops::doRowSums(const ConstTensorView& rows, const TokenGrid&, const std::array<std::int64_t, 3>&,
                    const TensorView&, const TensorView&) {
    FW_CHECK(false, "rowSums of {}: this back-end does not have it", rows.text());
}
void Ops::doKeptMass(const ConstTensorView& rows, std::span<const std::int32_t>, const SeenKeys&,
                     const TensorView&) {
    FW_CHECK(false, "keptMass of {}: this back-end does not have it", rows.text());
}
void Ops::doAddBranch(const TensorView& out, const ConstTensorView&, const BranchOptions&) {
    FW_CHECK(false, "addBranch onto {}: this back-end has no linear attention", out.text());
}

}  // namespace fw::backend
