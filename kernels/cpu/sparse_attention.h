// Attention of one token sequence with itself in which a query sees only some of the keys: chosen blocks of keys,
// or the keys within a window. Time and memory traffic grow with the keys kept. The tiles, the online softmax and
// the choice of the instruction set are those of attention.h.
//
// Tokens may be taken in another order than they lie in memory (a permutation given as a table): the tables are
// followed while keys are packed and queries loaded, and no operand is copied in the other order.
#pragma once

#include <cstdint>

#include "kernels/cpu/attention.h"

namespace fw::kernels::cpu {

// The orders a sequence is read in. tokens[s][i] is the token at position i of order s.
struct TokenSequences {
    const std::int32_t* const* tokens = nullptr;
    const std::uint8_t* of = nullptr;  // [batch * heads]: the order of each; nullptr: 0 for all
};

// Keys in whole blocks, chosen for each block of queries. Blocks are runs of positions of any length.
struct BlockSparseArgs {
    AttentionArgs operands;  // queries == keys, no bias, scale > 0
    TokenSequences sequences;
    const std::int32_t* starts =
        nullptr;  // [blocks + 1], increasing: block b is positions [starts[b], starts[b + 1])
    std::int64_t blocks = 0;
    // Key blocks of query block r: lists[r · listRow + i], i < counts[r · countRow]; no block twice. A query block
    // without any gets zeros.
    const std::int32_t* lists = nullptr;
    const std::int32_t* counts = nullptr;
    std::int64_t listBatch = 0, listHead = 0, listRow = 0;
    std::int64_t countBatch = 0, countHead = 0, countRow = 0;
};

// A query at position i sees the keys at positions j with |i - j| <= window, and the first `sinkTokens` tokens.
// As FlashAttention-2's local window: clipped at the ends, no wrap-around.
struct WindowArgs {
    AttentionArgs operands;  // queries == keys, no bias, scale > 0
    TokenSequences sequences;
    std::int64_t window = 0;
    std::int64_t sinkTokens = 0;
    const std::int64_t* sinkSteps = nullptr;  // per order: token t < sinkTokens stands at position t · step
};

// 64-byte aligned scratch memory operands.workspace must point to. Depends only on sizes and threads.
[[nodiscard]] std::int64_t blockSparseWorkspaceBytes(const BlockSparseArgs& args);
[[nodiscard]] std::int64_t windowWorkspaceBytes(const WindowArgs& args);

// 0, or -1: unsupported headDim, a list that names a block that is not there, or an operand out of range.
[[nodiscard]] int blockSparseAttention(const BlockSparseArgs& args);
[[nodiscard]] int windowAttention(const WindowArgs& args);

}  // namespace fw::kernels::cpu
