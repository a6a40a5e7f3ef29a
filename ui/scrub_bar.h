// A slider over the frames of a clip: a click jumps there, ticks mark the frames where there is room for them, two
// handles bound the part that is played.
#pragma once

#include <QAbstractSlider>
#include <QList>

namespace fw::ui {

class ScrubBar : public QAbstractSlider {
    Q_OBJECT

 public:
    explicit ScrubBar(QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;

    // Both ends belong to the part. No handles are shown with `shown` false.
    void setMarks(int in, int out, bool shown);
    // Values with a diamond instead of a tick.
    void setSpecial(const QList<int>& values);
    // Arrow keys, Home, End and the page keys move the value; else they go to the parent, which may know better.
    void setOwnKeys(bool own) { m_ownKeys = own; }

    [[nodiscard]] double xOf(int value) const;

 signals:
    void markInMoved(int value);
    void markOutMoved(int value);

 protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

 private:
    enum class Grip : quint8 { None, Value, In, Out };

    [[nodiscard]] int valueAt(double x) const;
    [[nodiscard]] Grip gripAt(const QPointF& position) const;
    void paintMarks(QPainter& painter, double y) const;
    void paintTicks(QPainter& painter, double y) const;

    int m_in = 0, m_out = 0;
    bool m_marks = false;
    bool m_ownKeys = false;
    QList<int> m_special;
    Grip m_grip = Grip::None;
};

}  // namespace fw::ui
