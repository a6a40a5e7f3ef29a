#include "ui/clip_presets.h"

#include <algorithm>
#include <cmath>

namespace fw::ui {
namespace {

// A smaller clip costs about half; at half the side, models draw close-ups of what they were trained on.
constexpr double kSmaller = 0.75;

int nearestMultiple(double value, qint64 multiple) {
    const auto steps = std::max<qint64>(1, std::llround(value / static_cast<double>(multiple)));
    return static_cast<int>(steps * multiple);
}

}  // namespace

QList<QSize> sizePresets(const job::ModelDefaults& defaults) {
    const QSize own(static_cast<int>(defaults.width), static_cast<int>(defaults.height));
    const double area = static_cast<double>(own.width()) * own.height();
    QList<QSize> sizes{own};
    const auto add = [&](double width, double height) {
        const QSize size(nearestMultiple(width, defaults.sizeMultiple),
                         nearestMultiple(height, defaults.sizeMultiple));
        if (!sizes.contains(size)) {
            sizes.append(size);
        }
    };
    for (const double aspect : {16.0 / 9.0, 9.0 / 16.0, 1.0}) {
        // A model that prefers a wide picture gets its own shape turned round, not a second, nearly equal one.
        const double ownAspect = static_cast<double>(own.width()) / own.height();
        const bool nearlyOwn = std::abs(std::log(aspect / ownAspect)) < 0.15;
        if (nearlyOwn) {
            continue;
        }
        if (std::abs(std::log(aspect * ownAspect)) < 0.15 && aspect != 1.0) {
            add(own.height(), own.width());
        } else {
            add(std::sqrt(area * aspect), std::sqrt(area / aspect));
        }
    }
    add(own.width() * kSmaller, own.height() * kSmaller);
    return sizes;
}

QList<qint64> lengthPresets(const job::ModelDefaults& defaults) {
    QList<qint64> lengths;
    for (const double part : {0.0, 0.25, 0.5, 1.0}) {
        const double groups =
            static_cast<double>(defaults.frames - 1) * part / static_cast<double>(defaults.frameMultiple);
        const qint64 frames = std::llround(groups) * defaults.frameMultiple + 1;
        if (!lengths.contains(frames)) {
            lengths.append(frames);
        }
    }
    for (const std::int64_t frames : defaults.longerFrames) {
        lengths.append(frames);
    }
    return lengths;
}

}  // namespace fw::ui
