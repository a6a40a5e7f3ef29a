// Choosing what sparse attention keeps.
#pragma once

#include <cstdint>

#include "kernels/cpu/attention.h"

namespace fw::kernels::cpu {

// The key blocks with the largest score for each block of queries, per batch and head. The score is the product of
// the mean query and the mean key of the blocks; ties go to the lower block, NaN counts as the lowest score.
// (Taking the mean of all keys off first, as SpargeAttn does, would add the same number to a whole row and change
// no choice.)
struct BlockSelectionArgs {
    AttentionArgs operands;                // q and k; queries == keys
    const std::int32_t* order = nullptr;   // [tokens]: the token at each position
    const std::int32_t* starts = nullptr;  // [blocks + 1]
    std::int64_t blocks = 0;
    std::int64_t kept = 0;                 // 1 … blocks
    const std::int32_t* forced = nullptr;  // ascending; always among the kept, the first `kept` of them at most
    std::int64_t forcedCount = 0;
    std::int32_t* lists = nullptr;  // `kept` per row, ascending
    std::int32_t* counts = nullptr;
    std::int64_t listBatch = 0, listHead = 0, listRow = 0;
    std::int64_t countBatch = 0, countHead = 0, countRow = 0;
};
[[nodiscard]] std::int64_t blockSelectionWorkspaceBytes(const BlockSelectionArgs& args);
void selectBlocks(const BlockSelectionArgs& args);

// For each batch and head: 1 when a window over the second order comes closer to dense attention than one over the
// first (raster), else 0. Mean square error over `samples` queries at even distances.
struct OrderChoiceArgs {
    AttentionArgs operands;   // q, k, v; queries == keys
    std::int64_t frames = 1;  // token f·plane + p stands at position p·frames + f in the second order
    std::int64_t window = 0;
    bool sinkFrame = false;
    std::int64_t samples = 1;
    std::uint8_t* choice = nullptr;
    std::int64_t choiceBatch = 0, choiceHead = 0;
};
[[nodiscard]] std::int64_t orderChoiceWorkspaceBytes(const OrderChoiceArgs& args);
void chooseOrders(const OrderChoiceArgs& args);

}  // namespace fw::kernels::cpu
