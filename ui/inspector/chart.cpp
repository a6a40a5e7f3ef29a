#include "ui/inspector/chart.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "ui/theme.h"

namespace fw::ui {

double Axis::part(double value) const {
    if (logarithmic) {
        const double low = std::log10(least), high = std::log10(most);
        return high > low ? (std::log10(std::max(value, least * 1.0e-3)) - low) / (high - low) : 0.0;
    }
    return most > least ? (value - least) / (most - least) : 0.0;
}

QString tickText(double value) {
    const double rounded = std::abs(value) < 1.0e-12 ? 0.0 : value;
    const bool whole = std::abs(rounded) >= 1.0e3 && std::abs(rounded) < 1.0e6;
    return whole ? QLocale().toString(rounded, 'f', 0) : QLocale().toString(rounded, 'g', 4);
}

std::vector<double> roundNumbers(const Axis& axis, int count) {
    std::vector<double> numbers;
    if (!(axis.most > axis.least) || count < 1) {
        return {axis.least};
    }
    if (axis.logarithmic) {
        const int first = static_cast<int>(std::ceil(std::log10(axis.least) - 1.0e-9));
        const int last = static_cast<int>(std::floor(std::log10(axis.most) + 1.0e-9));
        const int every = std::max(1, (last - first + count) / count);
        for (int power = first; power <= last; power += every) {
            numbers.push_back(std::pow(10.0, power));
        }
        return numbers;
    }
    const double rough = (axis.most - axis.least) / count;
    const double base = std::pow(10.0, std::floor(std::log10(rough)));
    double step = 10.0 * base;
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * base >= rough) {
            step = factor * base;
            break;
        }
    }
    const auto first = static_cast<int>(std::ceil(axis.least / step - 1.0e-9));
    for (int i = first; i * step <= axis.most + 1.0e-9 * step; ++i) {
        numbers.push_back(i * step);
    }
    return numbers;
}

Chart::Chart(Canvas& canvas, const QRectF& area, const Axis& x, const Axis& y, bool numbersOnX, double left)
    : m_x(x), m_y(y) {
    const Colours& c = canvas.colours();
    const double line = canvas.lineHeight();
    const auto yNumbers = roundNumbers(y, std::max(2, static_cast<int>(area.height() / (line * 2.5))));
    double widest = 0.0;
    for (const double number : yNumbers) {
        widest = std::max(widest, canvas.textWidth(tickText(number)));
    }
    const double below = (numbersOnX ? line + 4 : 4) + (x.name.isEmpty() ? 0.0 : line);
    const double begin = std::max(area.left() + widest + 8, left);
    const double end = left > 0.0 ? 0.0 : 8.0;
    m_plot = area.adjusted(begin - area.left(), y.name.isEmpty() ? line / 2 : line + 6, -end, -below);
    if (m_plot.width() < 20 || m_plot.height() < 20) {
        m_plot = QRectF(area.topLeft(), QSizeF(std::max(1.0, area.width()), std::max(1.0, area.height())));
        return;
    }
    canvas.text(area.topLeft(), canvas.elided(y.name, area.width()), c.textSecondary);
    for (const double number : yNumbers) {
        const double at = m_plot.bottom() - y.part(number) * m_plot.height();
        canvas.line({m_plot.left(), at}, {m_plot.right(), at}, c.line);
        canvas.textRight({m_plot.left() - 8 - widest, at - line / 2, widest, line}, tickText(number),
                         c.textSecondary);
    }
    if (numbersOnX) {
        double free = area.left();
        for (const double number : roundNumbers(x, std::max(2, static_cast<int>(m_plot.width() / 70)))) {
            const double at = m_plot.left() + x.part(number) * m_plot.width();
            const QString text = tickText(number);
            const double width = canvas.textWidth(text);
            if (at - width / 2 >= free) {
                canvas.text({at - width / 2, m_plot.bottom() + 4}, text, c.textSecondary);
                free = at + width / 2 + kGrid;
            }
            if (x.logarithmic) {
                canvas.line({at, m_plot.top()}, {at, m_plot.bottom()}, c.line);
            }
        }
    }
    canvas.line(m_plot.bottomLeft(), m_plot.bottomRight(), c.border);
    canvas.line(m_plot.topLeft(), m_plot.bottomLeft(), c.border);
    if (!x.name.isEmpty()) {
        canvas.textRight({m_plot.left(), area.bottom() - line, m_plot.width(), line}, x.name, c.textSecondary);
    }
}

QPointF Chart::at(double x, double y) const {
    return {m_plot.left() + m_x.part(x) * m_plot.width(), m_plot.bottom() - m_y.part(y) * m_plot.height()};
}

}  // namespace fw::ui
