// Play, step, scrub, time, scaling and Save below a finished clip.
#pragma once

#include <QWidget>

class QLabel;
class QPushButton;
class QToolButton;

namespace fw::ui {

class FramePlayer;
class ScrubBar;

class TransportBar : public QWidget {
    Q_OBJECT

 public:
    // `player` must outlive the bar.
    explicit TransportBar(FramePlayer& player, QWidget* parent = nullptr);

    void setSmooth(bool smooth);
    void setSaving(bool saving);
    [[nodiscard]] ScrubBar* scrubBar() const { return m_scrub; }

 signals:
    void smoothChanged(bool smooth);
    void saveRequested();

 private:
    void showClip();
    void showFrame(int index);
    void showPlaying(bool playing);

    FramePlayer& m_player;
    QToolButton* m_previous;
    QToolButton* m_play;
    QToolButton* m_next;
    ScrubBar* m_scrub;
    QLabel* m_frame;
    QLabel* m_time;
    QToolButton* m_scaling;
    QPushButton* m_save;
};

}  // namespace fw::ui
