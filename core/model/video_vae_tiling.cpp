#include "core/model/video_vae_tiling.h"

#include <algorithm>
#include <cmath>

namespace fw::model::vae {

namespace {

Tile cut(const Tile& tile, std::int64_t firstRow, std::int64_t firstColumn) {
    Tile part{tile.frames, tile.height - firstRow, tile.width - firstColumn, tile.channels, {}};
    part.values.resize(static_cast<std::size_t>(part.frames * part.height * part.width * part.channels));
    for (std::int64_t f = 0; f < part.frames; ++f) {
        for (std::int64_t y = 0; y < part.height; ++y) {
            const float* from = tile.at(f, firstRow + y, firstColumn);
            std::copy(from, from + part.width * part.channels, part.at(f, y, 0));
        }
    }
    return part;
}

void mix(const float* before, float weight, std::int64_t count, float* values) {
    for (std::int64_t i = 0; i < count; ++i) {
        values[i] = before[i] * (1.0F - weight) + values[i] * weight;
    }
}

void blendDown(const Tile& above, std::int64_t overlap, Tile& tile) {
    const std::int64_t extent = std::min({above.height, tile.height, overlap});
    for (std::int64_t f = 0; f < tile.frames; ++f) {
        for (std::int64_t y = 0; y < extent; ++y) {
            const float weight = static_cast<float>(y) / static_cast<float>(extent);
            mix(above.at(f, above.height - extent + y, 0), weight, tile.width * tile.channels, tile.at(f, y, 0));
        }
    }
}

void blendRight(const Tile& left, std::int64_t overlap, Tile& tile) {
    const std::int64_t extent = std::min({left.width, tile.width, overlap});
    for (std::int64_t f = 0; f < tile.frames; ++f) {
        for (std::int64_t y = 0; y < tile.height; ++y) {
            for (std::int64_t x = 0; x < extent; ++x) {
                const float weight = static_cast<float>(x) / static_cast<float>(extent);
                mix(left.at(f, y, left.width - extent + x), weight, tile.channels, tile.at(f, y, x));
            }
        }
    }
}

}  // namespace

void PixelCanvas::write(std::int64_t frame, std::int64_t y, std::int64_t x, const float* channels) const {
    for (std::int64_t colour = 0; colour < 3; ++colour) {
        for (std::int64_t column = 0; column < patch; ++column) {
            for (std::int64_t row = 0; row < patch; ++row) {
                const float value = std::clamp(*channels++, -1.0F, 1.0F);
                const std::int64_t index =
                    ((frame * height + y * patch + row) * width + x * patch + column) * 3 + colour;
                if (bytes != nullptr) {
                    bytes[index] = static_cast<std::uint8_t>(std::nearbyint(value * 127.5F + 127.5F));
                } else {
                    floats[index] = value;
                }
            }
        }
    }
}

void TileBlender::add(std::int64_t row, std::int64_t column, Tile tile, const PixelCanvas& canvas) {
    const auto c = static_cast<std::size_t>(column);
    if (row > 0) {
        blendDown(m_above.at(c), m_overlap, tile);
    }
    if (column > 0) {
        blendRight(m_left, m_overlap, tile);
    }
    const std::int64_t rows = std::min(m_stride, tile.height);
    const std::int64_t columns = std::min(m_stride, tile.width);
    for (std::int64_t f = 0; f < tile.frames; ++f) {
        for (std::int64_t y = 0; y < rows; ++y) {
            for (std::int64_t x = 0; x < columns; ++x) {
                canvas.write(f, row * m_stride + y, column * m_stride + x, tile.at(f, y, x));
            }
        }
    }
    m_above.resize(std::max(m_above.size(), c + 1));
    m_above[c] = cut(tile, std::max<std::int64_t>(0, tile.height - m_overlap), 0);
    m_left = cut(tile, 0, std::max<std::int64_t>(0, tile.width - m_overlap));
}

}  // namespace fw::model::vae
