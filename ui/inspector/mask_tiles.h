// Which tokens belong to which tile of a mask.
#pragma once

#include <vector>

#include "core/trace/probe_data.h"

namespace fw::ui {

// Tile of a token in masks of this order.
[[nodiscard]] std::int64_t tileOf(std::int64_t token, const trace::ProbeInfo& info, trace::TileOrder order);

// Bits of a mask record; queries x keys.
class MaskBits {
 public:
    MaskBits() = default;
    MaskBits(const ConstTensorView& record, std::int64_t tiles) : m_record(record), m_tiles(tiles) {}

    [[nodiscard]] bool isEmpty() const { return m_tiles == 0; }
    [[nodiscard]] std::int64_t tiles() const { return m_tiles; }
    [[nodiscard]] bool at(std::int64_t query, std::int64_t key) const {
        return trace::maskBit(m_record, m_tiles, query, key);
    }
    // Pairs of tiles that were computed.
    [[nodiscard]] std::int64_t count() const;

 private:
    ConstTensorView m_record;  // of the trace, which outlives this
    std::int64_t m_tiles = 0;
};

}  // namespace fw::ui
