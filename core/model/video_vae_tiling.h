// Spatial tiles of a decoded clip, blended where they overlap; on the host.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/tensor_view.h"

namespace fw::model::vae {

// Decoded values of one tile: [frames, height, width, channels].
struct Tile {
    std::int64_t frames = 0, height = 0, width = 0, channels = 0;
    std::vector<float> values;

    [[nodiscard]] float* at(std::int64_t frame, std::int64_t y, std::int64_t x) {
        return values.data() + ((frame * height + y) * width + x) * channels;
    }
    [[nodiscard]] const float* at(std::int64_t frame, std::int64_t y, std::int64_t x) const {
        return values.data() + ((frame * height + y) * width + x) * channels;
    }
};

// Receives finished patched pixels and stores them as [F, H, W, 3], clamped to [-1, 1]: as f32, or as u8 when
// `bytes` is given. Borrows the memory.
struct PixelCanvas {
    std::int64_t frames = 0, height = 0, width = 0, patch = 1;  // height, width in pixels
    float* floats = nullptr;
    std::uint8_t* bytes = nullptr;

    // `channels`: 3·patch² values of one patch; y, x in patches.
    void write(std::int64_t frame, std::int64_t y, std::int64_t x, const float* channels) const;
};

// Takes the tiles row by row, left to right, and blends each with the tile above and the tile to its left linearly
// over `overlap` = tile - stride rows and columns. Corners are blended in the order of diffusers'
// AutoencoderKLWan.tiled_decode (first down, then right, with tiles already blended), so that both agree.
class TileBlender {
 public:
    TileBlender(std::int64_t stride, std::int64_t overlap) : m_stride(stride), m_overlap(overlap) {}

    // Tile (row, column) whose corner is at row·stride, column·stride. Its first stride × stride values are final
    // afterwards and go to the canvas.
    void add(std::int64_t row, std::int64_t column, Tile tile, const PixelCanvas& canvas);

 private:
    std::int64_t m_stride, m_overlap;
    std::vector<Tile> m_above;  // per column: the last rows of the tile above, later of this row's
    Tile m_left;                // the last columns of the tile to the left
};

}  // namespace fw::model::vae
