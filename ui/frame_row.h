// The frame and the time that are shown, and the bar to look for another.
#pragma once

#include <QWidget>

class QLabel;

namespace fw::ui {

class FramePlayer;
class ScrubBar;

// Of the words beside bars that stand below one another, so that the bars begin and end alike.
inline constexpr int kRowStartWidth = 72, kRowEndWidth = 116;

class FrameRow : public QWidget {
    Q_OBJECT

 public:
    // `player` must outlive the row.
    explicit FrameRow(FramePlayer& player, QWidget* parent = nullptr);
    [[nodiscard]] ScrubBar* scrubBar() const { return m_scrub; }

 private:
    void showClip();
    void showFrame(int index);
    void showMarks();

    FramePlayer& m_player;
    QLabel* m_frame;
    ScrubBar* m_scrub;
    QLabel* m_time;
};

}  // namespace fw::ui
