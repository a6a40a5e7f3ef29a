// Which (query, key) pairs one call of sparse attention computed, for every head: what probes record.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/backend/token_blocks.h"
#include "core/trace/probe_data.h"

namespace fw::pipeline {

// On the host. Either a window over a token order, or lists of key blocks.
class ExecutedMask {
 public:
    struct Window {
        backend::TokenGrid grid;
        std::int64_t window = 0;  // positions on either side, inclusive
        bool sinkFrame = false;
        std::vector<std::uint8_t> orders;  // a backend::TokenOrder for each head; empty: frame-major in all
    };
    [[nodiscard]] static ExecutedMask of(const Window& window);
    // lists[head][query block]: its key blocks; one head stands for all.
    // What bits and kept mass are given for: the blocks themselves, or runs of 64 tokens in the order of memory.
    enum class Tiles : std::uint8_t { Blocks, Runs };
    [[nodiscard]] static ExecutedMask of(const backend::TokenBlocks& cut,
                                         std::vector<std::vector<std::vector<std::int32_t>>> lists,
                                         Tiles tiles = Tiles::Blocks);

    [[nodiscard]] trace::MaskTiles tiles() const { return m_tiles; }
    // How many heads differ: 1, or one mask for each.
    [[nodiscard]] std::int64_t masks() const { return m_masks; }
    [[nodiscard]] trace::TileOrder order(std::int64_t head) const;
    // Bit query · tiles + key is set where any pair of the two tiles was computed; lowest bit of a byte first.
    [[nodiscard]] std::vector<std::uint8_t> bits(std::int64_t head) const;
    [[nodiscard]] std::int64_t tileCount() const;
    [[nodiscard]] std::int64_t tileOf(std::int64_t head, std::int64_t token) const;
    // One token of every tile, of any head's order, in which none of `tokens` lies.
    [[nodiscard]] std::vector<std::int32_t> uncovered(std::span<const std::int32_t> tokens) const;

 private:
    [[nodiscard]] bool isTokenMajor(std::int64_t head) const;
    [[nodiscard]] std::vector<std::vector<std::int64_t>> touchedTiles() const;
    [[nodiscard]] std::int64_t positionOf(std::int64_t head, std::int64_t token) const;

    trace::MaskTiles m_tiles;
    std::int64_t m_masks = 1;
    backend::TokenGrid m_grid;
    // Of a window.
    bool m_isWindow = false, m_sinkFrame = false;
    std::int64_t m_window = 0;
    std::vector<std::uint8_t> m_orders;
    // Of lists.
    Tiles m_listTiles = Tiles::Blocks;
    backend::TokenBlocks m_cut;
    std::vector<std::vector<std::vector<std::int32_t>>> m_lists;  // [head][query block]
};

}  // namespace fw::pipeline
