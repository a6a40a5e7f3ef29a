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
    if (m_state == StageState::Empty || m_state == StageState::Failed || m_player->isEmpty()) {
        return false;
    }
    const auto modifiers = event.modifiers() & ~Qt::KeypadModifier;
    const int key = event.key();
    if (modifiers == Qt::AltModifier && m_historyShown && (key == Qt::Key_Left || key == Qt::Key_Right)) {
        m_steps->go(key == Qt::Key_Left ? -1 : 1);
        return true;
    }
    if (event.matches(QKeySequence::Copy)) {
        copyFrame();
        return true;
    }
    if (modifiers == (Qt::ControlModifier | Qt::ShiftModifier) && key == Qt::Key_S) {
        askWhereToSaveFrame();
        return true;
    }
    // Layouts differ in where plus, < and > are: with or without Shift.
    if ((modifiers & ~Qt::ShiftModifier) != Qt::NoModifier) {
        return false;
    }
    return handleViewKey(event) || (m_state != StageState::Cancelled && handlePlayKey(event));
}

bool StageWidget::handleViewKey(const QKeyEvent& event) {
    switch (event.key()) {
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            m_canvas->zoomBy(kZoomOfKey);
            return true;
        case Qt::Key_Minus:
            m_canvas->zoomBy(1.0 / kZoomOfKey);
            return true;
        case Qt::Key_0:
            m_canvas->fit();
            return true;
        case Qt::Key_1:
            m_canvas->setZoom(1.0);
            return true;
        case Qt::Key_E:
            if (m_state == StageState::Running && m_progress->showNowButton()->isVisible()) {
                m_progress->showNowButton()->click();
                return true;
            }
            return false;
        default:
            return false;
    }
}

bool StageWidget::handlePlayKey(const QKeyEvent& event) {
    switch (event.key()) {
        case Qt::Key_Space:
            m_player->togglePlaying();
            return true;
        case Qt::Key_Left:
        case Qt::Key_Comma:
            m_player->step(-1);
            return true;
        case Qt::Key_Right:
        case Qt::Key_Period:
            m_player->step(1);
            return true;
        case Qt::Key_Less:
            changeSpeed(-1);
            return true;
        case Qt::Key_Greater:
            changeSpeed(1);
            return true;
        case Qt::Key_Home:
            m_player->seek(m_player->markIn());
            return true;
        case Qt::Key_End:
            m_player->seek(m_player->markOut());
            return true;
        case Qt::Key_J:
            m_player->shuttle(-1);
            return true;
        case Qt::Key_K:
            m_player->pause();
            return true;
        case Qt::Key_L:
            m_player->shuttle(1);
            return true;
        case Qt::Key_I:
            m_player->setMarkIn(m_player->index());
            return true;
        case Qt::Key_O:
            m_player->setMarkOut(m_player->index());
            return true;
        case Qt::Key_X:
            m_player->clearMarks();
            return true;
        default:
            return false;
    }
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
