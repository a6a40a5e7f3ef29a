#include "ui/inspector/painter_canvas.h"

#include <QFontMetricsF>
#include <QPainter>
#include <cmath>

namespace fw::ui {
namespace {

// Sizes in pixels, so that a file looks the same whatever resolution its device claims.
QFont inPixels(QFont font) {
    if (font.pointSizeF() > 0.0) {
        font.setPixelSize(std::max(8, qRound(font.pointSizeF() * 96.0 / 72.0)));
    }
    return font;
}

}  // namespace

PainterCanvas::PainterCanvas(QPainter& painter, const Colours& colours)
    : Canvas(colours),
      m_painter(painter),
      m_body(inPixels(fontFor(TextRole::Body))),
      m_heading(inPixels(fontFor(TextRole::Heading))) {
    painter.setRenderHint(QPainter::Antialiasing);
}

void PainterCanvas::fill(const QRectF& rect, const QColor& colour) {
    m_painter.fillRect(rect, colour);
}

void PainterCanvas::frame(const QRectF& rect, const QColor& colour, double width) {
    m_painter.setPen(QPen(colour, width));
    m_painter.setBrush(Qt::NoBrush);
    m_painter.drawRect(rect);
}

void PainterCanvas::line(const QPointF& a, const QPointF& b, const QColor& colour, double width) {
    m_painter.setPen(QPen(colour, width));
    m_painter.drawLine(a, b);
}

void PainterCanvas::path(const QPolygonF& points, const QColor& colour, double width) {
    m_painter.setPen(QPen(colour, width, Qt::SolidLine, Qt::FlatCap, Qt::RoundJoin));
    m_painter.drawPolyline(points);
}

void PainterCanvas::dot(const QPointF& centre, double radius, const QColor& colour) {
    m_painter.setPen(Qt::NoPen);
    m_painter.setBrush(colour);
    m_painter.drawEllipse(centre, radius, radius);
}

void PainterCanvas::image(const QRectF& rect, const QImage& image, bool smooth) {
    m_painter.setRenderHint(QPainter::SmoothPixmapTransform, smooth);
    // Viewers of SVG smooth what they enlarge: squares stay squares only if there are pixels for them.
    const int scale =
        smooth || image.isNull() ? 1 : static_cast<int>(std::ceil(2.0 * rect.width() / image.width()));
    m_painter.drawImage(
        rect, scale > 1 && image.width() * image.height() < 1 << 16
                  ? image.scaled(image.size() * std::min(scale, 16), Qt::IgnoreAspectRatio, Qt::FastTransformation)
                  : image);
}

void PainterCanvas::text(const QPointF& at, const QString& text, const QColor& colour, bool heading) {
    const QFont& font = heading ? m_heading : m_body;
    m_painter.setFont(font);
    m_painter.setPen(colour);
    m_painter.drawText(QPointF(at.x(), at.y() + QFontMetricsF(font).ascent()), text);
}

double PainterCanvas::textWidth(const QString& text, bool heading) const {
    return QFontMetricsF(heading ? m_heading : m_body).horizontalAdvance(text);
}

double PainterCanvas::lineHeight() const {
    return std::ceil(QFontMetricsF(m_body).height());
}

}  // namespace fw::ui
