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
    // "en", "zh_CN", "ru"; empty: the system's. In force from the next start.
    [[nodiscard]] QString language() const;
    void setLanguage(const QString& language);
    // A preview after every n-th step, n from 1.
    [[nodiscard]] int previewEvery() const;
    void setPreviewEvery(int steps);
    // The most previews may add to the time of a clip, in percent; 0: no previews.
    [[nodiscard]] int previewShare() const;
    void setPreviewShare(int percent);
    // Folders that are looked through for models.
    [[nodiscard]] QStringList modelFolders() const;
    void setModelFolders(const QStringList& folders);
    // A notification when a job ends while the window is not the active one.
    [[nodiscard]] bool notifies() const;
    void setNotifies(bool on);

    // For what is not a choice: geometry, the form, the last folder.
    [[nodiscard]] QSettings& store() { return *m_settings; }

 signals:
    void changed();

 private:
    void set(const QString& key, const QVariant& value);

    std::unique_ptr<QSettings> m_settings;
};

}  // namespace fw::ui
