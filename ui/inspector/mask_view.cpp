#include "ui/inspector/mask_view.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "ui/inspector/frame_grid.h"
#include "ui/inspector/mask_painter.h"

namespace fw::ui {
namespace {

using trace::ProbeKind;

struct Masks {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Masks)
};

enum Compare { kNothing, kStepBefore, kLayerBefore, kHeadBefore, kOtherRun };

// Both, only here, only there, none.
QColor pairColour(bool here, bool there, bool dark) {
    if (here && there) {
        return categoryColour(0, dark);
    }
    return here    ? categoryColour(1, dark)
           : there ? categoryColour(3, dark)
           : dark  ? QColor(0x29, 0x2b, 0x2e)
                   : QColor(0xe4, 0xe6, 0xe8);
}

trace::TileOrder orderAt(const RunModel& run, const Selection& at) {
    const qint64 record = run.find(ProbeKind::Mask, at);
    return record >= 0                    ? static_cast<trace::TileOrder>(run.table(ProbeKind::Mask)->item(record))
           : run.probes().mask.box[0] > 0 ? trace::TileOrder::Boxes
                                          : trace::TileOrder::FrameMajor;
}

// Dense attention leaves nothing out and records no mask, but of heads that were painted over; its masks are known
// all the same, at every step.
bool isDense(const RunModel& run) {
    return run.hasProbes() && run.method() == QLatin1String("dense") && run.probes().scan.heads == 0;
}

// The place whose mask is shown at `at`.
Selection shownAt(const RunModel& run, const Selection& at) {
    return isDense(run) ? at : run.kept(ProbeKind::Mask, at);
}

bool isPainted(const Scene& scene) {
    return scene.painter != nullptr && scene.painter->isPainted(scene.selection.layer, scene.selection.head);
}

double density(const MaskBits& bits) {
    const auto tiles = static_cast<double>(bits.tiles());
    return bits.isEmpty() ? 0.0 : static_cast<double>(bits.count()) / (tiles * tiles);
}

// Mean of the kept mass of all tiles; nothing where it was not kept.
std::optional<double> keptMass(const RunModel& run, const Selection& at) {
    const qint64 record = run.find(ProbeKind::KeptMass, at);
    if (record < 0) {
        return std::nullopt;
    }
    double sum = 0.0;
    int count = 0;
    for (const float value : run.table(ProbeKind::KeptMass)->values(record)) {
        if (std::isfinite(value)) {
            sum += static_cast<double>(value);
            ++count;
        }
    }
    return count == 0 ? std::nullopt : std::optional(sum / count);
}

// "64", or of boxes "1 × 4 × 4".
QString sizeText(const trace::MaskTiles& tiles) {
    return tiles.box[0] > 0 ? QStringLiteral("%1 × %2 × %3").arg(tiles.box[0]).arg(tiles.box[1]).arg(tiles.box[2])
                            : QString::number(tiles.size);
}

QString percent(double part) {
    return QStringLiteral("%1 %").arg(readable(100.0 * part, 3));
}

}  // namespace

double MaskView::Difference::jaccard() const {
    const std::int64_t all = common + here + there;
    return all == 0 ? 1.0 : static_cast<double>(common) / static_cast<double>(all);
}

QString MaskView::title() const {
    return Masks::tr("Masks");
}

QString MaskView::missing(const RunModel& run) const {
    if (run.table(ProbeKind::Mask) != nullptr || isDense(run)) {
        return {};
    }
    return run.hasProbes() ? Masks::tr(
                                 "No masks here: the method '%1' computed all pairs of tiles, or the probe 'mask' "
                                 "was not asked for.")
                                 .arg(run.method())
                           : missingProbes(Masks::tr("masks"));
}

std::vector<ViewOption> MaskView::options(const RunModel&) const {
    return {{Masks::tr("Compare with"),
             Masks::tr("Colours what only one of two masks computed. Another trace is chosen in the menu Export."),
             {Masks::tr("nothing"), Masks::tr("the step before"), Masks::tr("the layer before"),
              Masks::tr("the head before"), Masks::tr("the other trace")},
             m_compare}};
}

MaskBits MaskView::bitsAt(const RunModel& run, const Selection& at) const {
    const std::int64_t tiles = run.probes().maskTileCount();
    const qint64 record = run.find(ProbeKind::Mask, at);
    const auto viewOf = [tiles](const std::vector<std::uint8_t>& bits) {
        return MaskBits(ConstTensorView(bits.data(), DType::U8, {static_cast<std::int64_t>(bits.size())}), tiles);
    };
    if (record >= 0) {
        return {run.table(ProbeKind::Mask)->record(record), tiles};
    }
    if (!isDense(run) || !run.whatIf()) {
        return {};
    }
    if (const auto* painted = run.paintedMask(at)) {
        return painted->empty() ? MaskBits() : viewOf(*painted);
    }
    m_full.assign(static_cast<std::size_t>((tiles * tiles + 7) / 8), 0xff);
    return viewOf(m_full);
}

MaskBits MaskView::shownBits(const Scene& scene) const {
    const Selection& at = scene.selection;
    return isPainted(scene) ? scene.painter->bits(at.layer, at.head) : bitsAt(scene.run, at);
}

MaskBits MaskView::otherBits(const Scene& scene) const {
    Selection at = scene.selection;
    if (m_compare == kNothing && isPainted(scene)) {
        return bitsAt(scene.run, at);  // what was painted against what was computed
    }
    switch (m_compare) {
        case kStepBefore: {  // that was kept
            const auto& steps = scene.run.stepsOf(ProbeKind::Mask);
            const auto here = std::lower_bound(steps.begin(), steps.end(), at.step);
            at.step = here == steps.begin() ? -1 : *std::prev(here);
            break;
        }
        case kLayerBefore:
            --at.layer;
            break;
        case kHeadBefore:
            --at.head;
            break;
        case kOtherRun:
            // Masks of other sizes cannot be laid over one another.
            return scene.other != nullptr && scene.other->hasProbes() &&
                           scene.other->probes().maskTileCount() == scene.run.probes().maskTileCount()
                       ? bitsAt(*scene.other, at)
                       : MaskBits();
        default:
            return {};
    }
    return at.step < 0 || at.layer < 0 || at.head < 0 ? MaskBits() : bitsAt(scene.run, at);
}

std::optional<MaskView::Difference> MaskView::difference(const Scene& scene) const {
    const MaskBits here = shownBits(scene), there = otherBits(scene);
    if (here.isEmpty() || there.isEmpty()) {
        return std::nullopt;
    }
    Difference result;
    for (std::int64_t q = 0; q < here.tiles(); ++q) {
        for (std::int64_t k = 0; k < here.tiles(); ++k) {
            const bool a = here.at(q, k), b = there.at(q, k);
            result.common += a && b ? 1 : 0;
            result.here += a && !b ? 1 : 0;
            result.there += !a && b ? 1 : 0;
        }
    }
    return result;
}

std::int64_t MaskView::chosenTile(const RunModel& run, const Selection& at) const {
    const std::int64_t token = std::clamp<std::int64_t>(at.token, 0, run.tokens() - 1);
    return std::min(tileOf(token, run.probes(), orderAt(run, at)), run.probes().maskTileCount() - 1);
}

void MaskView::refresh(const Scene& scene, bool dark) {
    const quint64 revision = scene.painter != nullptr ? scene.painter->revision() : 0;
    if (m_run == &scene.run && m_other == scene.other && m_shown == scene.selection &&
        m_shownCompare == m_compare && m_dark == dark && m_shownRevision == revision) {
        return;
    }
    m_shownRevision = revision;
    m_run = &scene.run;
    m_other = scene.other;
    m_shown = scene.selection;
    m_shownCompare = m_compare;
    m_dark = dark;
    m_matrix = QImage();
    m_difference = difference(scene);
    m_frames.clear();
    const MaskBits here = shownBits(scene);
    if (here.isEmpty()) {
        return;
    }
    const MaskBits there = otherBits(scene);
    const auto computedThere = [&](std::int64_t q, std::int64_t k) {
        return there.isEmpty() ? here.at(q, k) : there.at(q, k);
    };
    const auto tiles = static_cast<int>(here.tiles());
    m_matrix = QImage(tiles, tiles, QImage::Format_RGB32);
    const std::array<QRgb, 4> colours{pairColour(false, false, dark).rgb(), pairColour(true, false, dark).rgb(),
                                      pairColour(false, true, dark).rgb(), pairColour(true, true, dark).rgb()};
    const auto colour = [&](std::int64_t q, std::int64_t k) {
        return colours[(here.at(q, k) ? 1U : 0U) + (computedThere(q, k) ? 2U : 0U)];
    };
    for (int q = 0; q < tiles; ++q) {
        auto* line = reinterpret_cast<QRgb*>(m_matrix.scanLine(q));
        for (int k = 0; k < tiles; ++k) {
            line[k] = colour(q, k);
        }
    }
    const auto grid = scene.run.grid();
    const auto order = orderAt(scene.run, scene.selection);
    const std::int64_t query = chosenTile(scene.run, scene.selection);
    int token = 0;
    for (int t = 0; t < grid[0]; ++t) {
        QImage image(grid[2], grid[1], QImage::Format_RGB32);
        for (int h = 0; h < grid[1]; ++h) {
            auto* line = reinterpret_cast<QRgb*>(image.scanLine(h));
            for (int w = 0; w < grid[2]; ++w, ++token) {
                const std::int64_t key =
                    std::min<std::int64_t>(tileOf(token, scene.run.probes(), order), tiles - 1);
                line[w] = colour(query, key);
            }
        }
        m_frames.push_back(std::move(image));
    }
}

void MaskView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    const Selection near = shownAt(scene.run, scene.selection);
    Selection chosen = near;
    Scene there{scene.run, chosen, scene.clip, scene.other, scene.painter};
    drawAt(canvas, area, there);
    if (chosen != near) {
        scene.selection = chosen;
    }
}

void MaskView::drawAt(Canvas& canvas, const QRectF& area, Scene& scene) {
    refresh(scene, canvas.colours().text.lightness() > 128);
    const double gap = 3 * kGrid;
    const bool wide = area.width() > area.height();
    const double line = canvas.lineHeight();
    const bool dark = m_dark;
    std::vector<std::pair<QColor, QString>> key;
    if (m_difference && m_compare == kNothing) {
        key = {{pairColour(true, true, dark), Masks::tr("computed")},
               {pairColour(true, false, dark), Masks::tr("painted")},
               {pairColour(false, true, dark), Masks::tr("erased")},
               {pairColour(false, false, dark), Masks::tr("skipped")}};
    } else if (m_difference) {
        key = {{pairColour(true, true, dark), Masks::tr("computed by both")},
               {pairColour(true, false, dark), Masks::tr("only here")},
               {pairColour(false, true, dark), Masks::tr("only there")},
               {pairColour(false, false, dark), Masks::tr("skipped by both")}};
    } else {
        key = {{pairColour(true, true, dark), Masks::tr("computed")},
               {pairColour(false, false, dark), Masks::tr("skipped")}};
    }
    drawKey(canvas, area.topLeft(), key);
    if (m_compare != kNothing && !m_difference) {
        const double keyWidth = canvas.textWidth(Masks::tr("computed") + Masks::tr("skipped")) + 9 * kGrid;
        canvas.text({area.left() + keyWidth, area.top()},
                    m_compare == kOtherRun && scene.other == nullptr
                        ? Masks::tr("No other trace is open: choose one in the menu Export.")
                        : Masks::tr("There is no mask to compare with."),
                    canvas.colours().danger);
    }
    const QRectF rest = area.adjusted(0, line + kGrid, 0, 0);
    if (wide) {
        const double left = std::floor(std::min(rest.height(), rest.width() * 0.5));
        drawMatrix(canvas, {rest.left(), rest.top(), left, rest.height()}, scene);
        const QRectF right = rest.adjusted(left + gap, 0, 0, 0);
        const double upper = std::floor(std::min(right.height() * 0.45, (scene.run.heads() + 2) * (line + 4)));
        drawHeads(canvas, {right.left(), right.top(), right.width(), upper}, scene);
        drawKeys(canvas, right.adjusted(0, upper + gap, 0, 0), scene);
    } else {
        const double upper = std::floor(rest.height() * 0.5);
        drawMatrix(canvas, {rest.left(), rest.top(), rest.width(), upper}, scene);
        drawKeys(canvas, rest.adjusted(0, upper + gap, 0, 0), scene);
    }
}

void MaskView::drawMatrix(Canvas& canvas, const QRectF& area, Scene& scene) {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const auto tiles = static_cast<int>(scene.run.probes().maskTileCount());
    const double strip = 14;
    const QRectF room = area.adjusted(0, line + 4, -strip - kGrid, -line);
    const double cell = cellSize(room, tiles, tiles);
    const QRectF map(room.topLeft(), QSizeF(cell * tiles, cell * tiles));
    canvas.text(area.topLeft(),
                canvas.elided(Masks::tr("key tiles to the right, query tiles downwards"), area.width()),
                c.textSecondary);
    if (m_matrix.isNull()) {
        canvas.frame(map, c.border);
        canvas.textCentred(map, canvas.elided(Masks::tr("No mask was kept here."), map.width()), c.textSecondary);
        return;
    }
    canvas.image(map, m_matrix);
    canvas.frame(map, c.border);
    const auto query = static_cast<double>(chosenTile(scene.run, scene.selection));
    canvas.frame({map.left() - 1, map.top() + query * cell - 1, map.width() + 2, std::max(2.0, cell) + 2}, c.text,
                 1.5);
    const qint64 kept = scene.run.find(ProbeKind::KeptMass, scene.selection);
    std::vector<float> mass;
    if (kept >= 0) {
        mass = scene.run.table(ProbeKind::KeptMass)->values(kept);
        const QRectF column(map.right() + kGrid, map.top(), strip, map.height());
        canvas.image(column, heatImage(mass, 1, static_cast<int>(mass.size()), {0.0F, 1.0F}));
        canvas.frame(column, c.border);
        if (canvas.isHovered(column)) {
            const auto q = std::clamp<std::size_t>(
                static_cast<std::size_t>((canvas.pointer().y() - map.top()) / cell), 0, mass.size() - 1);
            canvas.setTip(Masks::tr("query tile %1 kept %2 of its attention")
                              .arg(q + 1)
                              .arg(percent(static_cast<double>(mass[q]))));
        }
    }
    canvas.text(
        {map.left(), map.bottom() + 2},
        kept >= 0
            ? canvas.elided(Masks::tr("right: share of the attention that was kept, 0 (dark) to 1"), area.width())
            : canvas.elided(Masks::tr("tiles of %1 tokens").arg(sizeText(scene.run.probes().mask)), area.width()),
        c.textSecondary);
    paint(canvas, map, scene);
    if (!canvas.isHovered(map)) {
        return;
    }
    const auto bits = shownBits(scene);
    const int k = std::clamp(static_cast<int>((canvas.pointer().x() - map.left()) / cell), 0, tiles - 1);
    const int q = std::clamp(static_cast<int>((canvas.pointer().y() - map.top()) / cell), 0, tiles - 1);
    canvas.setTip(Masks::tr("query tile %1, key tile %2: %3")
                      .arg(q + 1)
                      .arg(k + 1)
                      .arg(!bits.isEmpty() && bits.at(q, k) ? Masks::tr("computed") : Masks::tr("skipped")));
    if (scene.painter != nullptr && scene.painter->isActive()) {
        if (orderAt(scene.run, scene.selection) == trace::TileOrder::TokenMajor) {
            canvas.setTip(
                Masks::tr("This head reads the frames of one place together: such a mask cannot be painted."));
        }
        return;
    }
    if (canvas.isClicked(map)) {
        for (int token = 0; token < scene.run.tokens(); ++token) {
            if (tileOf(token, scene.run.probes(), orderAt(scene.run, scene.selection)) == q) {
                scene.selection.token = token;
                break;
            }
        }
    }
}

void MaskView::paint(Canvas& canvas, const QRectF& map, Scene& scene) {
    MaskPainter* const painter = scene.painter;
    if (painter == nullptr || !painter->isActive() ||
        orderAt(scene.run, scene.selection) == trace::TileOrder::TokenMajor) {
        return;
    }
    const MaskBits bits = shownBits(scene);
    if (!canvas.isPressed(map) || bits.isEmpty()) {
        painter->end();
        return;
    }
    const double cell = map.width() / static_cast<double>(bits.tiles());
    const auto tileAt = [&](double offset) {
        return std::clamp<std::int64_t>(static_cast<std::int64_t>(offset / cell), 0, bits.tiles() - 1);
    };
    const std::int64_t query = tileAt(canvas.pointer().y() - map.top()),
                       key = tileAt(canvas.pointer().x() - map.left());
    if (canvas.isClicked(map)) {
        painter->begin(scene.selection.layer, scene.selection.head, bits, query, key);
    } else {
        painter->drag(query, key);
    }
}

void MaskView::drawHeads(Canvas& canvas, const QRectF& area, Scene& scene) const {
    const Colours& c = canvas.colours();
    const double line = std::max(10.0, std::min(canvas.lineHeight() + 4, (area.height() - canvas.lineHeight()) /
                                                                             std::max(1, scene.run.heads())));
    canvas.text(area.topLeft(), canvas.elided(Masks::tr("computed share and kept mass of each head"), area.width()),
                c.textSecondary);
    const double name = canvas.textWidth(Masks::tr("head %1").arg(88)) + kGrid,
                 number = canvas.textWidth(QStringLiteral("88.8 % · 88.8 %")) + kGrid;
    const bool numbers = line >= canvas.lineHeight() - 2;
    for (int head = 0; head < scene.run.heads(); ++head) {
        Selection at = scene.selection;
        at.head = head;
        const MaskBits bits = bitsAt(scene.run, at);
        const QRectF row(area.left(), area.top() + canvas.lineHeight() + 4 + head * line, area.width(), line);
        if (row.bottom() > area.bottom() + line) {
            break;
        }
        if (head == scene.selection.head) {
            canvas.fill(row, c.controlHover);
        }
        if (numbers) {
            canvas.textLeft({row.left() + 4, row.top(), name, line}, Masks::tr("head %1").arg(head + 1), c.text);
        }
        const double full = std::max(10.0, row.width() - name - number - (numbers ? kGrid : 0));
        const QRectF bar(row.left() + name, row.top() + 2, full, line - 4);
        canvas.fill(bar, pairColour(false, false, m_dark));
        canvas.fill({bar.topLeft(), QSizeF(full * density(bits), bar.height())}, pairColour(true, true, m_dark));
        const auto mass = keptMass(scene.run, at);
        if (mass) {
            const double x = bar.left() + full * std::clamp(*mass, 0.0, 1.0);
            canvas.line({x, bar.top() - 1}, {x, bar.bottom() + 1}, c.text, 2);
        }
        if (numbers) {
            canvas.textRight({row.right() - number, row.top(), number - 4, line},
                             bits.isEmpty() ? QStringLiteral("–")
                                            : percent(density(bits)) +
                                                  (mass ? QStringLiteral(" · ") + percent(*mass) : QString()),
                             c.text);
        }
        if (canvas.isClicked(row)) {
            scene.selection.head = head;
        }
    }
}

void MaskView::drawKeys(Canvas& canvas, const QRectF& area, Scene& scene) {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    if (m_frames.empty()) {
        return;  // the matrix says why
    }
    canvas.text(area.topLeft(),
                canvas.elided(Masks::tr("what query tile %1 looks at, frame by frame")
                                  .arg(chosenTile(scene.run, scene.selection) + 1),
                              area.width()),
                c.textSecondary);
    const FrameGrid frames(area.adjusted(0, line + 2, 0, 0), scene.run.grid(), line);
    for (std::size_t t = 0; t < m_frames.size(); ++t) {
        const QRectF place = frames.frame(static_cast<int>(t));
        canvas.image(place, m_frames[t]);
        canvas.text({place.left(), place.top() - line}, QString::number(t + 1), c.textSecondary);
    }
    if (scene.selection.token >= 0) {
        canvas.frame(frames.cell(scene.selection.token).adjusted(-1, -1, 1, 1), c.text, 1.5);
    }
    if (canvas.isHovered(frames.bounds())) {
        const int token = frames.tokenAt(canvas.pointer());
        if (token >= 0) {
            canvas.setTip(tokenTitle(token, scene.run.grid()));
        }
        if (token >= 0 && canvas.isClicked(frames.bounds())) {
            scene.selection.token = token;
        }
    }
}

QString MaskView::caption(const Scene& asked) const {
    Selection at = shownAt(asked.run, asked.selection);
    const Scene scene{asked.run, at, asked.clip, asked.other, asked.painter};
    const MaskBits bits = shownBits(scene);
    if (bits.isEmpty()) {
        return Masks::tr("Step %1, layer %2, head %3: no mask was kept of what this head computed.")
            .arg(at.step + 1)
            .arg(at.layer + 1)
            .arg(at.head + 1);
    }
    QString text = Masks::tr("Step %1, layer %2, head %3: %4 of the tiles computed")
                       .arg(scene.selection.step + 1)
                       .arg(scene.selection.layer + 1)
                       .arg(scene.selection.head + 1)
                       .arg(percent(density(bits)));
    if (const auto mass = isPainted(scene) ? std::nullopt : keptMass(scene.run, scene.selection)) {
        text += Masks::tr(", %1 of the attention kept").arg(percent(*mass));
    }
    text += QLatin1Char('.');
    if (const auto other = difference(scene)) {
        text += QLatin1Char(' ') +
                Masks::tr("Compared: %1 tiles in both, %2 only here, %3 only there; Jaccard index %4.")
                    .arg(other->common)
                    .arg(other->here)
                    .arg(other->there)
                    .arg(readable(other->jaccard()));
    }
    return text;
}

QList<QStringList> MaskView::table(const Scene& asked) const {
    Selection at = shownAt(asked.run, asked.selection);
    const Scene scene{asked.run, at, asked.clip, asked.other, asked.painter};
    QList<QStringList> rows{{QStringLiteral("query_tile"), QStringLiteral("key_tile"), QStringLiteral("computed"),
                             QStringLiteral("computed_there")}};
    const MaskBits here = shownBits(scene), there = otherBits(scene);
    for (std::int64_t q = 0; q < here.tiles(); ++q) {
        for (std::int64_t k = 0; k < here.tiles(); ++k) {
            rows.append({QString::number(q), QString::number(k), QString::number(here.at(q, k) ? 1 : 0),
                         there.isEmpty() ? QString() : QString::number(there.at(q, k) ? 1 : 0)});
        }
    }
    return rows;
}

}  // namespace fw::ui
