// The few questions the window asks on top of itself.
#pragma once

#include <QString>

class QWidget;

namespace fw::ui {

[[nodiscard]] bool askToReplace(QWidget* parent, const QString& path);

}  // namespace fw::ui
