#include "ui/inspector/frame_grid.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

namespace fw::ui {
namespace {

struct Frames {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Frames)
};

constexpr double kGap = 6.0;

}  // namespace

FrameGrid::FrameGrid(const QRectF& area, const std::array<int, 3>& grid, double lineHeight)
    : m_grid(grid), m_line(lineHeight) {
    const double shape = static_cast<double>(grid[1]) / grid[2];  // height for width
    double best = 0.0;
    for (int columns = 1; columns <= grid[0]; ++columns) {
        const int rows = (grid[0] + columns - 1) / columns;
        const double width = std::min((area.width() - kGap * (columns - 1)) / columns,
                                      ((area.height() - kGap * (rows - 1)) / rows - lineHeight) / shape);
        if (width > best) {
            best = width;
            m_columns = columns;
        }
    }
    // Whole pixels for each token, where there is room for them.
    const double cell = best / grid[2];
    const double width = std::max(1.0, cell >= 2.0 ? std::floor(cell) * grid[2] : best);
    m_frame = QSizeF(width, width * shape);
    const int rows = (grid[0] + m_columns - 1) / m_columns;
    m_bounds = QRectF(area.left(), area.top(), m_columns * (width + kGap) - kGap,
                      rows * (m_frame.height() + lineHeight + kGap) - kGap);
}

QRectF FrameGrid::frame(int t) const {
    return {QPointF(m_bounds.left() + t % m_columns * (m_frame.width() + kGap),
                    m_bounds.top() + t / m_columns * (m_frame.height() + m_line + kGap) + m_line),
            m_frame};
}

QRectF FrameGrid::cell(int token) const {
    const int t = token / (m_grid[1] * m_grid[2]), h = token / m_grid[2] % m_grid[1], w = token % m_grid[2];
    const QRectF place = frame(t);
    const double side = m_frame.width() / m_grid[2];
    return {place.left() + w * side, place.top() + h * side, side, side};
}

int FrameGrid::tokenAt(const QPointF& at) const {
    for (int t = 0; t < m_grid[0]; ++t) {
        const QRectF place = frame(t);
        if (place.contains(at)) {
            const double side = m_frame.width() / m_grid[2];
            const int w = std::clamp(static_cast<int>((at.x() - place.left()) / side), 0, m_grid[2] - 1);
            const int h = std::clamp(static_cast<int>((at.y() - place.top()) / side), 0, m_grid[1] - 1);
            return (t * m_grid[1] + h) * m_grid[2] + w;
        }
    }
    return -1;
}

void FrameImages::setValues(std::span<const float> values, const std::array<int, 3>& grid, const HeatRange& range,
                            double gamma, quint64 key) {
    if (key == m_key && m_images.size() == static_cast<std::size_t>(grid[0])) {
        return;
    }
    m_key = key;
    m_images.clear();
    const auto size = static_cast<std::size_t>(grid[1]) * static_cast<std::size_t>(grid[2]);
    for (std::size_t t = 0; t < static_cast<std::size_t>(grid[0]); ++t) {
        m_images.push_back(heatImage(values.subspan(t * size, size), grid[2], grid[1], range, gamma));
    }
}

void FrameImages::draw(Canvas& canvas, const FrameGrid& frames) const {
    for (std::size_t t = 0; t < m_images.size(); ++t) {
        const QRectF place = frames.frame(static_cast<int>(t));
        canvas.image(place, m_images[t]);
        canvas.text({place.left(), place.top() - canvas.lineHeight()}, QString::number(t + 1),
                    canvas.colours().textSecondary);
    }
}

QImage clipFrame(const app::ClipImages* clip, int t, int frames) {
    if (clip == nullptr || clip->frames.isEmpty()) {
        return {};
    }
    // The first frame of the latent stands for one picture, the others for four each (Wan's auto-encoder).
    const auto count = clip->frames.size();
    const qsizetype index =
        frames > 1 ? std::lround(static_cast<double>(t) * static_cast<double>(count - 1) / (frames - 1)) : 0;
    return clip->frames[std::clamp<qsizetype>(index, 0, count - 1)];
}

QString tokenTitle(int token, const std::array<int, 3>& grid) {
    const int t = token / (grid[1] * grid[2]), h = token / grid[2] % grid[1], w = token % grid[2];
    return Frames::tr("frame %1, row %2, column %3").arg(t + 1).arg(h + 1).arg(w + 1);
}

}  // namespace fw::ui
