#include "ui/inspector/mask_tiles.h"

#include <bit>

namespace fw::ui {

std::int64_t tileOf(std::int64_t token, const trace::ProbeInfo& info, trace::TileOrder order) {
    const std::int64_t frames = info.grid[0], rows = info.grid[1], columns = info.grid[2];
    const std::int64_t t = token / (rows * columns), h = token / columns % rows, w = token % columns;
    const auto& box = info.mask.box;
    if (box[0] < 1 || box[1] < 1 || box[2] < 1) {
        return (order == trace::TileOrder::TokenMajor ? (h * columns + w) * frames + t : token) / info.mask.size;
    }
    const std::int64_t across = (columns + box[2] - 1) / box[2], down = (rows + box[1] - 1) / box[1];
    return (t / box[0] * down + h / box[1]) * across + w / box[2];
}

std::int64_t MaskBits::count() const {
    std::int64_t sum = 0;
    const auto* bytes = static_cast<const std::uint8_t*>(m_record.data());
    const std::int64_t bits = m_tiles * m_tiles;
    for (std::int64_t i = 0; i < bits / 8; ++i) {
        sum += std::popcount(bytes[i]);
    }
    for (std::int64_t bit = bits / 8 * 8; bit < bits; ++bit) {
        sum += bytes[bit / 8] >> static_cast<unsigned>(bit % 8) & 1;
    }
    return sum;
}

}  // namespace fw::ui
