// The few questions and pages the window opens on top of itself.
#pragma once

#include <QString>

class QFileInfo;
class QWidget;

namespace fw::ui {

// A path whose extension is a format we write, or nothing. Asks before an existing file is chosen.
[[nodiscard]] QString askForClipPath(QWidget* parent, const QString& folder, const QFileInfo& clip);
[[nodiscard]] bool askToReplace(QWidget* parent, const QString& path);
void showAboutDialog(QWidget* parent);

}  // namespace fw::ui
