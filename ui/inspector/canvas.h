// What the inspector's views draw on: the panel on the screen (imgui_canvas.h) or a picture to be saved
// (painter_canvas.h). The same drawing gives both, so that what is exported is what was seen.
#pragma once

#include <QColor>
#include <QImage>
#include <QPointF>
#include <QPolygonF>
#include <QRectF>
#include <QString>
#include <optional>

#include "ui/theme.h"

namespace fw::ui {

// Coordinates are logical pixels, y downwards.
class Canvas {
 public:
    explicit Canvas(const Colours& colours) : m_colours(colours) {}
    virtual ~Canvas() = default;
    Canvas(const Canvas&) = delete;
    Canvas& operator=(const Canvas&) = delete;

    virtual void fill(const QRectF& rect, const QColor& colour) = 0;
    virtual void frame(const QRectF& rect, const QColor& colour, double width = 1.0) = 0;
    virtual void line(const QPointF& a, const QPointF& b, const QColor& colour, double width = 1.0) = 0;
    virtual void path(const QPolygonF& points, const QColor& colour, double width = 1.5) = 0;
    virtual void dot(const QPointF& centre, double radius, const QColor& colour) = 0;
    // Pixels as squares unless `smooth`.
    virtual void image(const QRectF& rect, const QImage& image, bool smooth = false) = 0;
    // `at`: the upper left corner of the line of text.
    virtual void text(const QPointF& at, const QString& text, const QColor& colour, bool heading = false) = 0;
    [[nodiscard]] virtual double textWidth(const QString& text, bool heading = false) const = 0;
    [[nodiscard]] virtual double lineHeight() const = 0;
    [[nodiscard]] virtual bool isExport() const { return false; }

    [[nodiscard]] const Colours& colours() const { return m_colours; }

    // Right or centred in `rect`, in the middle of its height; shortened with "…" to fit when `elide`.
    void textRight(const QRectF& rect, const QString& text, const QColor& colour);
    void textCentred(const QRectF& rect, const QString& text, const QColor& colour, bool heading = false);
    void textLeft(const QRectF& rect, const QString& text, const QColor& colour, bool heading = false);
    // Broken into lines at spaces; gives the height.
    double paragraph(const QRectF& rect, const QString& text, const QColor& colour, bool heading = false);
    [[nodiscard]] QString elided(const QString& text, double width, bool heading = false) const;

    // The pointer, while it is over the panel; exports have none.
    [[nodiscard]] bool isHovered(const QRectF& rect) const { return m_pointer && rect.contains(*m_pointer); }
    [[nodiscard]] bool isClicked(const QRectF& rect) const { return m_clicked && isHovered(rect); }
    [[nodiscard]] bool isPressed(const QRectF& rect) const { return m_pressed && isHovered(rect); }
    [[nodiscard]] QPointF pointer() const { return m_pointer.value_or(QPointF()); }
    // Shown beside the pointer.
    void setTip(const QString& tip) { m_tip = tip; }
    [[nodiscard]] const QString& tip() const { return m_tip; }

 protected:
    const Colours& m_colours;
    std::optional<QPointF> m_pointer;
    bool m_clicked = false;  // in this frame
    bool m_pressed = false;
    QString m_tip;
};

}  // namespace fw::ui
