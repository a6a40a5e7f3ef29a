#include "ui/formats.h"

#include <QCoreApplication>
#include <QLocale>
#include <array>
#include <cmath>

namespace fw::ui {
namespace {
struct Formats {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Formats)
};
}  // namespace

QString countText(qint64 count) {
    return QLocale().toString(count);
}

QString flopsText(qint64 flops) {
    static constexpr std::array kUnits{"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"};
    auto value = static_cast<double>(flops);
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1000.0;
        ++unit;
    }
    const int decimals = unit > 0 && value < 9.95 ? 1 : 0;
    return QLocale().toString(value, 'f', decimals) + QLatin1Char(' ') + QLatin1String(kUnits[unit]);
}

QString bytesText(qint64 bytes) {
    return QLocale().formattedDataSize(bytes, bytes < (qint64{1} << 30) ? 0 : 1);
}

QString durationText(double seconds) {
    return seconds < 9.95 ? Formats::tr("%1 s").arg(QLocale().toString(std::max(0.0, seconds), 'f', 1))
                          : wholeDurationText(seconds);
}

QString wholeDurationText(double seconds) {
    const QLocale locale;
    const qint64 whole = std::llround(seconds);
    if (whole < 90) {
        return Formats::tr("%1 s").arg(locale.toString(whole));
    }
    if (whole < 3600) {
        return Formats::tr("%1 min %2 s").arg(locale.toString(whole / 60), locale.toString(whole % 60));
    }
    return Formats::tr("%1 h %2 min").arg(locale.toString(whole / 3600), locale.toString(whole % 3600 / 60));
}

QString timeCode(double seconds) {
    const qint64 hundredths = std::llround(std::max(0.0, seconds) * 100.0);
    return QStringLiteral("%1:%2.%3")
        .arg(hundredths / 6000)
        .arg(hundredths / 100 % 60, 2, 10, QLatin1Char('0'))
        .arg(hundredths % 100, 2, 10, QLatin1Char('0'));
}

}  // namespace fw::ui
