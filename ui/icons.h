// The studio's line icons, painted in the colour of the palette at hand and sharp at every scale.
#pragma once

#include <QIcon>
#include <QPalette>
#include <QString>

namespace fw::ui {

// `name` is a file of resources/icons without ".svg"; `role` the palette colour it takes when it is painted.
[[nodiscard]] QIcon icon(const QString& name, QPalette::ColorRole role = QPalette::ButtonText);

}  // namespace fw::ui
