#include "core/method/painted_masks.h"

#include <algorithm>
#include <array>

#include "core/job/generation_request.h"
#include "core/method/probe_sink.h"

namespace fw::method {

PaintedMasks::PaintedMasks(const job::WhatIf& whatIf) {
    for (const job::Change& change : whatIf.changes) {
        for (const job::PaintedMask& mask : change.masks) {
            for (Painted& before : m_painted) {  // the same head, painted anew
                if (before.mask.layer == mask.layer && before.mask.head == mask.head) {
                    before.until = std::min(before.until, change.fromStep);
                }
            }
            m_painted.push_back({mask, change.fromStep, job::kMaxSteps});
        }
    }
}

Status PaintedMasks::prepare(const backend::Ops& ops, const TokenGrid& grid, std::int64_t layers,
                             std::int64_t heads) {
    for (Painted& painted : m_painted) {
        const job::PaintedMask& mask = painted.mask;
        if (!ops.supportsSparseAttention()) {
            return fail(ErrorCode::Unsupported,
                        "this device cannot compute painted masks yet; choose another device or leave them out");
        }
        if (mask.layer >= layers || mask.head >= heads) {
            return fail(
                ErrorCode::InvalidArgument,
                "a mask is painted for layer {}, head {}, but this model has layers 0 to {} and heads 0 to {}",
                mask.layer, mask.head, layers - 1, heads - 1);
        }
        painted.cut = {.grid = grid, .size = mask.size, .tile = mask.box, .shift = {}};
        const std::array<std::int64_t, 3> extents{grid.frames, grid.height, grid.width};
        for (std::size_t axis = 0; axis < 3; ++axis) {  // a box may be larger than the clip
            painted.cut.tile[axis] = std::min(mask.box[axis], extents[axis]);
        }
        if (static_cast<std::int64_t>(mask.rows.size()) != painted.cut.count()) {
            return fail(
                ErrorCode::InvalidArgument,
                "the mask painted for layer {}, head {} has {} rows, but this clip has {} tiles of that size",
                mask.layer, mask.head, mask.rows.size(), painted.cut.count());
        }
        painted.lists = makeHostLists(painted.cut, mask.rows);
    }
    return {};
}

Status PaintedMasks::paint(RunContext& context, const SelfAttentionCall& call) {
    for (const auto& [mask, from, until, cut, host] : m_painted) {
        if (mask.layer != call.layer || context.step < from || context.step >= until) {
            continue;
        }
        const backend::ArenaScope scope(context.arena);
        const auto ofHead = [&](const auto& view) { return view.slice(2, mask.head, mask.head + 1); };
        const ConstTensorView q = ofHead(call.q);
        const backend::BlockLists lists = uploadLists(context, host, q);
        context.ops.blockSparseAttention(q, ofHead(call.k), ofHead(call.v), ofHead(call.out), lists,
                                         {.scale = call.scale, .blocks = cut, .pairs = host.work.pairs});
        context.attentionWork.pairs += host.work.pairs * call.q.dim(0);
        context.attentionWork.tiles += host.work.tiles * call.q.dim(0);
        if (context.probes != nullptr) {
            FW_TRY(context.probes->maskPainted(context, call, {mask.head, cut, mask.rows}));
        }
    }
    return {};
}

Status paintOver(RunContext& context, const SelfAttentionCall& call) {
    return context.painted == nullptr ? Status() : context.painted->paint(context, call);
}

}  // namespace fw::method
