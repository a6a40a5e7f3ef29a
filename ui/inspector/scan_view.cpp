#include "ui/inspector/scan_view.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

namespace fw::ui {
namespace {

struct Scans {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Scans)
};

// Axes from the slowest to the fastest; 0 t, 1 h, 2 w.
constexpr std::array<std::array<int, 3>, 4> kAxes{{{0, 1, 2}, {0, 2, 1}, {1, 2, 0}, {2, 1, 0}}};
// A path of more tokens than this is a solid block: its first frames, rows and columns are drawn.
constexpr std::array<int, 3> kMostShown{8, 12, 12};

const std::array<int, 3>& axesOf(ScanOrder order) {
    return kAxes[static_cast<std::size_t>(order)];
}

std::size_t at(int axis) {
    return static_cast<std::size_t>(axis);
}

const QImage& pathLegend(bool dark) {
    const auto make = [](bool onDark) {
        QImage image(256, 1, QImage::Format_RGB32);
        for (int x = 0; x < image.width(); ++x) {
            image.setPixel(x, 0, scanPathColour(x / 255.0, onDark));
        }
        return image;
    };
    static const QImage onLight = make(false), onDark = make(true);
    return dark ? onDark : onLight;
}

QString orderTitle(ScanOrder order) {
    switch (order) {
        case ScanOrder::SpatialRow:
            return Scans::tr("rows within a frame (S-row)");
        case ScanOrder::SpatialColumn:
            return Scans::tr("columns within a frame (S-col)");
        case ScanOrder::TemporalRow:
            return Scans::tr("through time, along rows (T-row)");
        case ScanOrder::TemporalColumn:
            return Scans::tr("through time, along columns (T-col)");
    }
    return {};
}

// As the run recorded it; LinGen's turn where it did not, or where the order is none of the four.
ScanOrder orderOf(const RunModel& run, int layer) {
    const auto* table = run.table(trace::ProbeKind::ScanMemory);
    for (std::int64_t i = 0; table != nullptr && i < table->size(); ++i) {
        if (table->site(i).layer == layer && table->item(i) <= static_cast<int>(ScanOrder::TemporalColumn)) {
            return static_cast<ScanOrder>(table->item(i));
        }
    }
    return static_cast<ScanOrder>(layer % 4);
}

// How far apart in the sequence neighbours along t, h and w come to lie.
std::array<qint64, 3> strides(ScanOrder order, const std::array<int, 3>& grid) {
    std::array<qint64, 3> result{};
    qint64 stride = 1;
    for (std::size_t i = 3; i-- > 0;) {
        const int axis = axesOf(order)[i];
        result[at(axis)] = stride;
        stride *= grid[at(axis)];
    }
    return result;
}

}  // namespace

QRgb scanPathColour(double part, bool dark) {
    return heatColour(static_cast<float>(dark ? 0.3 + 0.7 * part : 0.85 * part));
}

int scanPosition(ScanOrder order, const std::array<int, 3>& grid, int t, int h, int w) {
    const std::array<int, 3> token{t, h, w};
    int position = 0;
    for (const int axis : axesOf(order)) {
        position = position * grid[at(axis)] + token[at(axis)];
    }
    return position;
}

std::array<int, 3> scanToken(ScanOrder order, const std::array<int, 3>& grid, int position) {
    std::array<int, 3> token{};
    for (std::size_t i = 3; i-- > 0;) {
        const int axis = axesOf(order)[i];
        token[at(axis)] = position % grid[at(axis)];
        position /= grid[at(axis)];
    }
    return token;
}

QString ScanView::title() const {
    return Scans::tr("Scan");
}

QString ScanView::missing(const RunModel& run) const {
    return run.tokens() > 0 ? QString() : Scans::tr("This trace does not say the grid of its tokens.");
}

void ScanView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const auto grid = scene.run.grid();
    const ScanOrder order = orderOf(scene.run, scene.selection.layer);
    canvas.text(area.topLeft(), Scans::tr("Layer %1: %2").arg(scene.selection.layer + 1).arg(orderTitle(order)),
                c.text, true);
    double y = area.top() + line + 4;
    if (scene.run.probes().scan.heads == 0) {
        y += canvas.paragraph(
            {area.left(), y, area.width(), line},
            Scans::tr("No scan was seen in this run: the path is what LinGen would take through its tokens."),
            c.textSecondary);
    }
    // Four small ones to choose from, the layer's own large.
    const double side = std::clamp(area.width() * 0.2, 90.0, 180.0);
    const QRectF rest(area.left(), y + kGrid, area.width(), area.bottom() - y - kGrid);
    const double small = std::min(side, (rest.height() - 3 * kGrid) / 4);
    for (int i = 0; i < 4; ++i) {
        const QRectF box(rest.left(), rest.top() + i * (small + kGrid), small, small);
        const bool chosen = static_cast<int>(order) == i;
        canvas.fill(box, chosen || canvas.isHovered(box) ? c.controlHover : c.control);
        drawVolume(canvas, box.adjusted(10, 10, -10, -10), {3, 3, 3}, static_cast<ScanOrder>(i), -1);
        if (chosen) {
            canvas.frame(box, c.accent, 2);
        }
        if (canvas.isHovered(box)) {
            canvas.setTip(orderTitle(static_cast<ScanOrder>(i)) + QLatin1Char('\n') +
                          Scans::tr("Layers %1, %2, …").arg(i + 1).arg(i + 5));
        }
        if (canvas.isClicked(box)) {
            const int layer = scene.selection.layer - scene.selection.layer % 4 + i;
            scene.selection.layer = layer < scene.run.layers() ? layer : std::min(i, scene.run.layers() - 1);
        }
    }
    const QRectF large = rest.adjusted(small + 3 * kGrid, 0, 0, -5 * line);
    drawVolume(canvas, large, grid, order, scene.selection.token);
    const auto far = strides(order, grid);
    const double below = large.bottom() + 2 * line;
    drawLegend(canvas, {large.left(), below, std::min(240.0, large.width()), 3 * line},
               Scans::tr("place in the sequence"), QStringLiteral("1"), QString::number(scene.run.tokens()), 1.0,
               &pathLegend(c.text.lightness() > 128));
    canvas.paragraph({large.left() + std::min(240.0, large.width()) + 3 * kGrid, below,
                      std::max(60.0, large.width() - 240 - 3 * kGrid), 3 * line},
                     Scans::tr("Neighbours lie %1 apart in time, %2 in height, %3 in width.")
                         .arg(far[0])
                         .arg(far[1])
                         .arg(far[2]),
                     c.textSecondary);
}

void ScanView::drawVolume(Canvas& canvas, const QRectF& area, const std::array<int, 3>& grid, ScanOrder order,
                          int token) const {
    const Colours& c = canvas.colours();
    const bool dark = c.text.lightness() > 128;
    std::array<int, 3> shown{};
    for (std::size_t i = 0; i < 3; ++i) {
        shown[i] = std::min(grid[i], kMostShown[i]);
    }
    // Time goes to the lower right, seen from above.
    const double depth = 0.55;
    const double across = shown[2] + depth * shown[0], down = shown[1] + depth * shown[0];
    const double cell = std::min(area.width() / across, area.height() / down);
    const QPointF origin(area.center().x() - cell * across / 2, area.center().y() - cell * down / 2);
    const auto place = [&](double t, double h, double w) {
        return QPointF(origin.x() + cell * (w + 0.5 + depth * t), origin.y() + cell * (h + 0.5 + depth * t));
    };
    for (int t = 0; t < shown[0]; ++t) {
        const QPointF corner = place(t, -0.5, -0.5);
        canvas.frame({corner, QSizeF(cell * shown[2], cell * shown[1])}, c.line);
    }
    const int count = shown[0] * shown[1] * shown[2];
    const bool dots = cell >= 7.0;
    std::array<int, 3> last = scanToken(order, shown, 0);
    for (int i = 0; i < count; ++i) {
        const auto here = scanToken(order, shown, i);
        const QColor colour =
            QColor::fromRgb(scanPathColour(static_cast<double>(i) / std::max(1, count - 1), dark));
        const QPointF to = place(here[0], here[1], here[2]);
        if (i > 0) {
            const int jump =
                std::abs(here[0] - last[0]) + std::abs(here[1] - last[1]) + std::abs(here[2] - last[2]);
            canvas.line(place(last[0], last[1], last[2]), to, colour, jump > 1 ? 0.75 : 1.75);
        }
        if (dots) {
            canvas.dot(to, std::clamp(cell * 0.14, 1.5, 5.0), colour);
            const QRectF near(to.x() - cell * 0.3, to.y() - cell * 0.3, cell * 0.6, cell * 0.6);
            if (canvas.isHovered(near) && cell >= 12.0) {
                canvas.setTip(Scans::tr("Frame %1, row %2, column %3\nplace %4 of %5")
                                  .arg(here[0] + 1)
                                  .arg(here[1] + 1)
                                  .arg(here[2] + 1)
                                  .arg(scanPosition(order, grid, here[0], here[1], here[2]) + 1)
                                  .arg(grid[0] * grid[1] * grid[2]));
            }
        }
        last = here;
    }
    if (token >= 0) {
        const int t = token / (grid[1] * grid[2]), h = token / grid[2] % grid[1], w = token % grid[2];
        if (t < shown[0] && h < shown[1] && w < shown[2]) {
            const QPointF centre = place(t, h, w);
            canvas.frame({centre.x() - cell * 0.4, centre.y() - cell * 0.4, cell * 0.8, cell * 0.8}, c.accent, 2);
        }
    }
    if (shown != grid && !area.isEmpty() && cell > 3) {
        canvas.text({area.left(), area.bottom() + 2},
                    Scans::tr("The first %1 × %2 × %3 tokens of %4 × %5 × %6.")
                        .arg(shown[0])
                        .arg(shown[1])
                        .arg(shown[2])
                        .arg(grid[0])
                        .arg(grid[1])
                        .arg(grid[2]),
                    c.textSecondary);
    }
}

QString ScanView::caption(const Scene& scene) const {
    const auto grid = scene.run.grid();
    return Scans::tr("Layer %1 reads %2 × %3 × %4 tokens %5.")
        .arg(scene.selection.layer + 1)
        .arg(grid[0])
        .arg(grid[1])
        .arg(grid[2])
        .arg(orderTitle(orderOf(scene.run, scene.selection.layer)));
}

QList<QStringList> ScanView::table(const Scene& scene) const {
    QList<QStringList> rows{
        {QStringLiteral("place"), QStringLiteral("t"), QStringLiteral("h"), QStringLiteral("w")}};
    const ScanOrder order = orderOf(scene.run, scene.selection.layer);
    for (int i = 0; i < scene.run.tokens(); ++i) {
        const auto token = scanToken(order, scene.run.grid(), i);
        rows.append(
            {QString::number(i), QString::number(token[0]), QString::number(token[1]), QString::number(token[2])});
    }
    return rows;
}

}  // namespace fw::ui
