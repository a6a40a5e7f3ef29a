// Numbers as the window shows them, in the user's locale.
#pragma once

#include <QString>

namespace fw::ui {

[[nodiscard]] QString countText(qint64 count);            // "2,304"
[[nodiscard]] QString flopsText(qint64 flops);            // "3.9 TFLOP"
[[nodiscard]] QString bytesText(qint64 bytes);            // "212 MiB"
[[nodiscard]] QString durationText(double seconds);       // "2.8 s", "41 s", "3 min 20 s", "1 h 5 min"
[[nodiscard]] QString wholeDurationText(double seconds);  // the same in whole seconds: "3 s"
[[nodiscard]] QString timeCode(double seconds);           // "0:02.75"

}  // namespace fw::ui
