#include "ui/diagnostics.h"

#include <QCoreApplication>
#include <QGuiApplication>
#include <QRegularExpression>
#include <QScreen>
#include <QStringList>
#include <QSysInfo>
#include <thread>

#include "ui/preferences.h"

namespace fw::ui {
namespace {

constexpr qsizetype kLogLines = 200;

// "clips/2026-11/2026-11-22 a-red-fox 12.mp4" without the words between date and number.
QString withoutWords(QString text) {
    static const QRegularExpression kFile(
        QStringLiteral("(clips/\\d{4}-\\d{2}/\\d{4}-\\d{2}-\\d{2}) [^/\\n]*?( \\d+(?:-\\d+)?\\.)"));
    return text.replace(kFile, QStringLiteral("\\1 …\\2"));
}

QString dump(const Json& json) {
    return QString::fromStdString(json.dump(2, ' ', false, Json::error_handler_t::replace));
}

QString screens() {
    QStringList list;
    for (const QScreen* screen : QGuiApplication::screens()) {
        list.append(QStringLiteral("%1 × %2 at %3")
                        .arg(screen->size().width())
                        .arg(screen->size().height())
                        .arg(screen->devicePixelRatio()));
    }
    return list.join(QStringLiteral(", "));
}

QString settingsText(const Preferences& preferences) {
    return QStringLiteral(
               "appearance %1, language %2, notifications %3, previews every %4 steps, at most %5 %, %6 "
               "model folders")
        .arg(static_cast<int>(preferences.appearance()))
        .arg(preferences.language(), preferences.notifies() ? QStringLiteral("on") : QStringLiteral("off"))
        .arg(preferences.previewSteps())
        .arg(preferences.previewPercent())
        .arg(preferences.modelFolders().size());
}

}  // namespace

QString diagnosticsText(const DiagnosticsInput& input, Prompts prompts) {
    job::GenerationRequest request = input.request;
    if (prompts == Prompts::LeaveOut) {
        request.prompt = request.negativePrompt = "(left out)";
    }
    const QString log = input.log.toText(kLogLines);
    QStringList parts;
    parts.append(QStringLiteral("Framewright %1, Qt %2 (%3)")
                     .arg(QCoreApplication::applicationVersion(), QLatin1String(qVersion()),
                          QGuiApplication::platformName()));
    parts.append(QStringLiteral("%1, %2 %3, %4, %5 threads")
                     .arg(QSysInfo::prettyProductName(), QSysInfo::kernelType(), QSysInfo::kernelVersion(),
                          QSysInfo::currentCpuArchitecture())
                     .arg(std::thread::hardware_concurrency()));
    parts.append(QStringLiteral("Screens: %1").arg(screens()));
    parts.append(QStringLiteral("Library: %1").arg(input.library));
    parts.append(QStringLiteral("Settings: %1").arg(settingsText(input.preferences)));
    parts.append(input.devices.empty() ? QStringLiteral("Devices: the engine has not said yet")
                                       : QStringLiteral("Devices: %1").arg(dump(input.devices)));
    parts.append(QStringLiteral("Form: %1").arg(dump(Json(job::toJson(request)))));
    parts.append(QStringLiteral("Log:\n%1").arg(prompts == Prompts::LeaveOut ? withoutWords(log) : log));
    return parts.join(QLatin1Char('\n'));
}

}  // namespace fw::ui
