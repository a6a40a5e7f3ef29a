// Layer norm with a modulation or an affine map, with the gated addition in front of it when one is waiting.
#include "kernels/cuda/norm.cuh"

namespace fw::kernels::cuda {

namespace {

// Whether `addition` went into the rows that `args` is about to read.
bool isAdditionTo(const GatedAddArgs& addition, const LayerNormArgs& args) {
    const Rows& residual = addition.residual;
    return residual.data == args.x.data && residual.element == args.x.element &&
           residual.batchStride == args.x.batchStride && residual.rowStride == args.x.rowStride &&
           addition.extents.batch == args.extents.batch && addition.extents.rows == args.extents.rows &&
           addition.extents.channels == args.extents.channels && isVectorisable(args.y);
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
