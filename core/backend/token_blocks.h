// How the tokens of a clip are ordered and cut into blocks for sparse attention, and how much of dense attention is
// left. Plain values: a back-end follows them by addressing, no tensor is copied into another order.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace fw::backend {

// The token grid of a clip; token index = (t·height + h)·width + w.
struct TokenGrid {
    std::int64_t frames = 0, height = 0, width = 0;
    [[nodiscard]] std::int64_t plane() const { return height * width; }
    [[nodiscard]] std::int64_t tokens() const { return frames * plane(); }
    bool operator==(const TokenGrid&) const = default;
};

// Frame-major is the order in memory: position = token. Token-major keeps the frames of one place in the picture
// together: position = place · frames + frame, so that a window covers the whole time of nearby places.
enum class TokenOrder : std::uint8_t { FrameMajor = 0, TokenMajor = 1 };

// A sequence cut into blocks: runs of `size` tokens in frame-major order, or, when `tile` is set, boxes of
// frames × height × width tokens. The last block of a sequence, and boxes at the far end of an axis, are smaller.
struct TokenBlocks {
    TokenGrid grid;
    std::int64_t size = 64;
    std::array<std::int64_t, 3> tile{0, 0, 0};  // frames, height, width; all 0: runs
    // The first box of an axis ends here where this is above 0, so that all borders move; below the tile's extent.
    std::array<std::int64_t, 3> shift{0, 0, 0};

    [[nodiscard]] bool isTiled() const { return tile[0] > 0; }
    // Boxes along each axis.
    [[nodiscard]] std::array<std::int64_t, 3> tiles() const;
    [[nodiscard]] std::int64_t count() const;
    // The block of a token.
    [[nodiscard]] std::int64_t blockOf(std::int64_t token) const;
    // Tokens of a block.
    [[nodiscard]] std::int64_t tokensOf(std::int64_t block) const;
    // Ascending: the blocks that hold a token of the first frame.
    [[nodiscard]] std::vector<std::int32_t> firstFrameBlocks() const;
    bool operator==(const TokenBlocks&) const = default;
};

// The same as tables: block b holds the tokens order[starts[b]] … order[starts[b + 1] - 1].
struct BlockTable {
    std::vector<std::int32_t> order;   // [tokens]
    std::vector<std::int32_t> starts;  // [blocks + 1]
};
[[nodiscard]] BlockTable makeBlockTable(const TokenBlocks& blocks);
// The token at each position of an order.
[[nodiscard]] std::vector<std::int32_t> makeOrder(const TokenGrid& grid, TokenOrder order);

// Work of one head. Pairs are (query, key) pairs; tiles are pairs of 64-token runs of which at least one pair is
// kept, what a kernel with such tiles cannot avoid. Runs are of the order the tokens are read in; a first frame
// that every query sees is gathered into runs of its own, of which those that lie within the window cost nothing
// more.
struct KeptWork {
    std::int64_t pairs = 0, tiles = 0;
};
[[nodiscard]] KeptWork denseWork(const TokenGrid& grid);
// Queries see the keys at most `window` positions away and, with `sinkFrame`, the first frame. O(tokens).
[[nodiscard]] KeptWork windowWork(const TokenGrid& grid, TokenOrder order, std::int64_t window, bool sinkFrame);

}  // namespace fw::backend
