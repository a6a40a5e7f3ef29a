#include "core/pipeline/executed_mask.h"

#include <algorithm>
#include <set>
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
    mask.m_table.order = backend::makeOrder(window.grid, backend::TokenOrder::TokenMajor);
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
    mask.m_table = backend::makeBlockTable(cut);
    const auto& [order, starts] = mask.m_table;
    const auto blocks = static_cast<std::size_t>(cut.count());
    mask.m_blockOf.resize(order.size());
    for (std::size_t block = 0; block < blocks; ++block) {
        for (std::int32_t i = starts[block]; i < starts[block + 1]; ++i) {
            mask.m_blockOf[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] =
                static_cast<std::int32_t>(block);
        }
    }
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
    return inRuns ? positionOf(head, token) / kRun : m_blockOf[static_cast<std::size_t>(token)];
}

std::vector<std::uint8_t> ExecutedMask::bits(std::int64_t head) const {
    const std::int64_t tiles = tileCount();
    std::vector<std::uint8_t> bits(static_cast<std::size_t>((tiles * tiles + 7) / 8));
    if (!m_isWindow) {
        const auto& lists = m_lists[static_cast<std::size_t>(m_masks == 1 ? 0 : head)];
        std::vector<std::vector<std::int64_t>> touched;  // the tiles in which tokens of each block lie
        for (std::size_t block = 0; block < lists.size(); ++block) {
            auto& own = touched.emplace_back();
            for (std::int32_t i = m_table.starts[block]; i < m_table.starts[block + 1]; ++i) {
                own.push_back(tileOf(head, m_table.order[static_cast<std::size_t>(i)]));
            }
            std::sort(own.begin(), own.end());
            own.erase(std::unique(own.begin(), own.end()), own.end());
        }
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

double ExecutedMask::keptMass(std::int64_t head, std::int64_t query, std::span<const float> row) const {
    double mass = 0.0;
    const auto add = [&](std::int64_t token) { mass += static_cast<double>(row[static_cast<std::size_t>(token)]); };
    if (!m_isWindow) {
        const auto& lists = m_lists[static_cast<std::size_t>(m_masks == 1 ? 0 : head)];
        for (const std::int32_t block :
             lists[static_cast<std::size_t>(m_blockOf[static_cast<std::size_t>(query)])]) {
            const auto at = static_cast<std::size_t>(block);
            std::for_each(m_table.order.begin() + m_table.starts[at],
                          m_table.order.begin() + m_table.starts[at + 1], add);
        }
        return mass;
    }
    const std::int64_t centre = positionOf(head, query);
    const std::int64_t from = std::max<std::int64_t>(centre - m_window, 0);
    const std::int64_t to = std::min(centre + m_window, m_grid.tokens() - 1);
    for (std::int64_t position = from; position <= to; ++position) {
        add(isTokenMajor(head) ? m_table.order[static_cast<std::size_t>(position)] : position);
    }
    for (std::int64_t token = 0; m_sinkFrame && token < m_grid.plane(); ++token) {
        const std::int64_t position = positionOf(head, token);
        if (position < from || position > to) {
            add(token);
        }
    }
    return mass;
}

std::vector<std::int32_t> ExecutedMask::uncovered(std::span<const std::int32_t> tokens) const {
    std::set<std::int32_t> further;
    for (std::int64_t head = 0; head < m_masks; ++head) {
        std::vector<bool> covered(static_cast<std::size_t>(tileCount()));
        for (const std::int32_t token : tokens) {
            covered[static_cast<std::size_t>(tileOf(head, token))] = true;
        }
        for (std::int64_t token = 0; token < m_grid.tokens(); ++token) {
            const auto tile = static_cast<std::size_t>(tileOf(head, token));
            if (!covered[tile]) {
                covered[tile] = true;
                further.insert(static_cast<std::int32_t>(token));
            }
        }
        if (!m_isWindow) {
            break;  // all heads have the same tiles
        }
    }
    return {further.begin(), further.end()};
}

}  // namespace fw::pipeline
