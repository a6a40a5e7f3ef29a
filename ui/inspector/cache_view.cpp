#include "ui/inspector/cache_view.h"

#include <QCoreApplication>
#include <algorithm>
#include <array>
#include <cmath>

#include "core/trace/trace_file.h"
#include "ui/inspector/chart.h"

namespace fw::ui {
namespace {

using trace::Module;
using trace::ProbeKind;
using trace::Source;

struct Caches {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Caches)
};

constexpr std::array kModules{Module::SelfAttention, Module::CrossAttention, Module::FeedForward, Module::Blocks};

// Rows of the timeline: one for each layer a module has, or one for a module outside the layers.
struct Lane {
    Module module = Module::SelfAttention;
    std::vector<int> layers;
};

std::vector<Lane> lanes(const RunModel& run, int branch) {
    std::vector<Lane> result;
    for (const Module module : kModules) {
        Lane lane{module, {}};
        for (int layer = -1; layer < run.layers(); ++layer) {
            for (int step = 0; step < run.steps(); ++step) {
                if (run.call(module, step, branch, layer)) {
                    lane.layers.push_back(layer);
                    break;
                }
            }
        }
        if (!lane.layers.empty()) {
            result.push_back(std::move(lane));
        }
    }
    return result;
}

// Here self-attention is all of it.
QString titleOf(Module module) {
    return module == Module::SelfAttention ? Caches::tr("Self-attention") : moduleTitle(module);
}

QColor sourceColour(const Canvas& canvas, Source source) {
    const bool dark = canvas.colours().text.lightness() > 128;
    switch (source) {
        case Source::Computed:
            return categoryColour(0, dark);
        case Source::Reused:
            return categoryColour(1, dark);
        case Source::Predicted:
            return categoryColour(2, dark);
    }
    return {};
}

// None that says where a result came from.
QColor curveColour(Module module, bool dark) {
    return categoryColour(module == Module::SelfAttention    ? 5
                          : module == Module::CrossAttention ? 4
                          : module == Module::FeedForward    ? 6
                                                             : 7,
                          dark);
}

QString sourceTitle(Source source) {
    switch (source) {
        case Source::Computed:
            return Caches::tr("computed");
        case Source::Reused:
            return Caches::tr("reused");
        case Source::Predicted:
            return Caches::tr("predicted");
    }
    return {};
}

// One line of a curve over the steps.
struct Curve {
    Module module = Module::SelfAttention;
    std::vector<std::pair<int, double>> points;
};

// Mean over layers of one of: how much a module's output changed since the step before, the U-curve caches rest on;
// how far what stood in for a module was from what it would have given.
std::vector<Curve> meansOfLayers(const RunModel& run, ProbeKind kind, int branch) {
    const auto* table = run.table(kind);
    if (table == nullptr) {
        return {};
    }
    std::map<int, std::map<int, std::pair<double, int>>> sums;  // module, step
    for (std::int64_t i = 0; i < table->size(); ++i) {
        const auto& site = table->site(i);
        const double value = static_cast<double>(table->values(i)[0]);
        if (site.branch == branch && std::isfinite(value)) {
            auto& sum = sums[table->item(i)][site.step];
            sum.first += value;
            ++sum.second;
        }
    }
    std::vector<Curve> curves;
    for (const auto& [module, steps] : sums) {
        Curve curve{static_cast<Module>(module), {}};
        for (const auto& [step, sum] : steps) {
            curve.points.emplace_back(step, sum.first / sum.second);
        }
        curves.push_back(std::move(curve));
    }
    return curves;
}

// Measured: nothing where it was not.
std::optional<double> errorAt(const RunModel& run, Module module, const trace::ProbeSite& site) {
    const qint64 record = run.findItem(ProbeKind::CacheError, site, static_cast<int>(module));
    return record < 0 ? std::nullopt
                      : std::optional(static_cast<double>(run.table(ProbeKind::CacheError)->values(record)[0]));
}

// Over all that was measured.
std::optional<double> meanError(const RunModel& run) {
    const auto* table = run.table(ProbeKind::CacheError);
    double sum = 0.0;
    int count = 0;
    for (std::int64_t i = 0; table != nullptr && i < table->size(); ++i) {
        const double value = static_cast<double>(table->values(i)[0]);
        sum += std::isfinite(value) ? value : 0.0;
        count += std::isfinite(value) ? 1 : 0;
    }
    return count == 0 ? std::nullopt : std::optional(sum / count);
}

// What a cache that follows the data saw, step by step.
struct Decision {
    int step = 0;
    double predictor = 0.0, threshold = 0.0;
    bool reused = false;
};

std::vector<Decision> decisions(const RunModel& run, int branch) {
    std::vector<Decision> result;
    const Json& about = run.trace().metadata;
    if (!about.contains("cache_log") || !about["cache_log"].is_array()) {
        return result;
    }
    for (const Json& entry : about["cache_log"]) {  // [step, branch, predictor, threshold, reused]
        const bool good = entry.is_array() && entry.size() == 5 && entry[0].is_number_integer() &&
                          entry[1].is_number_integer() && entry[2].is_number() && entry[3].is_number() &&
                          entry[4].is_boolean();
        if (good && entry[1].get<int>() == branch) {
            result.push_back(
                {entry[0].get<int>(), entry[2].get<double>(), entry[3].get<double>(), entry[4].get<bool>()});
        }
    }
    return result;
}

struct Count {
    int calls = 0, stoodIn = 0;
};

Count counts(const RunModel& run) {
    Count count;
    for (const auto& row : run.trace().rows()) {
        if (std::find(kModules.begin(), kModules.end(), row.module) != kModules.end()) {
            ++count.calls;
            count.stoodIn += row.source != Source::Computed ? 1 : 0;
        }
    }
    return count;
}

}  // namespace

QString CacheView::title() const {
    return Caches::tr("Step cache");
}

QString CacheView::missing(const RunModel& run) const {
    return lanes(run, 0).empty() ? Caches::tr("This trace holds no calls of modules.") : QString();
}

bool CacheView::showsErrors(const RunModel& run) const {
    return run.table(ProbeKind::CacheError) != nullptr && (m_errors || run.table(ProbeKind::Change) == nullptr);
}

std::vector<ViewOption> CacheView::options(const RunModel& run) const {
    if (run.table(ProbeKind::CacheError) == nullptr || run.table(ProbeKind::Change) == nullptr) {
        return {};
    }
    return {{Caches::tr("Below"),
             Caches::tr("What the cache was wrong by, or how much outputs change from step to step"),
             {Caches::tr("measured error"), Caches::tr("change")},
             m_errors ? 0 : 1}};
}

void CacheView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    const bool curves = scene.run.table(ProbeKind::Change) != nullptr || showsErrors(scene.run) ||
                        !decisions(scene.run, scene.selection.branch).empty();
    const double below = curves ? std::floor(area.height() * 0.36) : canvas.lineHeight() * 2;
    const QPointF end = drawTimeline(canvas, area.adjusted(0, 0, 0, -below - 2 * kGrid), scene);
    const double lower = end.y() + 3 * kGrid;
    const QRectF rest(area.left(), lower, area.width(), std::min(area.bottom() - lower, area.height() * 0.5));
    if (curves) {
        drawCurves(canvas, rest, scene, end.x());
    } else {
        canvas.paragraph(rest,
                         Caches::tr("How much each module's output changes from step to step is not in this trace; "
                                    "the probe 'change' measures it."),
                         canvas.colours().textSecondary);
    }
}

QPointF CacheView::drawTimeline(Canvas& canvas, const QRectF& area, Scene& scene) const {
    const RunModel& run = scene.run;
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const auto all = lanes(run, scene.selection.branch);
    std::vector<std::pair<QColor, QString>> key;
    for (const Source source : {Source::Computed, Source::Reused, Source::Predicted}) {
        key.emplace_back(sourceColour(canvas, source), sourceTitle(source));
    }
    drawKey(canvas, area.topLeft(), key);
    double names = 0.0;
    std::size_t rows = 0;
    for (const Lane& lane : all) {
        names = std::max(names, canvas.textWidth(titleOf(lane.module)));
        rows += lane.layers.size();
    }
    names = std::min(names + canvas.textWidth(QStringLiteral("000")) + kGrid, area.width() * 0.35);
    const QRectF plot = area.adjusted(names + kGrid, line + kGrid, 0, -line - 4);
    const double gap = kGrid;
    const double room = plot.height() - gap * (static_cast<double>(all.size()) - 1.0);
    const double height = std::clamp(room / static_cast<double>(rows), 1.0, 22.0);
    const double width = plot.width() / run.steps();
    double y = plot.top();
    for (const Lane& lane : all) {
        const double lower = y + height * static_cast<double>(lane.layers.size());
        canvas.textLeft({area.left(), y, names, std::max(line, std::min(lower - y, line))}, titleOf(lane.module),
                        c.text);
        for (const int layer : lane.layers) {
            const bool numbered = height >= line * 0.75 || layer == lane.layers.back();
            if (lane.layers.size() > 1 && numbered && lower - y >= line * 0.5) {
                canvas.textRight({plot.left() - 40, y, 36, height}, QString::number(layer + 1), c.textSecondary);
            }
            for (int step = 0; step < run.steps(); ++step) {
                const auto call = run.call(lane.module, step, scene.selection.branch, layer);
                const QRectF cell(plot.left() + width * step, y, width - (width > 4 ? 1 : 0),
                                  height - (height > 4 ? 1 : 0));
                if (call) {
                    canvas.fill(cell, sourceColour(canvas, call->source));
                }
                if (canvas.isHovered(cell)) {
                    const QString where = layer < 0
                                              ? Caches::tr("Step %1: %2").arg(step + 1).arg(titleOf(lane.module))
                                              : Caches::tr("Step %1, layer %2: %3")
                                                    .arg(step + 1)
                                                    .arg(layer + 1)
                                                    .arg(titleOf(lane.module));
                    QString tip = where + QLatin1Char('\n') +
                                  (call ? Caches::tr("%1, %2 ms")
                                              .arg(sourceTitle(call->source),
                                                   readable(static_cast<double>(call->durationUs) * 1.0e-3))
                                        : Caches::tr("not called"));
                    if (const auto error = errorAt(run, lane.module, {step, scene.selection.branch, layer, -1})) {
                        tip += QLatin1Char('\n') + Caches::tr("error %1 of the mean square").arg(readable(*error));
                    }
                    canvas.setTip(tip);
                }
                if (canvas.isClicked(cell)) {
                    scene.selection.step = step;
                    scene.selection.layer = layer < 0 ? scene.selection.layer : layer;
                }
            }
            if (layer == scene.selection.layer) {
                canvas.frame({plot.left() + width * scene.selection.step, y, width, height}, c.text, 1.5);
            }
            y += height;
        }
        y += gap;
    }
    const int every = std::max(1, static_cast<int>(std::ceil(canvas.textWidth(QStringLiteral("000")) / width)));
    for (int step = 0; step < run.steps(); step += every) {
        canvas.textCentred({plot.left() + width * step, y - gap + 2, width, line}, QString::number(step + 1),
                           c.textSecondary);
    }
    canvas.textLeft({area.left(), y - gap + 2, names, line}, Caches::tr("step"), c.textSecondary);
    return {plot.left(), y - gap + 2 + line};
}

void CacheView::drawCurves(Canvas& canvas, const QRectF& area, const Scene& scene, double left) const {
    const bool dark = canvas.colours().text.lightness() > 128;
    const bool errors = showsErrors(scene.run);
    const auto curves =
        meansOfLayers(scene.run, errors ? ProbeKind::CacheError : ProbeKind::Change, scene.selection.branch);
    const auto log = errors ? std::vector<Decision>() : decisions(scene.run, scene.selection.branch);
    double most = 0.0;
    for (const Curve& curve : curves) {
        for (const auto& [step, value] : curve.points) {
            most = std::max(most, value);
        }
    }
    for (const Decision& decision : log) {
        most = std::max({most, decision.predictor, decision.threshold});
    }
    const Axis x{0.0, static_cast<double>(scene.run.steps()), false, Caches::tr("step")};
    const Axis y{0.0, most > 0.0 ? most * 1.05 : 1.0, false,
                 errors ? Caches::tr("measured error of what stood in (mean square, relative), mean of layers")
                 : curves.empty()
                     ? Caches::tr("predictor of the cache against its threshold")
                     : Caches::tr("change since the step before (mean square, relative), mean of layers")};
    // Room for the key where it does not fit beside the axis's name.
    std::vector<std::pair<QColor, QString>> key;
    for (const Curve& curve : curves) {
        key.emplace_back(curveColour(curve.module, dark), titleOf(curve.module));
    }
    if (!log.empty()) {
        key.emplace_back(categoryColour(3, dark), Caches::tr("predictor"));
        key.emplace_back(categoryColour(7, dark), Caches::tr("threshold"));
    }
    double width = canvas.textWidth(y.name) + 3 * kGrid;
    const double beside = area.left() + width;
    for (const auto& [colour, name] : key) {
        width += 15 + canvas.textWidth(name) + 2 * kGrid;
    }
    const bool fits = width <= area.width() + 2 * kGrid;
    drawKey(canvas, fits ? QPointF(beside, area.top()) : area.topLeft(), key);
    const Chart chart(canvas, fits ? area : area.adjusted(0, canvas.lineHeight() + 4, 0, 0), x, y, false, left);
    // Steps without a number break the line.
    const auto draw = [&](const std::vector<std::pair<int, double>>& points, const QColor& colour,
                          const QString& name) {
        QPolygonF line;
        int last = -1;
        for (const auto& [step, value] : points) {
            const QPointF at = chart.at(step + 0.5, value);
            if (step != last + 1) {
                canvas.path(line, colour);
                line.clear();
            }
            last = step;
            line.append(at);
            canvas.dot(at, 2.5, colour);
            if (canvas.isHovered({at.x() - 5, at.y() - 5, 10, 10})) {
                canvas.setTip(Caches::tr("Step %1: %2\n%3").arg(step + 1).arg(name, readable(value)));
            }
        }
        canvas.path(line, colour);
    };
    for (const Curve& curve : curves) {
        draw(curve.points, curveColour(curve.module, dark), titleOf(curve.module));
    }
    if (!log.empty()) {
        std::vector<std::pair<int, double>> predictor, threshold;
        for (const Decision& decision : log) {
            predictor.emplace_back(decision.step, decision.predictor);
            threshold.emplace_back(decision.step, decision.threshold);
        }
        draw(predictor, categoryColour(3, dark), Caches::tr("predictor"));
        draw(threshold, categoryColour(7, dark), Caches::tr("threshold"));
    }
}

QString CacheView::caption(const Scene& scene) const {
    const Count count = counts(scene.run);
    if (count.stoodIn == 0) {
        return Caches::tr("Every module was computed in every step.");
    }
    QString text = Caches::tr("%1 of %2 calls of modules were answered by the cache '%3' (%4 %).")
                       .arg(count.stoodIn)
                       .arg(count.calls)
                       .arg(scene.run.cache(), readable(100.0 * count.stoodIn / std::max(1, count.calls)));
    if (const auto error = meanError(scene.run)) {
        text += QLatin1Char(' ') +
                Caches::tr("Their measured error is %1 of the mean square, in the mean.").arg(readable(*error));
    }
    return text;
}

QList<QStringList> CacheView::table(const Scene& scene) const {
    QList<QStringList> rows{{QStringLiteral("step"), QStringLiteral("branch"), QStringLiteral("layer"),
                             QStringLiteral("module"), QStringLiteral("source"), QStringLiteral("milliseconds"),
                             QStringLiteral("measured_error")}};
    for (const auto& row : scene.run.trace().rows()) {
        if (row.step < 0 || std::find(kModules.begin(), kModules.end(), row.module) == kModules.end()) {
            continue;
        }
        static constexpr const char* kSources[] = {"computed", "reused", "predicted"};
        const auto name = trace::moduleName(row.module);
        const auto error = row.source == Source::Computed
                               ? std::nullopt
                               : errorAt(scene.run, row.module, {row.step, row.branch, row.layer, -1});
        rows.append({QString::number(row.step), QString::number(row.branch), QString::number(row.layer),
                     QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size())),
                     QLatin1String(kSources[static_cast<std::size_t>(row.source)]),
                     plain(static_cast<double>(row.durationUs) * 1.0e-3), error ? plain(*error) : QString()});
    }
    return rows;
}

}  // namespace fw::ui
