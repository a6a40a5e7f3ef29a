// The few questions and pages the window opens on top of itself.
#pragma once

#include <QString>

class QWidget;

namespace fw::ui {

[[nodiscard]] bool askToReplace(QWidget* parent, const QString& path);
void showAboutDialog(QWidget* parent);

}  // namespace fw::ui
