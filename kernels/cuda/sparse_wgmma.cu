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

// Channel, frame, place, head, batch; token = frame · places + place.
GridMapSpec placesSpec(const TensorMapSpec& o, std::int64_t frames) {
    const std::int64_t places = o.tokens / frames;
    return {o.data,
            {o.width, frames, places, o.heads, o.batch},
            {places * o.tokenStride, o.tokenStride, o.headStride, o.batchStride},
            {static_cast<int>(frames), static_cast<int>(o.boxTokens / frames), 1, 1}};
}

// Channel, column, line, frame, head of one clip.
template <int kRows>
GridMapSpec boxesSpec(const TensorMapSpec& o, const BoxCut& boxes) {
    const auto part = BoxTiles<kRows>::partOf(boxes);
    const std::int64_t lines = boxes.grid[1];
    const std::int64_t columns = boxes.grid[2];
    return {o.data,
            {o.width, columns, lines, boxes.grid[0], o.heads},
            {o.tokenStride, columns * o.tokenStride, lines * columns * o.tokenStride, o.headStride},
            {part.columns, part.lines, part.frames, 1}};
}

template <class SpecOf>
bool describeGrid(SparseMaps& maps, const OperandSpecs& specs, const SpecOf& specOf) {
    return makeGridMap(maps.gridQ, specOf(specs.q)) && makeGridMap(maps.gridK, specOf(specs.k)) &&
           makeGridMap(maps.gridV, specOf(specs.v));
}

// Whether boxes fall into tiles of kRows places that are boxes themselves.
template <int kRows>
bool boxTilesApply(const BoxCut& boxes) {
    if (boxes.rows == nullptr || boxes.box[2] > kRows || kRows % boxes.box[2] != 0) {
        return false;
    }
    const auto part = BoxTiles<kRows>::partOf(boxes);
    return part.frames * part.lines * part.columns == kRows && boxes.box[1] % part.lines == 0 &&
           boxes.box[0] % part.frames == 0 && (part.frames == 1 || part.lines == boxes.box[1]);
}

Code refused(Queue& queue) {
    return queue.fail(Code::Failed, "the driver refuses to describe an attention operand");
}

Code wgmmaBoxes(Queue& queue, const BlockSparseArgs& args) {
    const BoxCut& boxes = args.cut.boxes;
    const bool large = boxTilesApply<128>(boxes);
    SparseMaps maps{};
    const bool described = describeGrid(
        maps, specsOf(args.operands, large ? 128 : 64),
        [&](const TensorMapSpec& o) { return large ? boxesSpec<128>(o, boxes) : boxesSpec<64>(o, boxes); });
    if (!described) {
        return refused(queue);
    }
    if (args.operands.headDim == 64) {
        return large ? wgmmaBoxes128Width64(queue, args, maps) : wgmmaBoxes64Width64(queue, args, maps);
    }
    return large ? wgmmaBoxes128Width128(queue, args, maps) : wgmmaBoxes64Width128(queue, args, maps);
}

}  // namespace

bool wgmmaBlockSparseApplies(const Queue& queue, const BlockSparseArgs& args) {
    if (!wgmmaAttentionApplies(queue, args.operands)) {
        return false;
    }
    if (args.cut.order == nullptr) {
        return args.cut.size % 64 == 0;
    }
    // A description has no dimension left for the batch.
    return args.operands.batch == 1 && (boxTilesApply<128>(args.cut.boxes) || boxTilesApply<64>(args.cut.boxes));
}

Code wgmmaBlockSparse(Queue& queue, const BlockSparseArgs& args) {
    if (args.cut.order != nullptr) {
        return wgmmaBoxes(queue, args);
    }
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
    const auto places = [&](const TensorMapSpec& o) { return placesSpec(o, args.frames); };
    if (!describeRows(maps, specs) || (args.orders != nullptr && !describeGrid(maps, specs, places))) {
        return refused(queue);
    }
    return args.operands.headDim == 64 ? wgmmaWindowWidth64(queue, args, maps)
                                       : wgmmaWindowWidth128(queue, args, maps);
}

}  // namespace fw::kernels::cuda
