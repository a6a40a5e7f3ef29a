// Numbers of the tokens laid over the frames of the clip.
#pragma once

#include <array>
#include <functional>
#include <span>

#include "ui/inspector/inspector_view.h"

namespace fw::ui {

// The frames of the latent side by side in `area`.
class FrameGrid {
 public:
    FrameGrid(const QRectF& area, const std::array<int, 3>& grid, double lineHeight);

    [[nodiscard]] QRectF frame(int t) const;
    [[nodiscard]] QRectF cell(int token) const;
    // Where everything lies.
    [[nodiscard]] const QRectF& bounds() const { return m_bounds; }
    // The token at a place, -1 beside the frames.
    [[nodiscard]] int tokenAt(const QPointF& at) const;

 private:
    std::array<int, 3> m_grid;
    QRectF m_bounds;
    int m_columns = 1;
    QSizeF m_frame;
    double m_line;
};

// Pictures of frames, made once for what they show.
class FrameImages {
 public:
    // values [T, H, W]; `key` says when they are others.
    void setValues(std::span<const float> values, const std::array<int, 3>& grid, const HeatRange& range,
                   double gamma, quint64 key);
    void draw(Canvas& canvas, const FrameGrid& frames) const;

 private:
    std::vector<QImage> m_images;
    quint64 m_key = 0;
};

// The picture of the clip at frame `t` of the latent's `frames`; null without a clip.
[[nodiscard]] QImage clipFrame(const app::ClipImages* clip, int t, int frames);
// "frame 3, row 4, column 5"
[[nodiscard]] QString tokenTitle(int token, const std::array<int, 3>& grid);

}  // namespace fw::ui
