// What the user chose once and for all. Kept in an INI file; everything large lives in the library.
#pragma once

#include <QObject>
#include <QSettings>
#include <QString>
#include <QStringList>
#include <memory>

#include "ui/theme.h"

namespace fw::ui {

class Preferences : public QObject {
    Q_OBJECT

 public:
    // `file` empty: the user's own settings.
    explicit Preferences(const QString& file, QObject* parent = nullptr);

    [[nodiscard]] ThemeChoice appearance() const;
    void setAppearance(ThemeChoice choice);
    // A code of ui/language.h; in force from the next start.
    [[nodiscard]] QString language() const;
    void setLanguage(const QString& code);
    // A notification when a job ends while the window is not the active one.
    [[nodiscard]] bool notifies() const;
    void setNotifies(bool on);
    // Folders with models beside the embedded one.
    [[nodiscard]] QStringList modelFolders() const;
    void setModelFolders(const QStringList& folders);

    // A preview every so many steps (1 to kMostPreviewSteps), for at most so many percent of the time (1 to
    // kMostPreviewPercent).
    static constexpr int kMostPreviewSteps = 50, kMostPreviewPercent = 50;
    [[nodiscard]] int previewSteps() const;
    void setPreviewSteps(int steps);
    [[nodiscard]] int previewPercent() const;
    void setPreviewPercent(int percent);

    // For what is not a choice: geometry, the form, the last folder.
    [[nodiscard]] QSettings& store() { return *m_settings; }

 signals:
    void changed();

 private:
    void set(const QString& key, const QVariant& value);

    std::unique_ptr<QSettings> m_settings;
};

}  // namespace fw::ui
