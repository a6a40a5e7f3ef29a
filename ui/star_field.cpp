#include "ui/star_field.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr int kMost = 5;
constexpr int kStar = 18;
constexpr int kStep = 24;
}  // namespace

QPainterPath starPath(const QRectF& area) {
    QPolygonF points;
    for (int i = 0; i < 10; ++i) {
        const double angle = std::numbers::pi * (i / 5.0 - 0.5);
        const double radius = i % 2 == 0 ? 0.5 : 0.21;
        points << QPointF(area.center().x() + area.width() * radius * std::cos(angle),
                          area.center().y() + area.height() * (radius * std::sin(angle) + 0.03));
    }
    QPainterPath path;
    path.addPolygon(points);
    path.closeSubpath();
    return path;
}

StarField::StarField(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setToolTip(tr("Stars: click, or press 0 to 5"));
    setStars(0);
}

void StarField::setStars(int stars) {
    m_stars = std::clamp(stars, -1, kMost);
    setAccessibleName(m_stars < 0 ? tr("Stars: the clips differ") : tr("Stars: %1 of 5").arg(m_stars));
    update();
}

QSize StarField::sizeHint() const {
    return {kMost * kStep + 4, kControlHeight};
}

int StarField::starAt(int x) const {
    return x < 2 ? 0 : std::min(kMost, (x - 2) / kStep + 1);
}

void StarField::choose(int stars) {
    setStars(stars);
    emit starsChosen(stars);
}

void StarField::paintEvent(QPaintEvent*) {
    const Colours& colours = coloursOf(*this);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    for (int i = 0; i < kMost; ++i) {
        const QRectF area(2 + i * kStep, (height() - kStar) / 2.0, kStar, kStar);
        const QPainterPath path = starPath(area);
        const bool filled = i < (m_hovered > 0 ? m_hovered : m_stars);
        if (filled) {
            painter.fillPath(path, m_hovered > 0 ? colours.accentHover : colours.accent);
        }
        painter.strokePath(path, QPen(filled ? colours.accent : colours.border, 1.2));
    }
    if (hasFocus()) {
        painter.setPen(QPen(colours.accent, 2));
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 4, 4);
    }
}

void StarField::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) {
        const int star = starAt(qRound(event->position().x()));
        choose(star == m_stars ? 0 : star);
    }
}

void StarField::mouseMoveEvent(QMouseEvent* event) {
    m_hovered = starAt(qRound(event->position().x()));
    update();
}

void StarField::leaveEvent(QEvent*) {
    m_hovered = 0;
    update();
}

void StarField::keyPressEvent(QKeyEvent* event) {
    if (event->key() >= Qt::Key_0 && event->key() <= Qt::Key_5) {
        choose(event->key() - Qt::Key_0);
    } else if (event->key() == Qt::Key_Left || event->key() == Qt::Key_Right) {
        choose(std::clamp(m_stars + (event->key() == Qt::Key_Right ? 1 : -1), 0, kMost));
    } else {
        QWidget::keyPressEvent(event);
    }
}

}  // namespace fw::ui
