#include "ui/scrub_bar.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr double kHandleRadius = 6.0;
constexpr double kLeastTickDistance = 5.0;
}  // namespace

ScrubBar::ScrubBar(QWidget* parent) : QAbstractSlider(parent) {
    setOrientation(Qt::Horizontal);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setFixedHeight(kControlHeight);
}

QSize ScrubBar::sizeHint() const {
    return {160, kControlHeight};
}

double ScrubBar::xOf(int value) const {
    const double room = width() - 2.0 * (kHandleRadius + 2.0);
    const double part =
        maximum() > minimum() ? static_cast<double>(value - minimum()) / (maximum() - minimum()) : 0;
    return kHandleRadius + 2.0 + part * room;
}

int ScrubBar::valueAt(double x) const {
    const double room = width() - 2.0 * (kHandleRadius + 2.0);
    const double part = room > 0 ? (x - kHandleRadius - 2.0) / room : 0.0;
    return minimum() + static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * (maximum() - minimum())));
}

void ScrubBar::paintEvent(QPaintEvent*) {
    const Colours& colours = coloursOf(*this);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double y = height() / 2.0;
    const double x = xOf(value());
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.line);
    painter.drawRoundedRect(QRectF(xOf(minimum()), y - 2, xOf(maximum()) - xOf(minimum()), 4), 2, 2);
    painter.setBrush(isEnabled() ? colours.accent : colours.textDisabled);
    painter.drawRoundedRect(QRectF(xOf(minimum()), y - 2, x - xOf(minimum()), 4), 2, 2);
    const int frames = maximum() - minimum();
    if (frames > 0 && (xOf(maximum()) - xOf(minimum())) / frames >= kLeastTickDistance) {
        painter.setPen(QPen(colours.border, 1));
        for (int frame = minimum(); frame <= maximum(); ++frame) {
            painter.drawLine(QPointF(xOf(frame), y + 7), QPointF(xOf(frame), y + 10));
        }
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(isEnabled() ? colours.text : colours.textDisabled);
    painter.drawEllipse(QPointF(x, y), kHandleRadius, kHandleRadius);
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(colours.accent, 2));
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 3, -1, -3), 4, 4);
    }
}

void ScrubBar::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) {
        event->ignore();
        return;
    }
    setSliderDown(true);
    setSliderPosition(valueAt(event->position().x()));
}

void ScrubBar::mouseMoveEvent(QMouseEvent* event) {
    if (isSliderDown()) {
        setSliderPosition(valueAt(event->position().x()));
    }
}

void ScrubBar::mouseReleaseEvent(QMouseEvent*) {
    setSliderDown(false);
}

void ScrubBar::keyPressEvent(QKeyEvent* event) {
    // Arrows, Home and End mean the same here and everywhere else in the window, which handles them.
    event->ignore();
}

}  // namespace fw::ui
