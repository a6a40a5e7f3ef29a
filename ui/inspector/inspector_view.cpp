#include "ui/inspector/inspector_view.h"

#include <QCoreApplication>
#include <QLocale>
#include <algorithm>
#include <cmath>

namespace fw::ui {
namespace {

struct Views {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Views)
};

}  // namespace

QString plain(double value, int digits) {
    return QString::number(value, 'g', digits);
}

QString readable(double value, int digits) {
    if (!std::isfinite(value)) {
        return QStringLiteral("–");
    }
    const double size = std::abs(value);
    if (size == 0.0) {
        return QStringLiteral("0");
    }
    if (size < 1.0e-3 || size >= 1.0e6) {
        return QLocale().toString(value, 'e', digits - 1);
    }
    const int before = size < 1.0 ? 1 : static_cast<int>(std::floor(std::log10(size))) + 1;
    QString text = QLocale().toString(value, 'f', std::max(0, size < 1.0 ? digits : digits - before));
    return text;
}

QString missingProbes(const QString& what) {
    return Views::tr(
               "This run kept no %1.\nMake it again with probes (fw generate --probe default): the seed stays, so "
               "the clip stays the same.")
        .arg(what);
}

void drawLegend(Canvas& canvas, const QRectF& rect, const QString& name, const QString& least, const QString& most,
                double gamma, const QImage* colours) {
    static const QImage straight = heatLegend(), lifted = heatLegend(0.5);
    const double line = canvas.lineHeight();
    const Colours& c = canvas.colours();
    canvas.text(rect.topLeft(), canvas.elided(name, rect.width()), c.textSecondary);
    const QRectF bar(rect.left(), rect.top() + line + 2, rect.width(), 10);
    canvas.image(bar, colours != nullptr ? *colours : gamma == 1.0 ? straight : lifted, true);
    canvas.text({bar.left(), bar.bottom() + 2}, least, c.textSecondary);
    canvas.textRight({bar.left(), bar.bottom() + 2, bar.width(), line}, most, c.textSecondary);
}

double drawKey(Canvas& canvas, const QPointF& at, const std::vector<std::pair<QColor, QString>>& entries) {
    const double line = canvas.lineHeight();
    double x = at.x();
    for (const auto& [colour, name] : entries) {
        const QRectF mark(x, at.y() + line / 2 - 5, 10, 10);
        canvas.fill(mark, colour);
        canvas.frame(mark, canvas.colours().textSecondary);  // or white would be lost on white
        canvas.text({x + 15, at.y()}, name, canvas.colours().textSecondary);
        x += 15 + canvas.textWidth(name) + 2 * kGrid;
    }
    return x - at.x();
}

double cellSize(const QRectF& area, int columns, int rows) {
    const double fit = std::min(area.width() / std::max(1, columns), area.height() / std::max(1, rows));
    return fit >= 2.0 ? std::floor(fit) : fit;
}

}  // namespace fw::ui
