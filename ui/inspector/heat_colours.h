// Colours of data. All maps are safe for colour-blind readers and ordered in lightness, so that they survive a
// print in grey.
#pragma once

#include <QColor>
#include <QImage>
#include <span>

namespace fw::ui {

// Viridis, by Stéfan van der Walt and Nathaniel Smith (CC0, https://bids.github.io/colormap/), from ten of its
// colours. `value` 0 … 1; NaN is grey.
[[nodiscard]] QRgb heatColour(float value);

// Colours that are told apart, by Okabe and Ito (https://jfly.uni-koeln.de/color/); as many as one likes,
// repeating.
[[nodiscard]] QColor categoryColour(int index, bool dark);

struct HeatRange {
    float least = 0.0F, most = 1.0F;
};
// Of the finite values; 0 … 1 when there are none, and never empty.
[[nodiscard]] HeatRange rangeOf(std::span<const float> values);

// One pixel for each value, row by row. `gamma` below 1 lifts small values: attention is mostly small.
[[nodiscard]] QImage heatImage(std::span<const float> values, int width, int height, const HeatRange& range,
                               double gamma = 1.0);
// 256 x 1, for legends.
[[nodiscard]] QImage heatLegend(double gamma = 1.0);

}  // namespace fw::ui
