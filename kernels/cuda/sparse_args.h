// Arguments of the sparse and linear attention of api.h. Tables, lists and orders are in device memory: nothing is
// decided on the host, and no call waits for the device.
#pragma once

#include "kernels/cuda/api.h"

namespace fw::kernels::cuda {

// A grid of tokens in boxes of frames x height x width, numbered in that order. Box 0 begins at -before.
struct BoxCut {
    std::int32_t box[3], before[3], count[3], grid[3];  // count: boxes along each axis
    // [blocks, box volume]: the token at each place of a box, -1 outside of the clip; null: blocks are no boxes.
    const std::int32_t* rows;
};

// A sequence in blocks. Without tables block b is the run of tokens [b · size, (b + 1) · size).
struct TokenCut {
    const std::int32_t* order;   // [tokens]: the token at each position, or null: the position itself
    const std::int32_t* starts;  // [blocks + 1]: block b is the positions [starts[b], starts[b + 1]), or null
    std::int64_t blocks;
    std::int64_t size;  // the most tokens of a block
    BoxCut boxes;
};

// Strides of what there is for every batch, head and block of queries.
struct RowSteps {
    std::int64_t batch, head, row;
};

// target += scale · sigmoid(logit) · branch.
struct AddBranchArgs {
    RowExtents extents;
    Rows target;
    ConstRows branch;
    const float* logits;  // [batch, rows] by strides, or null: no gate
    std::int64_t logitBatch, logitRow;
    bool meanGate;       // one gate a batch, of the mean logit
    const float* gates;  // those, on the device; made by whoever computes, null before
    float scale;
};

// Softmax over the keys in the listed blocks: of query block r, lists[r · listSteps.row + i] for i < counts[r ·
// countSteps.row]. A query block without any gets zeros; a block number that does not exist is passed over.
struct BlockSparseArgs {
    AttentionArgs operands;  // queries == keys, no bias, scale > 0
    TokenCut cut;
    const std::int32_t *lists, *counts;
    RowSteps listSteps, countSteps;
    AddBranchArgs added;  // to the result, which is its target; without a branch nothing
};

// The orders tokens are read in: position = token, or position = place · frames + frame with token = frame · plane
// + place.
enum class Order : std::uint8_t { FrameMajor, TokenMajor };

// Softmax over the keys at most `window` positions away, and over the whole first frame with `sinkFrame`.
struct WindowArgs {
    AttentionArgs operands;  // queries == keys, no bias, scale > 0
    std::int64_t frames, window;
    bool sinkFrame;
    const std::uint8_t* orders;  // of each batch and head, or null: frame-major
    std::int64_t orderBatch, orderHead;
    AddBranchArgs added;  // see BlockSparseArgs
};

// masses[heads, count]: of rows [heads, count, keys], f32 and contiguous, the sum over the keys their queries see.
struct KeptMassArgs {
    const float* rows;
    std::int64_t heads, count, keys;
    const std::int32_t* queries;  // [count], host memory: the token of each, or the block when there are lists
    float* masses;
    bool byLists;
    BlockSparseArgs blocks;  // byLists: cut, lists and counts; operands are not looked at
    WindowArgs window;       // otherwise: frames, window, sink and orders
};

// The `kept` key blocks of the largest product of mean query and mean key, ascending; ties go to the lower block,
// NaN counts as the lowest. The first `forced` blocks are always among them, `kept` of them at most.
struct SelectBlocksArgs {
    AttentionArgs operands;  // q and k only
    TokenCut cut;
    std::int64_t kept, forced;
    std::int32_t *lists, *counts;
    RowSteps listSteps, countSteps;
};

// 1 where on `samples` queries a token-major window is nearer to dense attention than a frame-major one, else 0.
struct ChooseOrdersArgs {
    AttentionArgs operands;  // q, k, v
    std::int64_t frames, window;
    bool sinkFrame;
    std::int64_t samples;  // 1 … queries
    std::uint8_t* orders;
    std::int64_t orderBatch, orderHead;
};

// out_i = φ(q_i) Σ_j φ(k_j)ᵀ v_j / (ρ(q_i) · Σ_j ρ(k_j) + eps), as Ops::linearAttention.
struct LinearAttentionArgs {
    AttentionArgs operands;      // queries == keys; scale is not looked at; kernel: Auto, Simple, Mma or Wgmma
    const float *cosine, *sine;  // [tokens, headDim / 2], or null
    std::int64_t cosineRow, sineRow;
    float eps;
};

}  // namespace fw::kernels::cuda
