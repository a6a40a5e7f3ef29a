#include "ui/inspector/gate_view.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <limits>

namespace fw::ui {
namespace {

using trace::ProbeKind;

struct Gates {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Gates)
};

// What the linear branch adds against the sparse part, RMS to RMS.
struct Share {
    double sparse = 0.0, linear = 0.0, gate = 0.0;
    [[nodiscard]] double ratio() const { return sparse > 0.0 ? linear / sparse : 0.0; }
};

std::optional<Share> shareAt(const RunModel& run, int step, int branch, int layer) {
    const qint64 record = run.find(ProbeKind::LinearShare, {.step = step, .branch = branch, .layer = layer}, false);
    if (record < 0) {
        return std::nullopt;
    }
    const auto values = run.table(ProbeKind::LinearShare)->values(record);
    return Share{static_cast<double>(values[0]), static_cast<double>(values[1]), static_cast<double>(values[2])};
}

qint64 gateRecord(const RunModel& run, const Selection& near) {
    return run.find(ProbeKind::Gate, near, near.head >= 0);
}

}  // namespace

QString GateView::title() const {
    return Gates::tr("Linear branch");
}

QString GateView::missing(const RunModel& run) const {
    if (run.table(ProbeKind::Gate) != nullptr || run.table(ProbeKind::LinearShare) != nullptr) {
        return {};
    }
    return run.method() == QLatin1String("salad")
               ? missingProbes(Gates::tr("gates"))
               : Gates::tr("Only the method SALAD has a linear branch; this clip was made with '%1'.")
                     .arg(run.method());
}

void GateView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    const double gap = 3 * kGrid;
    const bool gates = scene.run.table(ProbeKind::Gate) != nullptr;
    const bool shares = scene.run.table(ProbeKind::LinearShare) != nullptr;
    const double left = gates && shares ? std::floor((area.width() - gap) * 0.62) : gates ? area.width() : 0.0;
    if (gates) {
        drawGate(canvas, {area.left(), area.top(), left, area.height()}, scene);
    }
    if (shares) {
        drawShare(canvas, area.adjusted(gates ? left + gap : 0, 0, 0, 0), scene);
    }
}

void GateView::drawGate(Canvas& canvas, const QRectF& area, const Scene& scene) {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const auto near = scene.run.nearest(ProbeKind::Gate, scene.selection);
    const qint64 record = near ? gateRecord(scene.run, *near) : -1;
    if (record < 0) {
        return;
    }
    if (record != m_record || m_run != &scene.run) {
        m_record = record;
        m_run = &scene.run;
        m_values = scene.run.table(ProbeKind::Gate)->values(record);
        ++m_key;
    }
    canvas.text(
        area.topLeft(),
        canvas.elided(Gates::tr("gate at each patch; step %1, layer %2").arg(near->step + 1).arg(near->layer + 1),
                      area.width()),
        c.textSecondary);
    const QRectF room = area.adjusted(0, line + 2, 0, -3 * line - 2 * kGrid);
    const FrameGrid frames(room, scene.run.grid(), line);
    const double under = std::min(frames.bounds().bottom() + 2 * kGrid, area.bottom() - 3 * line);
    m_images.setValues(m_values, scene.run.grid(), {0.0F, 1.0F}, 1.0, m_key);
    m_images.draw(canvas, frames);
    if (canvas.isHovered(frames.bounds())) {
        const int token = frames.tokenAt(canvas.pointer());
        if (token >= 0) {
            canvas.setTip(
                tokenTitle(token, scene.run.grid()) + QLatin1Char('\n') +
                Gates::tr("gate %1").arg(readable(static_cast<double>(m_values[static_cast<std::size_t>(token)]))));
            if (canvas.isClicked(frames.bounds())) {
                scene.selection.token = token;
            }
        }
    }
    drawLegend(canvas, {area.left(), under, std::min(240.0, area.width()), 3 * line},
               Gates::tr("gate of the linear branch"), QStringLiteral("0"), QStringLiteral("1"));
}

void GateView::drawShare(Canvas& canvas, const QRectF& area, Scene& scene) const {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const RunModel& run = scene.run;
    std::vector<float> values;
    for (int layer = 0; layer < run.layers(); ++layer) {
        for (int step = 0; step < run.steps(); ++step) {
            const auto share = shareAt(run, step, scene.selection.branch, layer);
            values.push_back(share ? static_cast<float>(share->ratio()) : std::numeric_limits<float>::quiet_NaN());
        }
    }
    const HeatRange range{0.0F, rangeOf(values).most};
    canvas.text(area.topLeft(), canvas.elided(Gates::tr("layer downwards, step to the right"), area.width()),
                c.textSecondary);
    const double names = canvas.textWidth(QStringLiteral("000"));
    const QRectF room = area.adjusted(names, line + 4, 0, -4 * line - 2 * kGrid);
    const double width = room.width() / run.steps();
    const double height = std::min(40.0, room.height() / run.layers());
    const QRectF map(room.left(), room.top(), room.width(), height * run.layers());
    canvas.image(map, heatImage(values, run.steps(), run.layers(), range));
    const int everyRow = std::max(1, static_cast<int>(std::ceil(line / height)));
    const int everyColumn = std::max(1, static_cast<int>(std::ceil(names / width)));
    for (int layer = 0; layer < run.layers(); layer += everyRow) {
        canvas.textRight({area.left(), map.top() + layer * height, names - 6, height}, QString::number(layer + 1),
                         c.textSecondary);
    }
    for (int step = 0; step < run.steps(); step += everyColumn) {
        canvas.textCentred({map.left() + step * width, map.bottom() + 2, width, line}, QString::number(step + 1),
                           c.textSecondary);
    }
    canvas.frame(
        {map.left() + scene.selection.step * width, map.top() + scene.selection.layer * height, width, height},
        c.text, 2);
    if (canvas.isHovered(map)) {
        const int step =
            std::clamp(static_cast<int>((canvas.pointer().x() - map.left()) / width), 0, run.steps() - 1);
        const int layer =
            std::clamp(static_cast<int>((canvas.pointer().y() - map.top()) / height), 0, run.layers() - 1);
        const QString where = Gates::tr("Step %1, layer %2").arg(step + 1).arg(layer + 1);
        const auto share = shareAt(run, step, scene.selection.branch, layer);
        canvas.setTip(share ? where + QLatin1Char('\n') +
                                  Gates::tr("sparse part %1, linear part %2 (RMS)\nratio %3, mean gate %4")
                                      .arg(readable(share->sparse), readable(share->linear),
                                           readable(share->ratio()), readable(share->gate))
                            : where + QLatin1Char('\n') + Gates::tr("not kept"));
        if (canvas.isClicked(map)) {
            scene.selection.step = step;
            scene.selection.layer = layer;
        }
    }
    const double under = std::min(map.bottom() + line + 2 * kGrid, area.bottom() - 3 * line);
    drawLegend(canvas, {map.left(), under, std::min(240.0, map.width()), 3 * line},
               Gates::tr("linear part over sparse part, RMS"), QStringLiteral("0"),
               readable(static_cast<double>(range.most)));
}

QString GateView::caption(const Scene& scene) const {
    const Json parameters = scene.run.methodParameters(scene.selection.step);
    const auto weight = parameters.find("branch_scale");
    const QString scale =
        weight != parameters.end() && weight->is_number()
            ? QLatin1Char(' ') +
                  Gates::tr("The branch's weight λ (branch_scale) is %1.").arg(readable(weight->get<double>()))
            : QString();
    return shareText(scene) + scale;
}

QString GateView::shareText(const Scene& scene) const {
    const auto share = shareAt(scene.run, scene.selection.step, scene.selection.branch, scene.selection.layer);
    return share
               ? Gates::tr("Step %1, layer %2: the linear branch adds %3 of the sparse part's size; mean gate %4.")
                     .arg(scene.selection.step + 1)
                     .arg(scene.selection.layer + 1)
                     .arg(readable(share->ratio()), readable(share->gate))
               : Gates::tr("No share of the linear branch was kept at step %1, layer %2.")
                     .arg(scene.selection.step + 1)
                     .arg(scene.selection.layer + 1);
}

QList<QStringList> GateView::table(const Scene& scene) const {
    QList<QStringList> rows{{QStringLiteral("step"), QStringLiteral("branch"), QStringLiteral("layer"),
                             QStringLiteral("rms_sparse"), QStringLiteral("rms_linear"),
                             QStringLiteral("mean_gate")}};
    if (const auto* table = scene.run.table(ProbeKind::LinearShare); table != nullptr) {
        for (std::int64_t i = 0; i < table->size(); ++i) {
            const auto& site = table->site(i);
            const auto values = table->values(i);
            rows.append({QString::number(site.step), QString::number(site.branch), QString::number(site.layer),
                         plain(static_cast<double>(values[0])), plain(static_cast<double>(values[1])),
                         plain(static_cast<double>(values[2]))});
        }
    }
    return rows;
}

}  // namespace fw::ui
