// Axes of a chart: from numbers to places, with round numbers along them.
#pragma once

#include <QString>
#include <vector>

#include "ui/inspector/canvas.h"

namespace fw::ui {

struct Axis {
    double least = 0.0, most = 1.0;
    bool logarithmic = false;  // then `least` is above 0
    QString name;              // with its unit: "time, ms"

    // 0 … 1 within the axis; beyond for what lies outside.
    [[nodiscard]] double part(double value) const;
};

// Draws frame, grid lines, numbers and names around `area`, which becomes the part for the data.
class Chart {
 public:
    // `left`: where the part for the data begins, at least; to stand under something else.
    Chart(Canvas& canvas, const QRectF& area, const Axis& x, const Axis& y, bool numbersOnX = true,
          double left = 0.0);

    [[nodiscard]] const QRectF& plot() const { return m_plot; }
    [[nodiscard]] QPointF at(double x, double y) const;

 private:
    Axis m_x, m_y;
    QRectF m_plot;
};

// A round number as short as it can be: "0.2", "1000".
[[nodiscard]] QString tickText(double value);
// Round numbers from `least` to `most`, about `count` of them.
[[nodiscard]] std::vector<double> roundNumbers(const Axis& axis, int count);

}  // namespace fw::ui
