// Below a finished clip: play, step, speed, loop on the left; zoom, scaling, more and Save on the right.
#pragma once

#include <QWidget>

class QAction;
class QActionGroup;
class QMenu;
class QPushButton;
class QToolButton;

namespace fw::ui {

class FramePlayer;
class ScrubBar;
class StageCanvas;

class TransportBar : public QWidget {
    Q_OBJECT

 public:
    // All must outlive the bar; `scrub` is the one of the frames.
    TransportBar(FramePlayer& player, StageCanvas& canvas, ScrubBar* scrub, QWidget* parent = nullptr);

    void setSmooth(bool smooth);
    void setSaving(bool saving);
    [[nodiscard]] ScrubBar* scrubBar() const { return m_scrub; }
    [[nodiscard]] QToolButton* speedButton() const { return m_speed; }
    [[nodiscard]] QToolButton* zoomButton() const { return m_zoom; }
    [[nodiscard]] QToolButton* moreButton() const { return m_more; }

 signals:
    void smoothChanged(bool smooth);
    void saveRequested();
    void copyFrameRequested();
    void saveFrameRequested();

 private:
    void buildSpeed();
    void buildZoom();
    void buildMore();
    void showPlaying();
    void showRate();
    void showZoom();

    FramePlayer& m_player;
    StageCanvas& m_canvas;
    ScrubBar* m_scrub;
    QToolButton* m_previous;
    QToolButton* m_play;
    QToolButton* m_next;
    QToolButton* m_speed;
    QToolButton* m_loop;
    QToolButton* m_zoom;
    QToolButton* m_scaling;
    QToolButton* m_more;
    QPushButton* m_save;
    QActionGroup* m_speeds = nullptr;
    QAction* m_clearMarks = nullptr;
};

}  // namespace fw::ui
