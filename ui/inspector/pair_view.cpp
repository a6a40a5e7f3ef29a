#include "ui/inspector/pair_view.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <algorithm>

#include "ui/theme.h"

namespace fw::ui {
namespace {

struct Pair {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Pair)
};

QString nameOf(const RunModel& run) {
    QString name = QFileInfo(run.file()).fileName();
    name.remove(QStringLiteral(".safetensors")).remove(QStringLiteral(".trace"));
    return name;
}

QString captionOf(const InspectorView& view, const Scene& scene) {
    const QString begins = scene.run.beginning();
    return view.caption(scene) + (begins.isEmpty() ? begins : QLatin1Char(' ') + begins);
}

// The same place in a run that may be smaller.
Selection within(Selection at, const RunModel& run) {
    at.step = std::clamp(at.step, 0, run.steps() - 1);
    at.layer = std::clamp(at.layer, 0, run.layers() - 1);
    at.head = std::clamp(at.head, 0, run.heads() - 1);
    at.branch = std::clamp(at.branch, 0, run.branches() - 1);
    at.token = at.token < run.tokens() ? at.token : -1;
    return at;
}

void drawHalf(Canvas& canvas, const QRectF& area, InspectorView& view, Scene& scene) {
    const double line = canvas.lineHeight();
    canvas.textLeft({area.left(), area.top(), area.width(), line},
                    canvas.elided(nameOf(scene.run), area.width(), true), canvas.colours().text, true);
    canvas.textLeft({area.left(), area.top() + line, area.width(), line},
                    canvas.elided(scene.run.settings(), area.width()), canvas.colours().textSecondary);
    const QRectF rest = area.adjusted(0, 2 * line + kGrid, 0, 0);
    if (const QString missing = view.missing(scene.run); !missing.isEmpty()) {
        canvas.paragraph(rest, missing, canvas.colours().textSecondary);
        return;
    }
    view.draw(canvas, rest, scene);
}

}  // namespace

PairView::PairView(InspectorView& first, InspectorView& second, const RunModel& run)
    : m_first(first), m_second(second) {
    const auto options = first.options(run);
    for (std::size_t i = 0; i < options.size(); ++i) {
        second.setOption(i, options[i].current);
    }
}

void PairView::setOption(std::size_t option, int value) {
    m_first.setOption(option, value);
    m_second.setOption(option, value);
}

void PairView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    if (scene.other == nullptr) {
        m_first.draw(canvas, area, scene);
        return;
    }
    constexpr double kGap = 3.0 * kGrid;
    const bool across = area.width() >= area.height();
    const QSizeF half = across ? QSizeF((area.width() - kGap) / 2, area.height())
                               : QSizeF(area.width(), (area.height() - kGap) / 2);
    const QPointF next = across ? QPointF(half.width() + kGap, 0) : QPointF(0, half.height() + kGap);
    const Selection before = scene.selection;
    drawHalf(canvas, QRectF(area.topLeft(), half), m_first, scene);
    const QPointF middle = area.topLeft() + next - (across ? QPointF(kGap / 2, 0) : QPointF(0, kGap / 2));
    canvas.line(middle, middle + (across ? QPointF(0, area.height()) : QPointF(area.width(), 0)),
                canvas.colours().line);
    Selection there = within(before, *scene.other);
    const Selection shown = there;
    Scene second{*scene.other, there, nullptr, &scene.run};
    drawHalf(canvas, QRectF(area.topLeft() + next, half), m_second, second);
    if (there != shown) {
        scene.selection = there;  // chosen in the second half; the panel keeps it within the first run
    }
}

QString PairView::caption(const Scene& scene) const {
    if (scene.other == nullptr) {
        return m_first.caption(scene);
    }
    Selection there = within(scene.selection, *scene.other);
    const Scene second{*scene.other, there, nullptr, &scene.run};
    const QString other = m_second.missing(*scene.other).isEmpty() ? captionOf(m_second, second) : QString();
    return QStringLiteral("%1: %2\n%3: %4")
        .arg(nameOf(scene.run), captionOf(m_first, scene), nameOf(*scene.other),
             other.isEmpty() ? Pair::tr("nothing of this view") : other);
}

QList<QStringList> PairView::table(const Scene& scene) const {
    QList<QStringList> first = m_first.table(scene);
    if (scene.other == nullptr || !m_second.missing(*scene.other).isEmpty()) {
        return first;
    }
    Selection there = within(scene.selection, *scene.other);
    const QList<QStringList> second = m_second.table({*scene.other, there, nullptr, &scene.run});
    if (first.isEmpty() || second.isEmpty() || first.first() != second.first()) {
        return first;
    }
    QList<QStringList> both{QStringList{QStringLiteral("run")} + first.first()};
    for (const auto& [name, rows] : {std::pair(nameOf(scene.run), first), {nameOf(*scene.other), second}}) {
        for (qsizetype row = 1; row < rows.size(); ++row) {
            both.append(QStringList{name} + rows[row]);
        }
    }
    return both;
}

}  // namespace fw::ui
