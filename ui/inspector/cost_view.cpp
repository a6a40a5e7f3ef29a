#include "ui/inspector/cost_view.h"

#include <QCoreApplication>
#include <algorithm>
#include <array>
#include <cmath>

#include "core/trace/trace_file.h"
#include "ui/formats.h"
#include "ui/inspector/chart.h"

namespace fw::ui {
namespace {

using trace::Module;

struct Cost {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Cost)
};

// Bottom to top in the bars, and the order of colours.
constexpr std::array kModules{
    Module::AttentionCore, Module::SelfAttention, Module::CrossAttention, Module::FeedForward, Module::Embeddings,
    Module::Output,        Module::Guidance,      Module::Sampler,        Module::Blocks,      Module::Preview,
    Module::Probe,         Module::TextEncoder,   Module::VaeDecode,      Module::VaeEncode};

QColor moduleColour(const Canvas& canvas, Module module) {
    const bool dark = canvas.colours().text.lightness() > 128;
    const auto at = std::find(kModules.begin(), kModules.end(), module);
    const auto index = static_cast<int>(at - kModules.begin());
    // The last ones are small or rare: they share a grey, and the table tells them apart.
    return index < 4                 ? categoryColour(index, dark)
           : module == Module::Probe ? categoryColour(6, dark)
           : module == Module::TextEncoder || module == Module::VaeDecode || module == Module::VaeEncode
               ? categoryColour(index - 7, dark)
               : categoryColour(7, dark);
}

double seconds(const ModuleCost& cost) {
    return static_cast<double>(cost.durationUs) * 1.0e-6;
}

double flopRate(const ModuleCost& cost) {
    return cost.durationUs > 0 ? static_cast<double>(cost.flops) / seconds(cost) : 0.0;
}

double byteRate(const ModuleCost& cost) {
    return cost.durationUs > 0 ? static_cast<double>(cost.bytes) / seconds(cost) : 0.0;
}

double intensity(const ModuleCost& cost) {
    return cost.bytes > 0 ? static_cast<double>(cost.flops) / static_cast<double>(cost.bytes) : 0.0;
}

std::vector<std::pair<Module, ModuleCost>> sums(const RunModel& run) {
    std::vector<std::pair<Module, ModuleCost>> result;
    for (const Module module : kModules) {
        const ModuleCost cost = run.total(module);
        if (cost.calls > 0) {
            result.emplace_back(module, cost);
        }
    }
    return result;
}

ModuleCost stepCost(const RunModel& run, int step) {
    ModuleCost sum;
    for (const auto& [module, cost] : run.cost()[static_cast<std::size_t>(step) + 1]) {
        sum += cost;
    }
    return sum;
}

// What looking on took is no part of the plan.
double counted(const RunModel& run, int step) {
    const auto& costs = run.cost()[static_cast<std::size_t>(step) + 1];
    const auto probes = costs.find(Module::Probe);
    return static_cast<double>(stepCost(run, step).flops - (probes == costs.end() ? 0 : probes->second.flops));
}

// Theory against measurement, of one step.
QString planTip(const RunModel& run, int step) {
    const double plan = run.planFlops(step);
    return plan <= 0.0 ? QString()
                       : QLatin1Char('\n') + Cost::tr("The whole step: %1 planned, %2 counted")
                                                 .arg(flopsText(static_cast<qint64>(plan)),
                                                      flopsText(static_cast<qint64>(counted(run, step))));
}

QString costTip(const QString& title, const ModuleCost& cost) {
    QString tip = Cost::tr("%1\n%2 ms, %n call(s)", nullptr, cost.calls)
                      .arg(title, readable(static_cast<double>(cost.durationUs) * 1.0e-3, 4));
    tip += QLatin1Char('\n') + flopsText(cost.flops) + QStringLiteral(", ") + bytesText(cost.bytes);
    if (cost.flops > 0) {
        tip += QLatin1Char('\n') + Cost::tr("%1 GFLOP/s, %2 FLOP per byte")
                                       .arg(readable(flopRate(cost) * 1.0e-9), readable(intensity(cost)));
    }
    if (cost.stoodIn > 0) {
        tip += QLatin1Char('\n') + Cost::tr("%n call(s) answered by the cache", nullptr, cost.stoodIn);
    }
    return tip;
}

}  // namespace

QString CostView::title() const {
    return Cost::tr("Cost");
}

QString CostView::missing(const RunModel& run) const {
    return run.trace().rows().empty() ? Cost::tr("This trace holds no calls of modules.") : QString();
}

void CostView::draw(Canvas& canvas, const QRectF& area, Scene& scene) {
    const double gap = 2 * kGrid;
    const bool wide = area.width() > 720;
    const double top = std::floor(area.height() * (wide ? 0.5 : 0.36));
    drawSteps(canvas, {area.left(), area.top(), area.width(), top}, scene);
    const QRectF rest = area.adjusted(0, top + gap, 0, 0);
    if (wide) {
        const double left = std::floor(rest.width() * 0.56);
        drawTable(canvas, {rest.left(), rest.top(), left - gap, rest.height()}, scene);
        drawRoofline(canvas, {rest.left() + left, rest.top(), rest.width() - left, rest.height()}, scene);
    } else {
        const double table = std::floor(rest.height() * 0.5);
        drawTable(canvas, {rest.left(), rest.top(), rest.width(), table - gap}, scene);
        drawRoofline(canvas, rest.adjusted(0, table, 0, 0), scene);
    }
}

void CostView::drawSteps(Canvas& canvas, const QRectF& area, Scene& scene) const {
    const RunModel& run = scene.run;
    const Colours& c = canvas.colours();
    double most = 0.0;
    for (int step = 0; step < run.steps(); ++step) {
        most = std::max(most, seconds(stepCost(run, step)));
    }
    const bool isLong = most >= 2.0;
    const double unit = isLong ? 1.0 : 1.0e3;  // of a second
    most *= unit;
    const Axis x{0.0, static_cast<double>(run.steps()), false, Cost::tr("step")};
    const Axis y{0.0, std::max(most, 1.0e-3), false,
                 isLong ? Cost::tr("time of a step, s") : Cost::tr("time of a step, ms")};
    const Chart chart(canvas, area, x, y, false);
    const double pitch = chart.plot().width() / run.steps();
    const double bar = std::clamp(pitch - std::clamp(pitch * 0.2, 1.0, 12.0), 1.0, 72.0);
    const int every = std::max(1, static_cast<int>(std::ceil(canvas.textWidth(QStringLiteral("000")) / pitch)));
    for (int step = 0; step < run.steps(); ++step) {
        const double left = chart.plot().left() + pitch * step + (pitch - bar) / 2;
        const QRectF column(chart.plot().left() + pitch * step, chart.plot().top(), pitch, chart.plot().height());
        if (step == scene.selection.step) {
            canvas.fill(column, c.controlHover);
        }
        const auto& costs = run.cost()[static_cast<std::size_t>(step) + 1];
        double done = 0.0;
        for (const Module module : kModules) {
            const auto found = costs.find(module);
            if (found == costs.end() || found->second.durationUs <= 0) {
                continue;
            }
            const double time = seconds(found->second) * unit;
            const double bottom = chart.at(0, done).y(), upper = chart.at(0, done + time).y();
            const QRectF part(left, upper, bar, bottom - upper);
            canvas.fill(part, moduleColour(canvas, module));
            if (canvas.isHovered(part)) {
                canvas.setTip(
                    costTip(Cost::tr("Step %1: %2").arg(step + 1).arg(moduleTitle(module)), found->second) +
                    planTip(run, step));
            }
            done += time;
        }
        if (canvas.isClicked(column)) {
            scene.selection.step = step;
        }
        if (step % every == 0) {
            canvas.textCentred({column.left(), chart.plot().bottom() + 2, pitch, canvas.lineHeight()},
                               QString::number(step + 1), step == scene.selection.step ? c.text : c.textSecondary);
        }
    }
    if (run.firstStep() > 0) {
        const QRectF before(chart.plot().left(), chart.plot().top(), pitch * run.firstStep(),
                            chart.plot().height());
        canvas.textCentred(before, canvas.elided(Cost::tr("not in this trace"), before.width() - kGrid),
                           c.textSecondary);
    }
    std::vector<std::pair<QColor, QString>> key;
    for (int i = 3; i >= 0; --i) {
        key.emplace_back(moduleColour(canvas, kModules[static_cast<std::size_t>(i)]),
                         moduleTitle(kModules[static_cast<std::size_t>(i)]));
    }
    if (run.total(Module::Probe).calls > 0) {
        key.emplace_back(moduleColour(canvas, Module::Probe), moduleTitle(Module::Probe));
    }
    key.emplace_back(moduleColour(canvas, Module::Output), Cost::tr("everything else"));
    const double nameWidth = canvas.textWidth(y.name) + 3 * kGrid;
    // What does not fit is left out: the table below has the same colours and names.
    double room = area.width() - nameWidth;
    const auto kept = std::find_if(key.begin(), key.end(), [&](const auto& entry) {
        room -= 15 + canvas.textWidth(entry.second);
        const bool isOutside = room < 0.0;
        room -= 2 * kGrid;
        return isOutside;
    });
    key.erase(kept, key.end());
    drawKey(canvas, {area.left() + nameWidth, area.top()}, key);
}

void CostView::drawTable(Canvas& canvas, const QRectF& area, const Scene& scene) const {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight() + 4;
    const auto costs = sums(scene.run);
    const double all = std::max(1.0e-9, seconds(scene.run.total(std::nullopt)));
    const QStringList heads{Cost::tr("module"),      Cost::tr("time, s"),  Cost::tr("share"),
                            QStringLiteral("GFLOP"), QStringLiteral("GB"), QStringLiteral("GFLOP/s")};
    const double number = std::min(80.0, area.width() * 0.13);
    const double first = area.width() - number * (static_cast<double>(heads.size()) - 1);
    double y = area.top();
    const auto row = [&](const QStringList& cells, const QColor& colour, const QColor& swatch) {
        if (swatch.isValid()) {
            canvas.fill({area.left(), y + line / 2 - 5, 10, 10}, swatch);
        }
        canvas.textLeft({area.left() + 15, y, first - 20, line}, cells[0], colour);
        for (qsizetype i = 1; i < cells.size(); ++i) {
            canvas.textRight({area.left() + first + number * static_cast<double>(i - 1), y, number - 4, line},
                             cells[i], colour);
        }
        y += line;
    };
    row(heads, c.textSecondary, QColor());
    canvas.line({area.left(), y}, {area.right(), y}, c.line);
    for (const auto& [module, cost] : costs) {
        if (y + 2 * line > area.bottom()) {
            break;
        }
        const QRectF place(area.left(), y, area.width(), line);
        row({moduleTitle(module), readable(seconds(cost)),
             QStringLiteral("%1 %").arg(readable(100.0 * seconds(cost) / all, 2)),
             readable(static_cast<double>(cost.flops) * 1.0e-9), readable(static_cast<double>(cost.bytes) * 1.0e-9),
             cost.flops > 0 ? readable(flopRate(cost) * 1.0e-9) : QStringLiteral("–")},
            c.text, moduleColour(canvas, module));
        if (canvas.isHovered(place)) {
            canvas.setTip(costTip(moduleTitle(module), cost));
        }
    }
    const double plan = scene.run.planFlops();
    // What looking on took is no part of the plan.
    const auto counted = static_cast<double>(scene.run.total(std::nullopt).flops) -
                         static_cast<double>(scene.run.total(Module::Probe).flops);
    if (plan > 0.0 && y + line <= area.bottom()) {
        canvas.line({area.left(), y}, {area.right(), y}, c.line);
        canvas.textLeft(
            {area.left() + 15, y, area.width() - 15, line},
            (scene.run.firstStep() > 0 ? Cost::tr("Plan without the steps before: %1, counted: %2 (%3 %)")
                                       : Cost::tr("Plan: %1, counted: %2 (%3 %)"))
                .arg(flopsText(static_cast<qint64>(plan)), flopsText(static_cast<qint64>(counted)),
                     readable(100.0 * counted / plan, 4)),
            c.textSecondary);
    }
}

void CostView::drawRoofline(Canvas& canvas, const QRectF& area, const Scene& scene) const {
    const Colours& c = canvas.colours();
    Axis x{1.0, 10.0, true, Cost::tr("FLOP per byte")};
    Axis y{1.0, 10.0, true, Cost::tr("GFLOP/s")};
    double best = 0.0, fastest = 0.0;
    bool any = false;
    const auto costs = sums(scene.run);
    for (const auto& [module, cost] : costs) {
        if (cost.flops <= 0 || cost.bytes <= 0 || cost.durationUs <= 0) {
            continue;
        }
        const double rate = flopRate(cost) * 1.0e-9;
        best = std::max(best, rate);
        fastest = std::max(fastest, byteRate(cost) * 1.0e-9);
        x.least = any ? std::min(x.least, intensity(cost)) : intensity(cost);
        x.most = any ? std::max(x.most, intensity(cost)) : intensity(cost);
        y.least = any ? std::min(y.least, rate) : rate;
        y.most = any ? std::max(y.most, rate) : rate;
        any = true;
    }
    if (!any) {
        canvas.textCentred(area, Cost::tr("No module has both FLOP and bytes."), c.textSecondary);
        return;
    }
    for (Axis* axis : {&x, &y}) {
        axis->least = std::pow(10.0, std::floor(std::log10(axis->least) - 0.1));
        axis->most = std::pow(10.0, std::ceil(std::log10(axis->most) + 0.1));
    }
    const Chart chart(canvas, area, x, y);
    // The roof: the best rates met in this run, which no module passed.
    const double ridge = std::clamp(best / fastest, x.least, x.most);
    const double start = std::max(x.least, y.least / fastest);
    canvas.path({chart.at(start, start * fastest), chart.at(ridge, best), chart.at(x.most, best)}, c.border, 1.5);
    const QString roof = Cost::tr("best met: %1 GFLOP/s, %2 GB/s").arg(readable(best), readable(fastest));
    canvas.textRight({chart.plot().left(), chart.plot().bottom() - canvas.lineHeight() - 2,
                      chart.plot().width() - 4, canvas.lineHeight()},
                     roof, c.textSecondary);
    for (const auto& [module, cost] : costs) {
        if (cost.flops <= 0 || cost.bytes <= 0 || cost.durationUs <= 0) {
            continue;
        }
        const QPointF at = chart.at(intensity(cost), flopRate(cost) * 1.0e-9);
        const double share = seconds(cost) / std::max(1.0e-9, seconds(scene.run.total(std::nullopt)));
        const double radius = 4.0 + 12.0 * std::sqrt(std::clamp(share, 0.0, 1.0));
        canvas.dot(at, radius, moduleColour(canvas, module));
        if (canvas.isHovered({at.x() - radius, at.y() - radius, 2 * radius, 2 * radius})) {
            canvas.setTip(costTip(moduleTitle(module), cost));
        }
    }
}

QString CostView::caption(const Scene& scene) const {
    const ModuleCost all = scene.run.total(std::nullopt);
    const ModuleCost step = stepCost(scene.run, scene.selection.step);
    const double time = seconds(step);
    return Cost::tr("%1 in all, %2 counted; step %3 took %4.")
        .arg(durationText(seconds(all)), flopsText(all.flops))
        .arg(scene.selection.step + 1)
        .arg(time >= 2.0 ? durationText(time) : Cost::tr("%1 ms").arg(readable(time * 1.0e3, 4)));
}

QList<QStringList> CostView::table(const Scene& scene) const {
    QList<QStringList> rows{{QStringLiteral("step"), QStringLiteral("module"), QStringLiteral("calls"),
                             QStringLiteral("from_cache"), QStringLiteral("seconds"), QStringLiteral("flop"),
                             QStringLiteral("bytes")}};
    for (std::size_t i = 0; i < scene.run.cost().size(); ++i) {
        for (const auto& [module, cost] : scene.run.cost()[i]) {
            const auto name = trace::moduleName(module);
            rows.append({QString::number(static_cast<int>(i) - 1),
                         QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size())),
                         QString::number(cost.calls), QString::number(cost.stoodIn), plain(seconds(cost)),
                         QString::number(cost.flops), QString::number(cost.bytes)});
        }
    }
    return rows;
}

}  // namespace fw::ui
