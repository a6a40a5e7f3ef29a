// The picture: the player's frame, centred on a neutral ground, as large as fits.
#pragma once

#include <QWidget>

namespace fw::ui {

class FramePlayer;

class StageCanvas : public QWidget {
    Q_OBJECT

 public:
    // `player` must outlive the canvas.
    explicit StageCanvas(FramePlayer& player, QWidget* parent = nullptr);

    // Nearest shows each pixel of the clip as a square of whole screen pixels; smooth interpolates.
    void setSmooth(bool smooth);
    [[nodiscard]] bool isSmooth() const { return m_smooth; }
    // The shape of the clip to come, so that a preview of other proportions stands where the clip will.
    void setClipSize(const QSize& pixels);
    // Faint, for a clip that will not be finished.
    void setDimmed(bool dimmed);
    [[nodiscard]] QRect imageRect() const;

 signals:
    void clicked();

 protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;

 private:
    FramePlayer& m_player;
    QSize m_clipSize;
    bool m_smooth = true;
    bool m_dimmed = false;
};

}  // namespace fw::ui
