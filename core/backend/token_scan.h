// Orders in which the tokens of a clip are read as one row.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/backend/token_blocks.h"
#include "core/base/result.h"

namespace fw::backend {

// Rasters by their axes from slow to fast: SRow (t, h, w), SCol (t, w, h), TRow (h, w, t), TCol (w, h, t): the
// rotary-major scan of LinGen (https://arxiv.org/abs/2412.09856) takes them in turn. Zigzag: the same without
// jumps: the middle axis runs backwards at every odd position of the slow one, the fast axis in every odd line,
// lines counted through. Hilbert: a space-filling curve for any extents, whose neighbours are near in the clip.
enum class ScanOrder : std::uint8_t {
    SRow,
    SCol,
    TRow,
    TCol,
    ZigzagSRow,
    ZigzagSCol,
    ZigzagTRow,
    ZigzagTCol,
    Hilbert,
};

// "s_row", "s_col", "t_row", "t_col", "zigzag_s_row", …, "hilbert".
[[nodiscard]] std::string_view scanOrderName(ScanOrder order);
// InvalidArgument naming the known ones.
[[nodiscard]] Result<ScanOrder> scanOrderFromName(std::string_view name);

// The token at each position: a permutation of [0, grid.tokens()).
[[nodiscard]] std::vector<std::int32_t> makeScan(const TokenGrid& grid, ScanOrder order);

// The grid of means over boxes of pooling tokens; boxes at the far ends are smaller.
[[nodiscard]] TokenGrid pooledGrid(const TokenGrid& grid, const std::array<std::int64_t, 3>& pooling);

}  // namespace fw::backend
