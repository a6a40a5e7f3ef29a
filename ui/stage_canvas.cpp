#include "ui/stage_canvas.h"

#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "ui/frame_player.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr double kDimmedOpacity = 0.3;
constexpr double kZoomOfNotch = 1.25;
constexpr double kNearestFrom =
    2.0;  // screen pixels for each of the clip's, from which on they are shown as squares

// Doubles an image until it is more than half as large as `size`. Bilinear doublings one after another come close
// to a cubic spline: a preview of a few pixels shows no lattice, as one large bilinear step would.
QImage enlarged(QImage image, const QSizeF& size) {
    while (2 * image.width() < size.width()) {
        image = image.scaled(2 * image.size(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    }
    return image;
}
}  // namespace

StageCanvas::StageCanvas(FramePlayer& player, QWidget* parent) : QWidget(parent), m_player(player) {
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(256, 192);
    setAttribute(Qt::WA_OpaquePaintEvent);
    setAccessibleName(tr("Clip"));
    setAccessibleDescription(
        tr("Space plays and pauses, the arrow keys step by one frame, plus and minus zoom, zero fits the window."));
    connect(&m_player, &FramePlayer::frameChanged, this, qOverload<>(&QWidget::update));
    connect(&m_player, &FramePlayer::clipChanged, this, qOverload<>(&QWidget::update));
}

void StageCanvas::setSmooth(bool smooth) {
    m_smooth = smooth;
    update();
}

void StageCanvas::setClipSize(const QSize& pixels) {
    if (pixels != m_clipSize) {
        m_clipSize = pixels;
        fit();
    }
}

QSize StageCanvas::clipSize() const {
    return m_clipSize.isEmpty() ? m_player.image().size() : m_clipSize;
}

void StageCanvas::setDimmed(bool dimmed) {
    m_dimmed = dimmed;
    update();
}

void StageCanvas::setBadge(const QString& badge) {
    if (badge != m_badge) {
        m_badge = badge;
        update();
    }
}

double StageCanvas::fittedZoom() const {
    const QSize source = clipSize();
    const QRect room = rect().adjusted(3 * kGrid, 3 * kGrid, -3 * kGrid, -3 * kGrid);
    const double scale = std::min(static_cast<double>(room.width()) / source.width(),
                                  static_cast<double>(room.height()) / source.height()) *
                         devicePixelRatioF();
    return !m_smooth && scale > 1.0 ? std::floor(scale) : scale;
}

double StageCanvas::zoom() const {
    return clipSize().isEmpty() ? 1.0 : isFitted() ? fittedZoom() : m_zoom;
}

QRectF StageCanvas::placeOf(double zoom, const QPointF& centre) const {
    const double scale = zoom / devicePixelRatioF();
    const double ratio = devicePixelRatioF();
    // On whole screen pixels: at 100 % every pixel of the clip is one of the screen.
    const QPointF corner = (QRectF(rect()).center() - centre * scale) * ratio;
    return {QPointF(std::round(corner.x()), std::round(corner.y())) / ratio, QSizeF(clipSize()) * scale};
}

QRect StageCanvas::imageRect() const {
    const QSize source = clipSize();
    if (source.isEmpty()) {
        return {};
    }
    if (!isFitted()) {
        return placeOf(m_zoom, m_centre).toRect();
    }
    const double scale = fittedZoom() / devicePixelRatioF();
    QRect target(QPoint(),
                 QSize(static_cast<int>(source.width() * scale), static_cast<int>(source.height() * scale)));
    target.moveCenter(rect().center());
    return target;
}

void StageCanvas::setZoom(double zoom, const QPointF& anchor) {
    const QSize source = clipSize();
    if (source.isEmpty()) {
        return;
    }
    const QRectF before = isFitted() ? QRectF(imageRect()) : placeOf(m_zoom, m_centre);
    const QPointF at((anchor.x() - before.left()) / before.width() * source.width(),
                     (anchor.y() - before.top()) / before.height() * source.height());
    m_zoom = std::clamp(zoom, kLeastZoom, kMostZoom);
    m_centre = at + (QRectF(rect()).center() - anchor) / (m_zoom / devicePixelRatioF());
    keepInView();
    update();
    emit zoomChanged();
}

void StageCanvas::fit() {
    m_zoom = 0.0;
    unsetCursor();
    update();
    emit zoomChanged();
}

// A picture larger than the view covers it, a smaller one stays in its middle.
void StageCanvas::keepInView() {
    const double scale = m_zoom / devicePixelRatioF();
    const auto keep = [scale](double centre, double view, double size) {
        const double half = view / scale / 2.0;
        return size * scale <= view ? size / 2.0 : std::clamp(centre, half, size - half);
    };
    const QSize source = clipSize();
    m_centre = {keep(m_centre.x(), width(), source.width()), keep(m_centre.y(), height(), source.height())};
    const bool larger = source.width() * scale > width() || source.height() * scale > height();
    setCursor(larger ? Qt::OpenHandCursor : Qt::ArrowCursor);
}

void StageCanvas::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (!isFitted()) {
        keepInView();
    }
}

void StageCanvas::paintImage(QPainter& painter, const QRectF& target) const {
    const QImage image = m_player.image();
    // Only what can be seen is scaled: a large zoom costs no more than a small one.
    const double perX = image.width() / target.width(), perY = image.height() / target.height();
    const QRectF seen = target.intersected(QRectF(rect()));
    const QRectF source((seen.left() - target.left()) * perX, (seen.top() - target.top()) * perY,
                        seen.width() * perX, seen.height() * perY);
    const bool isClip = image.size() == clipSize();
    const bool squares = !m_smooth || (isClip && !isFitted() && m_zoom > kNearestFrom);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, !squares);
    if (squares || 2.0 * image.width() >= target.width() * devicePixelRatioF()) {
        painter.drawImage(seen, image, source);
        return;
    }
    // With its neighbours, so that the edges of the view are smooth too.
    const QRect around = source.toAlignedRect().adjusted(-2, -2, 2, 2).intersected(image.rect());
    const QRectF place(target.left() + around.left() / perX, target.top() + around.top() / perY,
                       around.width() / perX, around.height() / perY);
    painter.save();
    painter.setClipRect(seen);
    painter.drawImage(place, enlarged(image.copy(around), place.size() * devicePixelRatioF()));
    painter.restore();
}

void StageCanvas::paintBadge(QPainter& painter) const {
    const Colours& colours = coloursOf(*this);
    painter.setFont(fontFor(TextRole::Caption));
    const QFontMetrics metrics(painter.font());
    const QRectF box(kGrid, kGrid, metrics.horizontalAdvance(m_badge) + 2 * kGrid, metrics.height() + kGrid);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.panel);
    painter.setOpacity(0.88);
    painter.drawRoundedRect(box, 4, 4);
    painter.setOpacity(1.0);
    painter.setPen(colours.text);
    painter.drawText(box, Qt::AlignCenter, m_badge);
}

void StageCanvas::paintEvent(QPaintEvent*) {
    const Colours& colours = coloursOf(*this);
    QPainter painter(this);
    painter.fillRect(rect(), colours.canvas);
    const QRect target = imageRect();
    if (m_player.isEmpty()) {
        // Where the clip will be.
        painter.fillRect(target, colours.panel);
        painter.setPen(colours.textSecondary);
        painter.drawText(target, Qt::AlignCenter | Qt::TextWordWrap,
                         m_dimmed ? QString() : tr("The first look comes with the first step."));
    } else {
        painter.setOpacity(m_dimmed ? kDimmedOpacity : 1.0);
        paintImage(painter, isFitted() ? QRectF(target) : placeOf(m_zoom, m_centre));
        painter.setOpacity(1.0);
    }
    if (!m_badge.isEmpty()) {
        paintBadge(painter);
    }
    if (hasFocus()) {
        const QRect inside = rect().adjusted(1, 1, -1, -1);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(colours.accent, 2));
        painter.drawRect(target.isEmpty() ? inside : target.adjusted(-4, -4, 4, 4).intersected(inside));
    }
}

void StageCanvas::mousePressEvent(QMouseEvent* event) {
    event->setAccepted(event->button() == Qt::LeftButton);
    m_pressed = event->position();
    m_pressedCentre = m_centre;
    m_panned = false;
}

void StageCanvas::mouseMoveEvent(QMouseEvent* event) {
    if (!event->buttons().testFlag(Qt::LeftButton) || isFitted()) {
        return;
    }
    const QPointF way = event->position() - m_pressed;
    if (m_panned || way.manhattanLength() > 4.0) {
        m_panned = true;
        m_centre = m_pressedCentre - way / (m_zoom / devicePixelRatioF());
        keepInView();
        setCursor(Qt::ClosedHandCursor);
        update();
    }
}

void StageCanvas::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) {
        return;
    }
    if (!isFitted()) {
        keepInView();  // and the cursor that goes with it
    }
    if (!m_panned && rect().contains(event->position().toPoint())) {
        const QRectF picture(imageRect());
        if (!m_player.isEmpty() && picture.contains(event->position())) {
            const QPointF at = event->position() - picture.topLeft();
            emit pictureClicked({at.x() / picture.width(), at.y() / picture.height()});
        }
        emit clicked();
    }
}

// The two clicks of it have played and paused, so nothing else has changed.
void StageCanvas::mouseDoubleClickEvent(QMouseEvent* event) {
    mousePressEvent(event);
    if (event->button() == Qt::LeftButton) {
        isFitted() ? setZoom(1.0, event->position()) : fit();
    }
}

void StageCanvas::wheelEvent(QWheelEvent* event) {
    const double notches = event->angleDelta().y() / 120.0;
    if (notches != 0.0 && !m_player.isEmpty()) {
        setZoom(zoom() * std::pow(kZoomOfNotch, notches), event->position());
    }
    event->accept();
}

}  // namespace fw::ui
