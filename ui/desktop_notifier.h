// Notifications of the desktop (org.freedesktop.Notifications); silent where there is no such service.
// https://specifications.freedesktop.org/notification-spec/latest/
#pragma once

#include <QObject>
#include <QString>

namespace fw::ui {

class DesktopNotifier : public QObject {
    Q_OBJECT

 public:
    explicit DesktopNotifier(QObject* parent = nullptr);
    // Replaces the last one, so that they do not pile up.
    void show(const QString& title, const QString& body);

 signals:
    void activated();  // it was clicked

 private slots:
    void actionInvoked(uint id, const QString& action);

 private:
    uint m_id = 0;  // of the last notification
};

}  // namespace fw::ui
