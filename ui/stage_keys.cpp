// What the keyboard does on the stage, and single frames: to the clipboard and to files.
#include <QClipboard>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QPushButton>
#include <QSaveFile>
#include <algorithm>

#include "ui/frame_player.h"
#include "ui/key_map.h"
#include "ui/progress_row.h"
#include "ui/stage_canvas.h"
#include "ui/stage_widget.h"
#include "ui/step_bar.h"

namespace fw::ui {
namespace {
constexpr double kZoomOfKey = 1.25;
}

void StageWidget::keyPressEvent(QKeyEvent* event) {
    if (!handleKey(*event)) {
        QWidget::keyPressEvent(event);
    }
}

bool StageWidget::handleKey(const QKeyEvent& event) {
    return m_state != StageState::Empty && m_state != StageState::Failed && !m_player->isEmpty() &&
           m_keys->handle(event);
}

void StageWidget::addKeys() {
    addPlayKeys();
    addViewKeys();
    const auto goBack = [this](int by) {
        return [this, by](int) {
            if (m_historyShown) {
                m_steps->go(by);
            }
            return m_historyShown;
        };
    };
    m_keys->add({{Qt::ALT | Qt::Key_Left}, tr("The preview before"), goBack(-1)});
    m_keys->add({{Qt::ALT | Qt::Key_Right}, tr("The next preview"), goBack(1)});
    m_keys->add({{Qt::Key_E}, tr("An exact preview now"), [this](int) {
                     const bool offered =
                         m_state == StageState::Running && m_progress->showNowButton()->isVisible();
                     if (offered) {
                         m_progress->showNowButton()->click();
                     }
                     return offered;
                 }});
    m_keys->add(QKeySequence::keyBindings(QKeySequence::Copy), tr("Copy this frame"), [this] { copyFrame(); });
    m_keys->add({Qt::CTRL | Qt::SHIFT | Qt::Key_S}, tr("Save this frame"), [this] { askWhereToSaveFrame(); });
}

void StageWidget::addPlayKeys() {
    const auto add = [this](const QList<QKeySequence>& keys, const QString& meaning,
                            const std::function<void()>& run) {
        m_keys->add({keys, meaning, [this, run](int) {
                         const bool plays = m_state != StageState::Cancelled;
                         if (plays) {
                             run();
                         }
                         return plays;
                     }});
    };
    add({Qt::Key_Space}, tr("Play or pause"), [this] { m_player->togglePlaying(); });
    add({Qt::Key_Left, Qt::Key_Comma}, tr("One frame back"), [this] { m_player->step(-1); });
    add({Qt::Key_Right, Qt::Key_Period}, tr("One frame on"), [this] { m_player->step(1); });
    add({Qt::Key_Home}, tr("To the start"), [this] { m_player->seek(m_player->markIn()); });
    add({Qt::Key_End}, tr("To the end"), [this] { m_player->seek(m_player->markOut()); });
    add({Qt::Key_J}, tr("Play backwards, faster"), [this] { m_player->shuttle(-1); });
    add({Qt::Key_K}, tr("Pause"), [this] { m_player->pause(); });
    add({Qt::Key_L}, tr("Play forwards, faster"), [this] { m_player->shuttle(1); });
    add({Qt::Key_Less}, tr("Slower"), [this] { changeSpeed(-1); });
    add({Qt::Key_Greater}, tr("Faster"), [this] { changeSpeed(1); });
    add({Qt::Key_I}, tr("The loop begins here"), [this] { m_player->setMarkIn(m_player->index()); });
    add({Qt::Key_O}, tr("The loop ends here"), [this] { m_player->setMarkOut(m_player->index()); });
    add({Qt::Key_X}, tr("Loop over the whole clip"), [this] { m_player->clearMarks(); });
}

void StageWidget::addViewKeys() {
    m_keys->add({Qt::Key_Plus, Qt::Key_Equal}, tr("Larger"), [this] { m_canvas->zoomBy(kZoomOfKey); });
    m_keys->add({Qt::Key_Minus}, tr("Smaller"), [this] { m_canvas->zoomBy(1.0 / kZoomOfKey); });
    m_keys->add({Qt::Key_0}, tr("Fit the stage"), [this] { m_canvas->fit(); });
    m_keys->add({Qt::Key_1}, tr("Actual size"), [this] { m_canvas->setZoom(1.0); });
}

void StageWidget::changeSpeed(int by) {
    const auto& speeds = FramePlayer::kSpeeds;
    const auto at = std::find(speeds.begin(), speeds.end(), m_player->speed()) - speeds.begin();
    const auto last = static_cast<std::ptrdiff_t>(speeds.size()) - 1;
    m_player->setSpeed(speeds[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(at + by, 0, last))]);
}

void StageWidget::copyFrame() {
    if (!m_player->isEmpty()) {
        QGuiApplication::clipboard()->setImage(m_player->image());
        showNotice(tr("Frame %1 is on the clipboard.").arg(m_player->index() + 1));
    }
}

void StageWidget::askWhereToSaveFrame() {
    if (m_player->isEmpty()) {
        return;
    }
    m_player->pause();
    const QFileInfo clip(m_clip ? m_clip->file : QDir::home().filePath(tr("preview")));
    const QString name = tr("%1 frame %2.png").arg(clip.completeBaseName()).arg(m_player->index() + 1);
    const QString path = QFileDialog::getSaveFileName(this, tr("Save this frame"), clip.dir().filePath(name),
                                                      tr("PNG picture (*.png)"));
    if (!path.isEmpty()) {
        saveFrameAs(QFileInfo(path).suffix().isEmpty() ? path + QStringLiteral(".png") : path);
    }
}

void StageWidget::saveFrameAs(const QString& path) {
    // Compressing a large picture takes longer than the window may stand still.
    m_saving.start([this, path, image = m_player->image()] {
        QSaveFile file(path);
        const bool saved = file.open(QIODevice::WriteOnly) && image.save(&file, "PNG") && file.commit();
        const QString words =
            saved ? tr("Saved as %1").arg(QDir::toNativeSeparators(path))
                  : tr("%1 cannot be written: %2").arg(QDir::toNativeSeparators(path), file.errorString());
        QMetaObject::invokeMethod(
            this, [this, words] { showNotice(words); }, Qt::QueuedConnection);
    });
}

}  // namespace fw::ui
