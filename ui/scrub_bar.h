// A slider over the frames of a clip: a click jumps there, ticks mark the frames where there is room for them.
#pragma once

#include <QAbstractSlider>

namespace fw::ui {

class ScrubBar : public QAbstractSlider {
    Q_OBJECT

 public:
    explicit ScrubBar(QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;

 protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

 private:
    [[nodiscard]] double xOf(int value) const;
    [[nodiscard]] int valueAt(double x) const;
};

}  // namespace fw::ui
