// A view drawn in the panel.
#pragma once

#include "ui/inspector/canvas.h"

struct ImDrawList;

namespace fw::ui {

class ImguiWidget;

// Lives for one frame, within the widget's draw function; draws into the current ImGui window.
class ImguiCanvas final : public Canvas {
 public:
    explicit ImguiCanvas(ImguiWidget& widget);

    void fill(const QRectF& rect, const QColor& colour) override;
    void frame(const QRectF& rect, const QColor& colour, double width) override;
    void line(const QPointF& a, const QPointF& b, const QColor& colour, double width) override;
    void path(const QPolygonF& points, const QColor& colour, double width) override;
    void dot(const QPointF& centre, double radius, const QColor& colour) override;
    void image(const QRectF& rect, const QImage& image, bool smooth) override;
    void text(const QPointF& at, const QString& text, const QColor& colour, bool heading) override;
    [[nodiscard]] double textWidth(const QString& text, bool heading) const override;
    [[nodiscard]] double lineHeight() const override;

    // Shows the tip, if the view set one.
    void showTip();

 private:
    ImguiWidget& m_widget;
    ImDrawList* m_list;
};

}  // namespace fw::ui
