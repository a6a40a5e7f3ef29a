// Layer norm with a modulation or an affine map, with the gated addition in front of it when one is waiting.
#include "kernels/cuda/norm.cuh"

namespace fw::kernels::cuda {

namespace {

// Bytes from the first row's begin to the last row's end.
struct Span {
    std::uintptr_t begin, end;
};
template <class AnyRows>
Span spanOf(const AnyRows& rows, const RowExtents& extents) {
    const std::int64_t elements =
        (extents.batch - 1) * rows.batchStride + (extents.rows - 1) * rows.rowStride + extents.channels;
    const auto begin = reinterpret_cast<std::uintptr_t>(rows.data);
    return {begin, begin + static_cast<std::uintptr_t>(elements) * (rows.element == Element::F32 ? 4U : 2U)};
}

// The memory of what was added may already belong to the norm's result: its owner only knows of calls, not of
// waiting.
bool isOverwritten(const GatedAddArgs& addition, const LayerNormArgs& args) {
    const Span delta = spanOf(addition.delta, addition.extents);
    const Span result = spanOf(args.y, args.extents);
    return delta.begin < result.end && result.begin < delta.end;
}

// Whether `addition` went into the rows that `args` is about to read.
bool isAdditionTo(const GatedAddArgs& addition, const LayerNormArgs& args) {
    const Rows& residual = addition.residual;
    return residual.data == args.x.data && residual.element == args.x.element &&
           residual.batchStride == args.x.batchStride && residual.rowStride == args.x.rowStride &&
           addition.extents.batch == args.extents.batch && addition.extents.rows == args.extents.rows &&
           addition.extents.channels == args.extents.channels && isVectorisable(args.y) &&
           LayerPolicy::vectorsAligned(args) && !isOverwritten(addition, args);
}

Code addLayerNorm(Queue& queue, const GatedAddArgs& addition, const LayerNormArgs& norm) {
    AddLayerArgs args{};
    static_cast<LayerNormArgs&>(args) = norm;
    args.addition = addition;
    return withAct(addition.delta.element, [&](auto td) {
        return withAct(norm.y.element, [&](auto ty) {
            Code code = Code::Unsupported;
            launchNormRegisters<AddLayerPolicy<decltype(td)>, float, decltype(ty)>(queue, args, code);
            return code;
        });
    });
}

}  // namespace

Code layerNorm(Queue* queue, const LayerNormArgs& args) {
    if (queue->additionWaits && isAdditionTo(queue->addition, args)) {
        queue->additionWaits = false;
        return addLayerNorm(*queue, queue->addition, args);
    }
    const Code code = runWaitingAddition(*queue);
    return code == Code::Ok ? launchNorm<LayerPolicy>(*queue, args, false) : code;
}

}  // namespace fw::kernels::cuda
