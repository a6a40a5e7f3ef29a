#include "ui/screenshot_tour.h"

#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QPixmap>
#include <cstdio>

#include "ui/frame_player.h"
#include "ui/main_window.h"
#include "ui/prompt_panel.h"
#include "ui/stage_widget.h"

namespace fw::ui {
namespace {
constexpr int kTickMs = 100;
constexpr int kSettleTicks = 8;      // for the layout, the forecast and the recent clips
constexpr int kPreviewsToWait = 8;   // until the clip can be made out
constexpr int kLongestTicks = 6000;  // ten minutes
}  // namespace

ScreenshotTour::ScreenshotTour(MainWindow& window, const QString& folder, const QString& prompt, QObject* parent)
    : QObject(parent), m_window(window), m_folder(folder), m_prompt(prompt) {
    QDir().mkpath(folder);
    m_timer.setInterval(kTickMs);
    connect(&m_timer, &QTimer::timeout, this, &ScreenshotTour::tick);
    m_timer.start();
}

bool ScreenshotTour::takePicture(const QString& name) {
    const QString path = QDir(m_folder).filePath(name + QStringLiteral(".png"));
    if (m_window.grab().save(path)) {
        return true;
    }
    std::fprintf(stderr, "framewright: %s cannot be written\n", qPrintable(path));
    QApplication::exit(1);
    return false;
}

void ScreenshotTour::enter(Stop next) {
    m_stop = next;
    m_ticks = 0;
}

void ScreenshotTour::raise(const QString& dock) {
    m_window.findChild<QDockWidget*>(dock)->raise();
}

void ScreenshotTour::tick() {
    auto* stage = m_window.stage();
    auto* panel = m_window.panel();
    if (++m_ticks < kSettleTicks) {
        return;
    }
    if (m_ticks > kLongestTicks || stage->state() == StageState::Failed) {
        m_timer.stop();
        takePicture(QStringLiteral("failed"));
        QApplication::exit(1);
        return;
    }
    const bool formed = stage->state() == StageState::Running && stage->previewCount() >= kPreviewsToWait;
    switch (m_stop) {
        case Stop::Empty:
            if (panel->hasModel() && takePicture(QStringLiteral("empty"))) {
                panel->setPrompt(m_prompt);
                panel->focusPrompt();
                enter(Stop::Typing);
            }
            break;
        case Stop::Typing:
            if (panel->blockedReason().isEmpty() && takePicture(QStringLiteral("typing"))) {
                m_window.run();
                enter(Stop::Running);
            }
            break;
        case Stop::Running:
            if (formed && takePicture(QStringLiteral("running"))) {
                enter(Stop::Finished);
            }
            break;
        case Stop::Finished:
            if (stage->state() == StageState::Finished && takePicture(QStringLiteral("finished"))) {
                raise(QStringLiteral("library"));
                enter(Stop::Library);
            }
            break;
        case Stop::Library:
            if (takePicture(QStringLiteral("library"))) {
                raise(QStringLiteral("queue"));
                m_window.run();
                enter(Stop::Cancelled);
            }
            break;
        case Stop::Cancelled:
            if (formed) {
                m_window.cancel();
            }
            if (stage->state() == StageState::Cancelled && panel->blockedReason().isEmpty() &&
                takePicture(QStringLiteral("cancelled"))) {
                enter(Stop::Done);
                m_timer.stop();
                m_window.close();
            }
            break;
        case Stop::Done:
            break;
    }
}

}  // namespace fw::ui
