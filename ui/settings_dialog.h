// What can be chosen once and for all. Changes are in force at once, another language from the next start.
#pragma once

#include <QDialog>

class QFormLayout;

namespace fw::ui {

class Preferences;

class SettingsDialog : public QDialog {
    Q_OBJECT

 public:
    // `preferences` outlives the dialog. `library` is shown, with a way to open it.
    SettingsDialog(Preferences& preferences, const QString& library, QWidget* parent = nullptr);

 private:
    void addLook(QFormLayout& form);
    void addLanguage(QFormLayout& form);
    void addPreviews(QFormLayout& form);
    void addModelFolders(QFormLayout& form);
    void addLibrary(QFormLayout& form, const QString& library);

    Preferences& m_preferences;
};

}  // namespace fw::ui
