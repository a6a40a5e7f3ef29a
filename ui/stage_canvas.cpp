#include "ui/stage_canvas.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "ui/frame_player.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr double kDimmedOpacity = 0.3;

// Doubles an image until it is more than half as large as `size`. Bilinear doublings one after another come close
// to a cubic spline: a preview of a few pixels shows no lattice, as one large bilinear step would.
QImage enlarged(QImage image, const QSize& size) {
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
    setAccessibleDescription(tr("Space plays and pauses, the arrow keys step by one frame."));
    connect(&m_player, &FramePlayer::frameChanged, this, qOverload<>(&QWidget::update));
    connect(&m_player, &FramePlayer::clipChanged, this, qOverload<>(&QWidget::update));
}

void StageCanvas::setSmooth(bool smooth) {
    m_smooth = smooth;
    update();
}

void StageCanvas::setClipSize(const QSize& pixels) {
    m_clipSize = pixels;
    update();
}

void StageCanvas::setDimmed(bool dimmed) {
    m_dimmed = dimmed;
    update();
}

QRect StageCanvas::imageRect() const {
    const QSize source = m_clipSize.isEmpty() ? m_player.image().size() : m_clipSize;
    if (source.isEmpty()) {
        return {};
    }
    const QRect room = rect().adjusted(3 * kGrid, 3 * kGrid, -3 * kGrid, -3 * kGrid);
    double scale = std::min(static_cast<double>(room.width()) / source.width(),
                            static_cast<double>(room.height()) / source.height());
    const double ratio = devicePixelRatioF();
    if (!m_smooth && scale * ratio > 1.0) {
        scale = std::floor(scale * ratio) / ratio;
    }
    QRect target(QPoint(),
                 QSize(static_cast<int>(source.width() * scale), static_cast<int>(source.height() * scale)));
    target.moveCenter(room.center());
    return target;
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
        painter.setRenderHint(QPainter::SmoothPixmapTransform, m_smooth);
        painter.setOpacity(m_dimmed ? kDimmedOpacity : 1.0);
        painter.drawImage(
            target, m_smooth ? enlarged(m_player.image(), target.size() * devicePixelRatioF()) : m_player.image());
        painter.setOpacity(1.0);
    }
    if (hasFocus()) {
        painter.setPen(QPen(colours.accent, 2));
        painter.drawRect(target.isEmpty() ? rect().adjusted(1, 1, -1, -1) : target.adjusted(-4, -4, 4, 4));
    }
}

void StageCanvas::mousePressEvent(QMouseEvent* event) {
    event->setAccepted(event->button() == Qt::LeftButton);
}

void StageCanvas::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && rect().contains(event->position().toPoint())) {
        emit clicked();
    }
}

}  // namespace fw::ui
