// The Qt style sheet of the studio.
#pragma once

#include <QString>

namespace fw::ui {
struct Colours;
[[nodiscard]] QString styleSheet(const Colours& colours);
}  // namespace fw::ui
