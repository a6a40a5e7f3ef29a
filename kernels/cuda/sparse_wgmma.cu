// Sparse attention by wgmma: descriptions of the operands, which width and which tiles.
#include "kernels/cuda/sparse_wgmma.cuh"

namespace fw::kernels::cuda {

namespace {

struct OperandSpecs {
    TensorMapSpec q, k, v;
};

// Boxes of `rows` tokens.
OperandSpecs specsOf(const AttentionArgs& o, int rows) {
    return {{o.q, o.batch, o.queries, o.heads, o.headDim, o.qBatch, o.qToken, o.qHead, rows},
            {o.k, o.batch, o.keys, o.heads, o.headDim, o.kBatch, o.kToken, o.kHead, rows},
            {o.v, o.batch, o.keys, o.heads, o.headDim, o.vBatch, o.vToken, o.vHead, rows}};
}

bool describeRows(SparseMaps& maps, const OperandSpecs& specs) {
    return makeTensorMap(maps.q, specs.q) && makeTensorMap(maps.k, specs.k) && makeTensorMap(maps.v, specs.v);
}

bool describePlaces(SparseMaps& maps, const OperandSpecs& specs, std::int64_t frames) {
    return makePlacesMap(maps.placesQ, specs.q, frames) && makePlacesMap(maps.placesK, specs.k, frames) &&
           makePlacesMap(maps.placesV, specs.v, frames);
}

Code refused(Queue& queue) {
    return queue.fail(Code::Failed, "the driver refuses to describe an attention operand");
}

}  // namespace

Code wgmmaBlockSparse(Queue& queue, const BlockSparseArgs& args) {
    const bool large = args.cut.size % 128 == 0;
    SparseMaps maps{};
    if (!describeRows(maps, specsOf(args.operands, large ? 128 : 64))) {
        return refused(queue);
    }
    if (args.operands.headDim == 64) {
        return large ? wgmmaBlocks128Width64(queue, args, maps) : wgmmaBlocks64Width64(queue, args, maps);
    }
    return large ? wgmmaBlocks128Width128(queue, args, maps) : wgmmaBlocks64Width128(queue, args, maps);
}

Code wgmmaWindow(Queue& queue, const WindowArgs& args) {
    SparseMaps maps{};
    const OperandSpecs specs = specsOf(args.operands, 128);
    if (!describeRows(maps, specs) || (args.orders != nullptr && !describePlaces(maps, specs, args.frames))) {
        return refused(queue);
    }
    return args.operands.headDim == 64 ? wgmmaWindowWidth64(queue, args, maps)
                                       : wgmmaWindowWidth128(queue, args, maps);
}

}  // namespace fw::kernels::cuda
