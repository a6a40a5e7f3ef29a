#include "core/backend/token_blocks.h"

#include <algorithm>
#include <numeric>

namespace fw::backend {

namespace {

constexpr std::int64_t kTile = 64;

std::int64_t divideUp(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit;
}

struct Box {
    std::array<std::int64_t, 3> first{}, end{};  // frames, height, width
};

Box boxOf(const TokenBlocks& blocks, std::int64_t block) {
    const auto tiles = blocks.tiles();
    const std::int64_t extents[] = {blocks.grid.frames, blocks.grid.height, blocks.grid.width};
    const std::int64_t index[] = {block / (tiles[1] * tiles[2]), block / tiles[2] % tiles[1], block % tiles[2]};
    Box box;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        // As if a shifted axis began before its first token.
        const std::int64_t before = blocks.shift[axis] > 0 ? blocks.tile[axis] - blocks.shift[axis] : 0;
        const std::int64_t first = index[axis] * blocks.tile[axis] - before;
        box.first[axis] = std::max<std::int64_t>(first, 0);
        box.end[axis] = std::min(first + blocks.tile[axis], extents[axis]);
    }
    return box;
}

}  // namespace

std::array<std::int64_t, 3> TokenBlocks::tiles() const {
    const std::int64_t extents[] = {grid.frames, grid.height, grid.width};
    std::array<std::int64_t, 3> result{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t before = shift[axis] > 0 ? tile[axis] - shift[axis] : 0;
        result[axis] = divideUp(extents[axis] + before, tile[axis]);
    }
    return result;
}

std::int64_t TokenBlocks::count() const {
    if (!isTiled()) {
        return divideUp(grid.tokens(), size);
    }
    const auto along = tiles();
    return along[0] * along[1] * along[2];
}

std::int64_t TokenBlocks::blockOf(std::int64_t token) const {
    if (!isTiled()) {
        return token / size;
    }
    const auto along = tiles();
    const std::int64_t place[] = {token / grid.plane(), token / grid.width % grid.height, token % grid.width};
    std::int64_t block = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t before = shift[axis] > 0 ? tile[axis] - shift[axis] : 0;
        block = block * along[axis] + (place[axis] + before) / tile[axis];
    }
    return block;
}

std::int64_t TokenBlocks::tokensOf(std::int64_t block) const {
    if (!isTiled()) {
        return std::min(size, grid.tokens() - block * size);
    }
    const Box box = boxOf(*this, block);
    return (box.end[0] - box.first[0]) * (box.end[1] - box.first[1]) * (box.end[2] - box.first[2]);
}

std::vector<std::int32_t> TokenBlocks::firstFrameBlocks() const {
    const auto along = isTiled() ? tiles() : std::array<std::int64_t, 3>{};
    std::vector<std::int32_t> blocks(
        static_cast<std::size_t>(isTiled() ? along[1] * along[2] : divideUp(grid.plane(), size)));
    std::iota(blocks.begin(), blocks.end(), 0);
    return blocks;
}

BlockTable makeBlockTable(const TokenBlocks& blocks) {
    BlockTable table;
    const std::int64_t count = blocks.count();
    if (!blocks.isTiled()) {
        table.order = makeOrder(blocks.grid, TokenOrder::FrameMajor);
        for (std::int64_t block = 0; block < count; ++block) {
            table.starts.push_back(static_cast<std::int32_t>(block * blocks.size));
        }
        table.starts.push_back(static_cast<std::int32_t>(blocks.grid.tokens()));
        return table;
    }
    table.order.reserve(static_cast<std::size_t>(blocks.grid.tokens()));
    for (std::int64_t block = 0; block < count; ++block) {
        table.starts.push_back(static_cast<std::int32_t>(table.order.size()));
        const Box box = boxOf(blocks, block);
        for (std::int64_t t = box.first[0]; t < box.end[0]; ++t) {
            for (std::int64_t h = box.first[1]; h < box.end[1]; ++h) {
                for (std::int64_t w = box.first[2]; w < box.end[2]; ++w) {
                    table.order.push_back(
                        static_cast<std::int32_t>((t * blocks.grid.height + h) * blocks.grid.width + w));
                }
            }
        }
    }
    table.starts.push_back(static_cast<std::int32_t>(table.order.size()));
    return table;
}

std::vector<std::int32_t> makeOrder(const TokenGrid& grid, TokenOrder order) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(grid.tokens()));
    std::iota(tokens.begin(), tokens.end(), 0);
    if (order == TokenOrder::TokenMajor) {
        for (std::int64_t position = 0; position < grid.tokens(); ++position) {
            tokens[static_cast<std::size_t>(position)] =
                static_cast<std::int32_t>(position % grid.frames * grid.plane() + position / grid.frames);
        }
    }
    return tokens;
}

KeptWork denseWork(const TokenGrid& grid) {
    const std::int64_t tiles = divideUp(grid.tokens(), kTile);
    return {grid.tokens() * grid.tokens(), tiles * tiles};
}

KeptWork windowWork(const TokenGrid& grid, TokenOrder order, std::int64_t window, bool sinkFrame) {
    const std::int64_t tokens = grid.tokens();
    const std::int64_t step = order == TokenOrder::TokenMajor ? grid.frames : 1;
    const std::int64_t lastSink = sinkFrame ? (grid.plane() - 1) * step : -1;
    KeptWork work;
    for (std::int64_t query = 0; query < tokens; ++query) {
        const std::int64_t first = std::max<std::int64_t>(query - window, 0);
        const std::int64_t last = std::min(query + window, tokens - 1);
        work.pairs += last - first + 1;
        if (sinkFrame) {  // those of the first frame that the window does not hold
            const std::int64_t within = std::min(last, lastSink) / step - divideUp(first, step) + 1;
            work.pairs += grid.plane() - std::max<std::int64_t>(within, 0);
        }
    }
    const std::int64_t sinkRuns = sinkFrame ? divideUp(grid.plane(), kTile) : 0;
    for (std::int64_t query = 0; query < tokens; query += kTile) {
        const std::int64_t lastQuery = std::min(query + kTile, tokens) - 1;
        const std::int64_t first = std::max<std::int64_t>(query - window, 0) / kTile;
        const std::int64_t last = std::min(lastQuery + window, tokens - 1) / kTile;
        std::int64_t tiles = last - first + 1;
        for (std::int64_t run = 0; run < sinkRuns; ++run) {  // positions of the run's first and last place
            const std::int64_t from = run * kTile * step;
            const std::int64_t to = (std::min((run + 1) * kTile, grid.plane()) - 1) * step;
            tiles += lastQuery - from <= window && to - query <= window ? 0 : 1;
        }
        work.tiles += std::min(tiles, divideUp(tokens, kTile));
    }
    return work;
}

}  // namespace fw::backend
