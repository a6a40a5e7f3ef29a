// The languages the window speaks. Source texts are English; translations are embedded (resources/translations).
#pragma once

#include <QList>
#include <QString>

class QCoreApplication;

namespace fw::ui {

struct Language {
    QString code;  // as in the translations' file names: "zh_CN"
    QString name;  // in the language itself
};

// The code that stands for the language of the desktop.
[[nodiscard]] QString systemLanguage();

// All that can be chosen besides the system's.
[[nodiscard]] QList<Language> languages();

// Whether `code` is systemLanguage() or one of languages().
[[nodiscard]] bool isLanguage(const QString& code);

// Translates what is made from now on: our own texts, and Qt's where Qt's translations are installed. Numbers and
// dates follow a chosen language; with systemLanguage() they stay as the desktop has them. English where the
// desktop's language is none of ours. Call once, before the first window. Returns the code of the language that is
// used.
QString installLanguage(QCoreApplication& application, const QString& code);

}  // namespace fw::ui
