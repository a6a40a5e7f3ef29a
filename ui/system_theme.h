// Whether the desktop asks for dark windows (Qt 6.4 does not say: QStyleHints::colorScheme came with 6.5).
#pragma once

#include <QDBusVariant>
#include <QObject>
#include <QVariant>

namespace fw::ui {

// From the platform's own palette, as it is before the studio sets one.
[[nodiscard]] bool systemPaletteIsDark();

// Whether there is a message bus to ask. Without this check libdbus would start one of its own where there is none.
[[nodiscard]] bool hasSessionBus();

// Asks the desktop portal (org.freedesktop.appearance color-scheme) and listens to it. Silent where there is none.
// https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Settings.html
class SystemThemeWatcher : public QObject {
    Q_OBJECT

 public:
    explicit SystemThemeWatcher(QObject* parent = nullptr);

    // The portal's answer: 1 dark, 2 light, 0 or anything else no preference.
    static constexpr uint kPreferDark = 1, kPreferLight = 2;

 signals:
    void darkChanged(bool dark);

 private slots:
    void settingChanged(const QString& area, const QString& key, const QDBusVariant& value);

 private:
    void take(const QVariant& value);
};

}  // namespace fw::ui
