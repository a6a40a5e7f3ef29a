#include "ui/inspector/maps_view.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace fw::ui {
namespace {

using trace::ProbeKind;

struct Maps {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Maps)
};

constexpr double kGamma = 0.5;  // attention is mostly small
constexpr int kThumb = 32;      // pixels of a small map
constexpr int kThumbGap = 1;

QRgb thumbColour(float value, float most) {
    return std::isnan(value) ? heatColour(value)
                             : heatColour(most > 0.0F ? std::sqrt(std::max(0.0F, value / most)) : 0.0F);
}

// The map in at most kThumb pixels a side: the largest value of what a pixel stands for, so that stripes stay.
void drawThumb(QImage& image, const QRect& place, const std::vector<float>& values, int blocks) {
    const int side = place.width();
    std::vector<float> pixels(static_cast<std::size_t>(side) * static_cast<std::size_t>(side),
                              std::numeric_limits<float>::quiet_NaN());
    for (int q = 0; q < blocks; ++q) {
        const int y = q * side / blocks;
        for (int k = 0; k < blocks; ++k) {
            float& pixel = pixels[static_cast<std::size_t>(y * side + k * side / blocks)];
            const float value = values[static_cast<std::size_t>(q) * static_cast<std::size_t>(blocks) +
                                       static_cast<std::size_t>(k)];
            pixel = std::isnan(pixel) || value > pixel ? value : pixel;
        }
    }
    const float most = rangeOf(pixels).most;
    for (int y = 0; y < side; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(place.top() + y)) + place.left();
        for (int x = 0; x < side; ++x) {
            line[x] = thumbColour(pixels[static_cast<std::size_t>(y * side + x)], most);
        }
    }
}

QString blockTitle(int block, const std::array<std::int64_t, 3>& blocks) {
    const auto width = static_cast<int>(blocks[2]), height = static_cast<int>(blocks[1]);
    return Maps::tr("(%1, %2, %3)")
        .arg(block / (height * width) + 1)
        .arg(block / width % height + 1)
        .arg(block % width + 1);
}

// A map of rows that sum to 1, or nothing but NaN, which is grey: of a run whose numbers ended nothing sums up.
std::vector<float> soundMap(std::vector<float> map) {
    const bool isSound =
        std::any_of(map.begin(), map.end(), [](float value) { return std::isfinite(value) && value > 0.0F; });
    if (!isSound) {
        std::fill(map.begin(), map.end(), std::numeric_limits<float>::quiet_NaN());
    }
    return map;
}

}  // namespace

std::optional<HeadClass> headClassAt(const RunModel& run, const Selection& at) {
    const qint64 record = run.find(ProbeKind::HeadStats, at);
    if (record < 0) {
        return std::nullopt;
    }
    const auto stats = run.table(ProbeKind::HeadStats)->values(record);
    // Of a run whose numbers ended: some key always holds something.
    const bool isSound =
        std::all_of(stats.begin(), stats.end(), [](float value) { return std::isfinite(value); }) &&
        stats[trace::kSink] > 0.0F;
    return isSound ? std::optional(classifyHead(stats, run.grid())) : std::nullopt;
}

QString MapsView::title() const {
    return Maps::tr("Heads");
}

QString MapsView::missing(const RunModel& run) const {
    return run.table(ProbeKind::AttentionMap) == nullptr ? missingProbes(Maps::tr("attention maps")) : QString();
}

bool MapsView::isByKind(const RunModel& run) const {
    return m_byKind && m_axes < 2 && run.table(ProbeKind::HeadStats) != nullptr;
}

std::vector<ViewOption> MapsView::options(const RunModel& run) const {
    std::vector<ViewOption> options{
        {Maps::tr("Grid"),
         Maps::tr("What the rows and the columns of the small maps are"),
         {Maps::tr("layers × heads"), Maps::tr("steps × heads"), Maps::tr("steps × layers")},
         m_axes}};
    if (m_axes < 2 && run.table(ProbeKind::HeadStats) != nullptr) {
        options.push_back({Maps::tr("Order"),
                           Maps::tr("Heads by their numbers, or those of a kind beside one another in each row"),
                           {Maps::tr("by number"), Maps::tr("by kind")},
                           m_byKind ? 1 : 0});
    }
    return options;
}

void MapsView::setOption(std::size_t option, int value) {
    if (option == 0) {
        m_axes = value;
    } else {
        m_byKind = value == 1;
    }
}

MapsView::Axes MapsView::axes(const RunModel& run) const {
    std::vector<int> heads(static_cast<std::size_t>(run.heads()));
    std::iota(heads.begin(), heads.end(), 0);
    const auto& steps = run.stepsOf(ProbeKind::AttentionMap);
    const auto& layers = run.layersOf(ProbeKind::AttentionMap);
    const QString step = Maps::tr("step"), layer = Maps::tr("layer"), head = Maps::tr("head");
    switch (m_axes) {
        case 1:
            return {&Selection::step, &Selection::head, steps, heads, step, head};
        case 2:
            return {&Selection::step, &Selection::layer, steps, layers, step, layer};
        default:
            return {&Selection::layer, &Selection::head, layers, heads, layer, head};
    }
}

void MapsView::fillOverview(const Scene& scene, const Axes& axes) {
    Selection base = scene.selection;
    base.*axes.row = base.*axes.column = 0;
    base.token = base.word = -1;
    const bool byKind = isByKind(scene.run);
    if (m_run == &scene.run && m_shown == base && m_shownAxes == m_axes && m_shownByKind == byKind) {
        return;
    }
    m_shownByKind = byKind;
    m_run = &scene.run;
    m_shown = base;
    m_shownAxes = m_axes;
    const auto* table = scene.run.table(ProbeKind::AttentionMap);
    const auto blocks = static_cast<int>(scene.run.probes().blockCount());
    const int side = std::min(blocks, kThumb), pitch = side + kThumbGap;
    m_overview = QImage(static_cast<int>(axes.columns.size()) * pitch, static_cast<int>(axes.rows.size()) * pitch,
                        QImage::Format_ARGB32_Premultiplied);
    m_overview.fill(Qt::transparent);
    m_cells.clear();
    for (std::size_t row = 0; row < axes.rows.size(); ++row) {
        std::vector<int> columns = axes.columns;
        if (byKind) {
            std::vector<int> kinds(columns.size(), -1);  // by head; one of no kind comes last
            for (std::size_t i = 0; i < columns.size(); ++i) {
                Selection at = scene.selection;
                at.*axes.row = axes.rows[row];
                at.*axes.column = columns[i];
                const auto kind = headClassAt(scene.run, at);
                kinds[i] = kind ? static_cast<int>(*kind) : std::numeric_limits<int>::max();
            }
            std::stable_sort(columns.begin(), columns.end(), [&kinds](int a, int b) {
                return kinds[static_cast<std::size_t>(a)] < kinds[static_cast<std::size_t>(b)];
            });
        }
        for (std::size_t column = 0; column < columns.size(); ++column) {
            Cell cell{scene.selection,
                      QRect(static_cast<int>(column) * pitch, static_cast<int>(row) * pitch, side, side)};
            cell.at.*axes.row = axes.rows[row];
            cell.at.*axes.column = columns[column];
            cell.record = scene.run.find(ProbeKind::AttentionMap, cell.at);
            if (cell.record >= 0) {
                drawThumb(m_overview, cell.place, soundMap(table->values(cell.record)), blocks);
            }
            m_cells.push_back(cell);
        }
    }
}

void MapsView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    // Not every step is kept: what is shown is the nearest that was, and its title says so.
    const Selection near = scene.run.kept(ProbeKind::AttentionMap, scene.selection);
    Selection chosen = near;
    Scene there{scene.run, chosen, scene.clip, scene.other};
    const Axes over = axes(scene.run);
    fillOverview(there, over);
    const double gap = 3 * kGrid;
    if (area.width() > area.height() * 1.2) {
        const double left = std::floor((area.width() - gap) * 0.55);
        drawOverview(canvas, {area.left(), area.top(), left, area.height()}, there, over);
        drawLarge(canvas, area.adjusted(left + gap, 0, 0, 0), there);
    } else {
        const double top = std::floor((area.height() - gap) * 0.5);
        drawOverview(canvas, {area.left(), area.top(), area.width(), top}, there, over);
        drawLarge(canvas, area.adjusted(0, top + gap, 0, 0), there);
    }
    if (chosen != near) {
        scene.selection = chosen;
    }
}

void MapsView::drawOverview(Canvas& canvas, const QRectF& area, Scene& scene, const Axes& over) {
    const Colours& c = canvas.colours();
    const bool dark = c.text.lightness() > 128;
    const double line = canvas.lineHeight();
    const double numbers = canvas.textWidth(QStringLiteral("000")) + 6;
    const QRectF room = area.adjusted(numbers, 2 * line + 6, 0, -line - kGrid);
    const double pitch =
        std::min(96.0, cellSize(room, static_cast<int>(over.columns.size()), static_cast<int>(over.rows.size())));
    const double scale =
        pitch / (std::min<double>(static_cast<double>(scene.run.probes().blockCount()), kThumb) + kThumbGap);
    const bool byKind = isByKind(scene.run);
    canvas.text(area.topLeft(),
                byKind ? Maps::tr("%1 downwards, heads by kind to the right").arg(over.rowName)
                       : Maps::tr("%1 downwards, %2 to the right").arg(over.rowName, over.columnName),
                c.textSecondary);
    canvas.image({room.topLeft(), QSizeF(m_overview.size()) * scale}, m_overview);
    const int everyRow = std::max(1, static_cast<int>(std::ceil(line / pitch)));
    const int everyColumn = std::max(1, static_cast<int>(std::ceil(numbers / pitch)));
    for (std::size_t i = 0; i < over.rows.size(); i += static_cast<std::size_t>(everyRow)) {
        canvas.textRight({area.left(), room.top() + pitch * static_cast<double>(i), numbers - 6, pitch},
                         QString::number(over.rows[i] + 1), c.textSecondary);
    }
    // By kind a column holds other heads in every row: the tips say which.
    for (std::size_t i = 0; !byKind && i < over.columns.size(); i += static_cast<std::size_t>(everyColumn)) {
        canvas.textCentred({room.left() + pitch * static_cast<double>(i), room.top() - line - 2, pitch, line},
                           QString::number(over.columns[i] + 1), c.textSecondary);
    }
    bool classes = false;
    for (const Cell& cell : m_cells) {
        const QRectF place(room.left() + cell.place.left() * scale, room.top() + cell.place.top() * scale,
                           cell.place.width() * scale, cell.place.height() * scale);
        const auto kind = headClassAt(scene.run, cell.at);
        if (kind) {
            classes = true;
            canvas.frame(place, headClassColour(*kind, dark), std::clamp(pitch / 16.0, 1.0, 2.5));
        }
        if (cell.record < 0) {
            canvas.frame(place, c.line);
        }
        const bool chosen = cell.at.step == scene.selection.step && cell.at.layer == scene.selection.layer &&
                            cell.at.head == scene.selection.head;
        if (chosen) {
            canvas.frame(place.adjusted(-1.5, -1.5, 1.5, 1.5), c.text, 2);
        }
        if (canvas.isHovered(place)) {
            QString tip = Maps::tr("Step %1, layer %2, head %3")
                              .arg(cell.at.step + 1)
                              .arg(cell.at.layer + 1)
                              .arg(cell.at.head + 1);
            if (const qint64 record = scene.run.find(ProbeKind::HeadStats, cell.at); record >= 0) {
                const auto stats = scene.run.table(ProbeKind::HeadStats)->values(record);
                const auto number = [&stats](std::size_t i) { return readable(static_cast<double>(stats[i])); };
                tip += QLatin1Char('\n') +
                       Maps::tr(
                           "%1; entropy %2 nats\nmean distance %3 frames, %4 rows, %5 columns\nlargest key %6, own "
                           "frame %7")
                           .arg(kind ? headClassTitle(*kind) : Maps::tr("no finite numbers"), number(0), number(1),
                                number(2), number(3), number(4), number(5));
            } else if (cell.record < 0) {
                tip += QLatin1Char('\n') + Maps::tr("not kept");
            }
            canvas.setTip(tip);
        }
        if (canvas.isClicked(place) && cell.record >= 0) {
            scene.selection = cell.at;
        }
    }
    const QPointF below(area.left(), room.top() + pitch * static_cast<double>(over.rows.size()) + kGrid);
    if (classes) {
        std::vector<std::pair<QColor, QString>> key;
        for (const auto kind : {HeadClass::Spatial, HeadClass::Temporal, HeadClass::Global, HeadClass::Sink}) {
            key.emplace_back(headClassColour(kind, dark), headClassTitle(kind));
        }
        drawKey(canvas, below, key);
    }
}

void MapsView::drawLarge(Canvas& canvas, const QRectF& area, Scene& scene) {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const auto blocks = static_cast<int>(scene.run.probes().blockCount());
    const qint64 record = scene.run.find(ProbeKind::AttentionMap, scene.selection);
    if (record < 0) {
        canvas.textCentred(area, Maps::tr("No map was kept here."), c.textSecondary);
        return;
    }
    if (record != m_record || m_largeRun != &scene.run) {
        m_record = record;
        m_largeRun = &scene.run;
        m_values = soundMap(scene.run.table(ProbeKind::AttentionMap)->values(record));
        m_range = {0.0F, rangeOf(m_values).most};
        m_large = heatImage(m_values, blocks, blocks, m_range, kGamma);
    }
    const QRectF room = area.adjusted(line, 2 * line + 6, 0, -4 * line);
    const double cell = cellSize(room, blocks, blocks);
    const QRectF map(room.topLeft(), QSizeF(cell * blocks, cell * blocks));
    canvas.text(area.topLeft(),
                Maps::tr("Step %1, layer %2, head %3")
                    .arg(scene.selection.step + 1)
                    .arg(scene.selection.layer + 1)
                    .arg(scene.selection.head + 1),
                c.text, true);
    canvas.text(
        {map.left(), map.top() - line - 2},
        canvas.elided(Maps::tr("keys to the right, queries downwards, in blocks of the clip"), area.width() - line),
        c.textSecondary);
    canvas.image(map, m_large);
    // Frames: where the block of time changes.
    const auto perFrame = static_cast<int>(scene.run.probes().blocks()[1] * scene.run.probes().blocks()[2]);
    for (int at = perFrame; at < blocks; at += perFrame) {
        const QColor faint(255, 255, 255, 70);
        canvas.line({map.left() + at * cell, map.top()}, {map.left() + at * cell, map.bottom()}, faint);
        canvas.line({map.left(), map.top() + at * cell}, {map.right(), map.top() + at * cell}, faint);
    }
    canvas.frame(map, c.border);
    if (canvas.isHovered(map)) {
        const int k = std::clamp(static_cast<int>((canvas.pointer().x() - map.left()) / cell), 0, blocks - 1);
        const int q = std::clamp(static_cast<int>((canvas.pointer().y() - map.top()) / cell), 0, blocks - 1);
        canvas.frame({map.left() + k * cell, map.top() + q * cell, cell, cell}, Qt::white, 1);
        canvas.setTip(Maps::tr("from block %1 to block %2 (time, row, column)\nmass %3")
                          .arg(blockTitle(q, scene.run.probes().blocks()),
                               blockTitle(k, scene.run.probes().blocks()),
                               readable(static_cast<double>(
                                   m_values[static_cast<std::size_t>(q) * static_cast<std::size_t>(blocks) +
                                            static_cast<std::size_t>(k)]))));
    }
    drawLegend(canvas, {map.left(), map.bottom() + kGrid, std::min(240.0, area.right() - map.left()), 3 * line},
               Maps::tr("attention mass, square root"), QStringLiteral("0"),
               readable(static_cast<double>(m_range.most)), kGamma);
}

QString MapsView::caption(const Scene& scene) const {
    const Selection shown = scene.run.kept(ProbeKind::AttentionMap, scene.selection);
    std::array<int, 4> counts{};
    int heads = 0;
    for (int layer = 0; layer < scene.run.layers(); ++layer) {
        for (int head = 0; head < scene.run.heads(); ++head) {
            Selection at = shown;
            at.layer = layer;
            at.head = head;
            if (const auto kind = headClassAt(scene.run, at)) {
                ++counts[static_cast<std::size_t>(*kind)];
                ++heads;
            }
        }
    }
    if (heads == 0) {
        return Maps::tr("Pooled attention of step %1, layer %2, head %3.")
            .arg(shown.step + 1)
            .arg(shown.layer + 1)
            .arg(shown.head + 1);
    }
    return Maps::tr("Step %1: %2 spatial, %3 temporal, %4 global and %5 sink heads.")
        .arg(shown.step + 1)
        .arg(counts[0])
        .arg(counts[1])
        .arg(counts[2])
        .arg(counts[3]);
}

QList<QStringList> MapsView::table(const Scene& scene) const {
    QList<QStringList> rows{{QStringLiteral("query_block"), QStringLiteral("key_block"), QStringLiteral("mass")}};
    const qint64 record =
        scene.run.find(ProbeKind::AttentionMap, scene.run.kept(ProbeKind::AttentionMap, scene.selection));
    if (record < 0) {
        return rows;
    }
    const auto blocks = static_cast<std::size_t>(scene.run.probes().blockCount());
    const auto values = scene.run.table(ProbeKind::AttentionMap)->values(record);
    for (std::size_t i = 0; i < values.size(); ++i) {
        rows.append(
            {QString::number(i / blocks), QString::number(i % blocks), plain(static_cast<double>(values[i]))});
    }
    return rows;
}

}  // namespace fw::ui
