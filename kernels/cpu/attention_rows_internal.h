// The pieces behind attention_rows.h.
#pragma once

#include <cstdint>

#include "kernels/cpu/attention_rows.h"

namespace fw::kernels::cpu {

inline constexpr std::int64_t kRowGroup = 32;  // rows that share one pass over the keys
inline constexpr std::int64_t kKeyTile = 64;

// Rows [first, last) of one head, at most kRowGroup.
struct RowsTask {
    const AttentionRowsArgs* args = nullptr;
    std::int64_t head = 0, first = 0, last = 0;
    // 64-byte aligned, of one thread: [kRowGroup, D] queries, [D, kKeyTile] keys, [D] a row, with D the head's
    // width in whole tiles.
    float* scratch = nullptr;
};

// The head's width in whole tiles of 32.
[[nodiscard]] constexpr std::int64_t tiledWidth(std::int64_t headDim) {
    return (headDim + 31) / 32 * 32;
}
[[nodiscard]] constexpr std::int64_t rowsScratchFloats(std::int64_t headDim) {
    return (kRowGroup + kKeyTile + 1) * tiledWidth(headDim);
}

// attention_rows_amx.cpp: q · k of the task's rows with all keys into args.out. Of bf16 operands, on processors
// where hasRowTiles(). Products of bf16 are exact in f32 and added up in f32: no less precise than vectors of f32.
void scoreRowsInTiles(const RowsTask& task);
[[nodiscard]] bool hasRowTiles();

}  // namespace fw::kernels::cpu
