// Pictures of a widget in both themes, to be looked at: saved when FW_PICTURES names a folder.
#pragma once

#include <QDir>
#include <QWidget>

#include "ui/theme.h"

namespace fw::ui::test {

inline void savePictures(QWidget& widget, Theme& theme, const QString& name) {
    if (!qEnvironmentVariableIsSet("FW_PICTURES")) {
        return;
    }
    const QString folder = qEnvironmentVariable("FW_PICTURES");
    QDir().mkpath(folder);
    for (const auto choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
        theme.setChoice(choice);
        const QString suffix = choice == ThemeChoice::Dark ? QStringLiteral("dark") : QStringLiteral("light");
        widget.grab().save(QStringLiteral("%1/%2-%3.png").arg(folder, name, suffix));
    }
}

}  // namespace fw::ui::test
