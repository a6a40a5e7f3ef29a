// Zero to five stars, by click or key.
#pragma once

#include <QPainterPath>
#include <QWidget>

namespace fw::ui {

class StarField : public QWidget {
    Q_OBJECT

 public:
    explicit StarField(QWidget* parent = nullptr);

    // -1: several clips that differ.
    void setStars(int stars);
    [[nodiscard]] int stars() const { return m_stars; }
    [[nodiscard]] QSize sizeHint() const override;

 signals:
    // By the user. A click on the last star takes all away.
    void starsChosen(int stars);

 protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

 private:
    [[nodiscard]] int starAt(int x) const;
    void choose(int stars);

    int m_stars = 0;
    int m_hovered = 0;
};

// A five-pointed star that fills `area`.
[[nodiscard]] QPainterPath starPath(const QRectF& area);

}  // namespace fw::ui
