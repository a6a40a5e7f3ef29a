// A view drawn for a file or the clipboard.
#pragma once

#include "ui/inspector/canvas.h"

class QPainter;

namespace fw::ui {

class PainterCanvas final : public Canvas {
 public:
    // Both outlive the canvas.
    PainterCanvas(QPainter& painter, const Colours& colours);

    void fill(const QRectF& rect, const QColor& colour) override;
    void frame(const QRectF& rect, const QColor& colour, double width) override;
    void line(const QPointF& a, const QPointF& b, const QColor& colour, double width) override;
    void path(const QPolygonF& points, const QColor& colour, double width) override;
    void dot(const QPointF& centre, double radius, const QColor& colour) override;
    void image(const QRectF& rect, const QImage& image, bool smooth) override;
    void text(const QPointF& at, const QString& text, const QColor& colour, bool heading) override;
    [[nodiscard]] double textWidth(const QString& text, bool heading) const override;
    [[nodiscard]] double lineHeight() const override;
    [[nodiscard]] bool isExport() const override { return true; }

 private:
    QPainter& m_painter;
    QFont m_body, m_heading;
};

}  // namespace fw::ui
