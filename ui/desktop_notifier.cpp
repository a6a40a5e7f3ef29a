#include "ui/desktop_notifier.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QVariantMap>

#include "ui/system_theme.h"

namespace fw::ui {
namespace {

const auto kService = QStringLiteral("org.freedesktop.Notifications");
const auto kPath = QStringLiteral("/org/freedesktop/Notifications");
constexpr int kServersChoice = -1;  // how long it is shown

}  // namespace

DesktopNotifier::DesktopNotifier(QObject* parent) : QObject(parent) {
    if (hasSessionBus()) {
        QDBusConnection::sessionBus().connect(kService, kPath, kService, QStringLiteral("ActionInvoked"), this,
                                              SLOT(actionInvoked(uint, QString)));
    }
}

void DesktopNotifier::show(const QString& title, const QString& body) {
    if (!hasSessionBus()) {
        return;
    }
    auto call = QDBusMessage::createMethodCall(kService, kPath, kService, QStringLiteral("Notify"));
    const QVariantMap hints{{QStringLiteral("desktop-entry"), QStringLiteral("io.github.framewright.Framewright")}};
    // A prompt is plain text, the body is markup.
    call << QStringLiteral("Framewright") << m_id << QString() << title << body.toHtmlEscaped()
         << QStringList{QStringLiteral("default"), tr("Show")} << hints << kServersChoice;
    auto* watcher = new QDBusPendingCallWatcher(QDBusConnection::sessionBus().asyncCall(call), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* answered) {
        const QDBusPendingReply<uint> reply = *answered;
        if (!reply.isError()) {
            m_id = reply.value();
        }
        answered->deleteLater();
    });
}

void DesktopNotifier::actionInvoked(uint id, const QString&) {
    if (id == m_id) {
        emit activated();
    }
}

}  // namespace fw::ui
