#include "ui/inspector/heat_colours.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"

namespace fw::ui {
namespace {

constexpr QRgb kUnknown = qRgb(128, 128, 128);
constexpr int kLevels = 256;

std::array<QRgb, kLevels> makeLevels() {
    constexpr std::array<QRgb, 10> kAnchors{0xff440154, 0xff482878, 0xff3e4a89, 0xff31688e, 0xff26828e,
                                            0xff1f9e89, 0xff35b779, 0xff6dcd59, 0xffb4de2c, 0xfffde725};
    std::array<QRgb, kLevels> levels{};
    for (int i = 0; i < kLevels; ++i) {
        const double at = i * (static_cast<double>(kAnchors.size()) - 1.0) / (kLevels - 1.0);
        const auto left = std::min(kAnchors.size() - 2, static_cast<std::size_t>(at));
        const double part = at - static_cast<double>(left);
        const auto mix = [&](int (*channel)(QRgb)) {
            return qRound(channel(kAnchors[left]) * (1.0 - part) + channel(kAnchors[left + 1]) * part);
        };
        levels[static_cast<std::size_t>(i)] = qRgb(mix(qRed), mix(qGreen), mix(qBlue));
    }
    return levels;
}

const std::array<QRgb, kLevels>& levels() {
    static const std::array<QRgb, kLevels> table = makeLevels();
    return table;
}

}  // namespace

QRgb heatColour(float value) {
    if (!std::isfinite(value)) {
        return kUnknown;
    }
    const float level = std::clamp(value, 0.0F, 1.0F) * static_cast<float>(kLevels - 1);
    return levels()[static_cast<std::size_t>(level + 0.5F)];
}

QColor categoryColour(int index, bool dark) {
    // The darkest ones are lighter on dark grounds.
    static constexpr std::array<QRgb, 8> kOnLight{0xff0072b2, 0xffe69f00, 0xff009e73, 0xffcc79a7,
                                                  0xff56b4e9, 0xffd55e00, 0xff8a8a00, 0xff6f757c};
    static constexpr std::array<QRgb, 8> kOnDark{0xff4aa3df, 0xffe69f00, 0xff23c197, 0xffd993bb,
                                                 0xff9bd6f7, 0xffee7a2e, 0xfff0e442, 0xffa7acb2};
    const auto& colours = dark ? kOnDark : kOnLight;
    return QColor::fromRgb(colours[static_cast<std::size_t>(std::abs(index)) % colours.size()]);
}

HeatRange rangeOf(std::span<const float> values) {
    HeatRange range{0.0F, 0.0F};
    bool any = false;
    for (const float value : values) {
        if (std::isfinite(value)) {
            range.least = any ? std::min(range.least, value) : value;
            range.most = any ? std::max(range.most, value) : value;
            any = true;
        }
    }
    if (!any || range.most <= range.least) {
        range.most = range.least + (any && range.least > 0.0F ? range.least : 1.0F);
    }
    return range;
}

QImage heatImage(std::span<const float> values, int width, int height, const HeatRange& range, double gamma) {
    FW_CHECK(values.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
             "{} values for {} x {}", values.size(), width, height);
    QImage image(width, height, QImage::Format_RGB32);
    const float scale = 1.0F / (range.most - range.least);
    for (int y = 0; y < height; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        for (int x = 0; x < width; ++x) {
            const float value =
                values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
            float part = (value - range.least) * scale;
            if (gamma != 1.0 && part > 0.0F) {
                part = gamma == 0.5 ? std::sqrt(part) : std::pow(part, static_cast<float>(gamma));
            }
            line[x] = heatColour(part);
        }
    }
    return image;
}

QImage heatLegend(double gamma) {
    std::array<float, kLevels> ramp{};
    for (std::size_t i = 0; i < ramp.size(); ++i) {
        ramp[i] = static_cast<float>(i) / (kLevels - 1.0F);
    }
    return heatImage(ramp, kLevels, 1, {}, gamma);
}

}  // namespace fw::ui
