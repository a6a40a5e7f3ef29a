#include "ui/inspector/inspect_window.h"

#include <QDir>
#include <QFileInfo>
#include <QIcon>
#include <QKeySequence>
#include <QShortcut>
#include <QVBoxLayout>

#include "ui/inspector/imgui_widget.h"
#include "ui/notice_bar.h"

namespace fw::ui {
namespace {

constexpr QSize kFirstSize(1280, 860);
constexpr const char* kTraceEnding = ".trace.safetensors";

}  // namespace

InspectTarget inspectTarget(const QString& file) {
    const QFileInfo info(file);
    InspectTarget target;
    target.name = info.fileName();
    const QString folder = info.absolutePath() + QLatin1Char('/');
    if (info.suffix() == QLatin1String("safetensors")) {
        target.trace = info.absoluteFilePath();
        QString stem = info.completeBaseName();
        stem = stem.endsWith(QLatin1String(".trace")) ? stem.chopped(6) : stem;
        for (const QFileInfo& clip : QDir(folder).entryInfoList(QDir::Files)) {
            const QString suffix = clip.suffix().toLower();
            const bool isClip = suffix == QLatin1String("mp4") || suffix == QLatin1String("webm") ||
                                suffix == QLatin1String("mkv") || suffix == QLatin1String("mov") ||
                                suffix == QLatin1String("gif") || suffix == QLatin1String("webp");
            if (isClip && clip.completeBaseName() == stem) {
                target.clip = clip.absoluteFilePath();
                break;
            }
        }
    } else {
        target.clip = info.absoluteFilePath();
        const QString trace = folder + info.completeBaseName() + QLatin1String(kTraceEnding);
        target.trace = QFileInfo::exists(trace) ? trace : QString();
    }
    return target;
}

InspectWindow::InspectWindow(const QString& file) : m_panel(new InspectorPanel) {
    setWindowTitle(tr("%1 – Inspector").arg(QFileInfo(file).fileName()));
    setWindowIcon(QIcon(QStringLiteral(":/framewright/icons/framewright.svg")));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_panel);
    resize(kFirstSize);
    auto* notice = new NoticeBar(this);
    connect(m_panel, &InspectorPanel::notice, notice,
            [notice](const QString& text) { notice->show(text, QString()); });
    for (const auto key : {QKeySequence::Quit, QKeySequence::Close}) {
        connect(new QShortcut(key, this), &QShortcut::activated, this, &QWidget::close);
    }
    m_panel->setTarget(inspectTarget(file));
    m_panel->surface()->setFocus();
}

}  // namespace fw::ui
