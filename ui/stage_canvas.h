// The picture: the player's frame on a neutral ground, as large as fits or at a scale of the user's choice.
#pragma once

#include <QImage>
#include <QPointF>
#include <QWidget>

namespace fw::ui {

class FramePlayer;

class StageCanvas : public QWidget {
    Q_OBJECT

 public:
    // Screen pixels for each pixel of the clip.
    static constexpr double kLeastZoom = 0.1, kMostZoom = 32.0;

    // `player` must outlive the canvas.
    explicit StageCanvas(FramePlayer& player, QWidget* parent = nullptr);

    // Nearest shows each pixel of the clip as a square of whole screen pixels; smooth interpolates, except in a
    // clip that is enlarged to more than twice its size.
    void setSmooth(bool smooth);
    [[nodiscard]] bool isSmooth() const { return m_smooth; }
    // The shape of the clip to come, so that a preview of other proportions stands where the clip will.
    void setClipSize(const QSize& pixels);
    [[nodiscard]] QSize clipSize() const;
    // Faint, for a clip that will not be finished.
    void setDimmed(bool dimmed);
    // A word in the corner of the ground, as "Preview of step 7"; empty: none.
    void setBadge(const QString& badge);
    [[nodiscard]] const QString& badge() const { return m_badge; }
    // In widget coordinates; larger than the widget when enlarged.
    [[nodiscard]] QRect imageRect() const;

    // Screen pixels for each pixel of the clip; the point of the picture at `anchor` stays there.
    void setZoom(double zoom, const QPointF& anchor);
    void setZoom(double zoom) { setZoom(zoom, QRectF(rect()).center()); }
    void zoomBy(double factor) { setZoom(zoom() * factor); }
    void fit();
    [[nodiscard]] bool isFitted() const { return m_zoom <= 0.0; }
    [[nodiscard]] double zoom() const;

 signals:
    void clicked();
    // The same, on the picture: where, as parts of its width and height.
    void pictureClicked(const QPointF& at);
    void zoomChanged();

 protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

 private:
    [[nodiscard]] QRectF placeOf(double zoom, const QPointF& centre) const;
    [[nodiscard]] double fittedZoom() const;
    void paintImage(QPainter& painter, const QRectF& target) const;
    void paintBadge(QPainter& painter) const;
    void keepInView();

    FramePlayer& m_player;
    QSize m_clipSize;
    bool m_smooth = true;
    bool m_dimmed = false;
    QString m_badge;
    double m_zoom = 0.0;  // 0: as large as fits
    QPointF m_centre;     // of the view, in the clip's pixels; when zoomed
    QPointF m_pressed, m_pressedCentre;
    bool m_panned = false;
};

}  // namespace fw::ui
