#include "core/pipeline/executed_mask.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace fw::pipeline {

namespace {

constexpr std::int64_t kRun = 64;

void setBit(std::vector<std::uint8_t>& bits, std::int64_t bit) {
    bits[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(bit % 8));
}

}  // namespace

ExecutedMask ExecutedMask::of(const Window& window) {
    ExecutedMask mask;
    mask.m_isWindow = true;
    mask.m_grid = window.grid;
    mask.m_window = window.window;
    mask.m_sinkFrame = window.sinkFrame;
    mask.m_orders = window.orders;
    mask.m_masks = window.orders.empty() ? 1 : static_cast<std::int64_t>(window.orders.size());
    return mask;
}

ExecutedMask ExecutedMask::of(const backend::TokenBlocks& cut,
                              std::vector<std::vector<std::vector<std::int32_t>>> lists, Tiles tiles) {
    ExecutedMask mask;
    mask.m_grid = cut.grid;
    mask.m_listTiles = tiles;
    if (tiles == Tiles::Blocks) {
        mask.m_tiles = {cut.isTiled() ? 0 : cut.size, cut.tile};
    }
    mask.m_masks = static_cast<std::int64_t>(lists.size());
    mask.m_cut = cut;
    const auto blocks = static_cast<std::size_t>(cut.count());
    for (const auto& head : lists) {
        FW_CHECK(head.size() == blocks, "{} lists for {} blocks", head.size(), blocks);
    }
    mask.m_lists = std::move(lists);
    return mask;
}

bool ExecutedMask::isTokenMajor(std::int64_t head) const {
    return !m_orders.empty() &&
           m_orders[static_cast<std::size_t>(head)] == static_cast<std::uint8_t>(backend::TokenOrder::TokenMajor);
}

std::int64_t ExecutedMask::positionOf(std::int64_t head, std::int64_t token) const {
    return isTokenMajor(head) ? token % m_grid.plane() * m_grid.frames + token / m_grid.plane() : token;
}

trace::TileOrder ExecutedMask::order(std::int64_t head) const {
    if (!m_isWindow) {
        return m_tiles.box[0] > 0 ? trace::TileOrder::Boxes : trace::TileOrder::FrameMajor;
    }
    return isTokenMajor(head) ? trace::TileOrder::TokenMajor : trace::TileOrder::FrameMajor;
}

std::int64_t ExecutedMask::tileCount() const {
    const bool inRuns = m_isWindow || m_listTiles == Tiles::Runs;
    return inRuns ? (m_grid.tokens() + kRun - 1) / kRun : static_cast<std::int64_t>(m_lists.front().size());
}

std::int64_t ExecutedMask::tileOf(std::int64_t head, std::int64_t token) const {
    const bool inRuns = m_isWindow || m_listTiles == Tiles::Runs;
    return inRuns ? positionOf(head, token) / kRun : m_cut.blockOf(token);
}

// The tiles in which tokens of each block lie.
std::vector<std::vector<std::int64_t>> ExecutedMask::touchedTiles() const {
    std::vector<std::vector<std::int64_t>> touched(static_cast<std::size_t>(m_cut.count()));
    if (m_listTiles == Tiles::Blocks) {
        for (std::size_t block = 0; block < touched.size(); ++block) {
            touched[block].push_back(static_cast<std::int64_t>(block));
        }
        return touched;
    }
    for (std::int64_t token = 0; token < m_grid.tokens(); ++token) {
        auto& own = touched[static_cast<std::size_t>(m_cut.blockOf(token))];
        if (own.empty() || own.back() != token / kRun) {  // tokens come in the order of their runs
            own.push_back(token / kRun);
        }
    }
    return touched;
}

std::vector<std::uint8_t> ExecutedMask::bits(std::int64_t head) const {
    const std::int64_t tiles = tileCount();
    std::vector<std::uint8_t> bits(static_cast<std::size_t>((tiles * tiles + 7) / 8));
    if (!m_isWindow) {
        const auto& lists = m_lists[static_cast<std::size_t>(m_masks == 1 ? 0 : head)];
        const auto touched = touchedTiles();
        for (std::size_t block = 0; block < lists.size(); ++block) {
            for (const std::int32_t seen : lists[block]) {
                for (const std::int64_t query : touched[block]) {
                    for (const std::int64_t key : touched[static_cast<std::size_t>(seen)]) {
                        setBit(bits, query * tiles + key);
                    }
                }
            }
        }
        return bits;
    }
    const std::int64_t last = m_grid.tokens() - 1;
    for (std::int64_t query = 0; query < tiles; ++query) {
        const std::int64_t from = std::max<std::int64_t>(query * kRun - m_window, 0) / kRun;
        const std::int64_t to = std::min(std::min((query + 1) * kRun - 1, last) + m_window, last) / kRun;
        for (std::int64_t key = from; key <= to; ++key) {
            setBit(bits, query * tiles + key);
        }
    }
    for (std::int64_t token = 0; m_sinkFrame && token < m_grid.plane(); ++token) {
        for (std::int64_t query = 0; query < tiles; ++query) {
            setBit(bits, query * tiles + tileOf(head, token));
        }
    }
    return bits;
}

// Of tokens that are first in a tile of every order one row serves all heads, so those are taken before others.
std::vector<std::int32_t> ExecutedMask::uncovered(std::span<const std::int32_t> tokens) const {
    struct Order {
        std::int64_t head = 0;  // one of those with this order; all of them have the same tiles
        std::vector<bool> covered;
    };
    std::vector<Order> orders;
    for (std::int64_t head = 0; head < m_masks; ++head) {
        if (std::none_of(orders.begin(), orders.end(),
                         [&](const Order& known) { return isTokenMajor(known.head) == isTokenMajor(head); })) {
            orders.push_back({head, std::vector<bool>(static_cast<std::size_t>(tileCount()))});
        }
    }
    const auto isCovered = [&](const Order& order, std::int64_t token) {
        return order.covered[static_cast<std::size_t>(tileOf(order.head, token))];
    };
    const auto cover = [&](std::int64_t token) {
        for (Order& order : orders) {
            order.covered[static_cast<std::size_t>(tileOf(order.head, token))] = true;
        }
    };
    std::for_each(tokens.begin(), tokens.end(), cover);
    std::vector<std::int32_t> further;
    for (const bool inEvery : {true, false}) {
        for (std::int64_t token = 0; token < m_grid.tokens(); ++token) {
            const auto isNew = [&](const Order& order) { return !isCovered(order, token); };
            if (inEvery ? std::all_of(orders.begin(), orders.end(), isNew)
                        : std::any_of(orders.begin(), orders.end(), isNew)) {
                cover(token);
                further.push_back(static_cast<std::int32_t>(token));
            }
        }
    }
    return further;
}

}  // namespace fw::pipeline
