#include "ui/scrub_bar.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr double kHandleRadius = 6.0;
constexpr double kLeastTickDistance = 5.0;
constexpr double kMarkHeight = 13.0;
constexpr double kMarkReach = 8.0;  // of the mouse round a flag
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

void ScrubBar::setMarks(int in, int out, bool shown) {
    m_in = in;
    m_out = out;
    m_marks = shown;
    setAccessibleDescription(shown ? tr("plays from %1 to %2").arg(in + 1).arg(out + 1) : QString());
    update();
}

void ScrubBar::setSpecial(const QList<int>& values) {
    m_special = values;
    update();
}

void ScrubBar::paintTicks(QPainter& painter, double y) const {
    const Colours& colours = coloursOf(*this);
    const int frames = maximum() - minimum();
    if (frames > 0 && (xOf(maximum()) - xOf(minimum())) / frames >= kLeastTickDistance) {
        painter.setPen(QPen(colours.border, 1));
        for (int frame = minimum(); frame <= maximum(); ++frame) {
            painter.drawLine(QPointF(xOf(frame), y + 7), QPointF(xOf(frame), y + 10));
        }
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.accent);
    for (const int value : m_special) {
        const QPointF at(xOf(value), y + 9);
        painter.drawPolygon(
            QPolygonF({at + QPointF(0, -4), at + QPointF(4, 0), at + QPointF(0, 4), at + QPointF(-4, 0)}));
    }
}

// A flag on each side, pointing at the part between them.
void ScrubBar::paintMarks(QPainter& painter, double y) const {
    const Colours& colours = coloursOf(*this);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.text);
    const double in = xOf(m_in), out = xOf(m_out);
    painter.drawRect(QRectF(in - 1, y - kMarkHeight, 2, kMarkHeight));
    painter.drawRect(QRectF(out - 1, y - kMarkHeight, 2, kMarkHeight));
    painter.drawPolygon(QPolygonF({{in, y - kMarkHeight}, {in + 7, y - kMarkHeight}, {in, y - kMarkHeight + 7}}));
    painter.drawPolygon(
        QPolygonF({{out, y - kMarkHeight}, {out - 7, y - kMarkHeight}, {out, y - kMarkHeight + 7}}));
}

void ScrubBar::paintEvent(QPaintEvent*) {
    const Colours& colours = coloursOf(*this);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double y = height() / 2.0;
    const double x = xOf(value());
    const double from = m_marks ? xOf(m_in) : xOf(minimum());
    const double to = m_marks ? xOf(m_out) : xOf(maximum());
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.line);
    const double left = kHandleRadius + 2.0;
    painter.drawRoundedRect(QRectF(left, y - 2, width() - 2.0 * left, 4), 2, 2);
    if (minimum() == maximum()) {
        return;  // nowhere to go
    }
    if (m_marks) {
        painter.setBrush(colours.border);
        painter.drawRect(QRectF(from, y - 2, to - from, 4));
    }
    painter.setBrush(isEnabled() ? colours.accent : colours.textDisabled);
    painter.drawRoundedRect(QRectF(from, y - 2, std::clamp(x, from, to) - from, 4), 2, 2);
    paintTicks(painter, y);
    if (m_marks) {
        paintMarks(painter, y);
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(isEnabled() ? colours.text : colours.textDisabled);
    const double radius = std::min(kHandleRadius, height() / 4.0);
    painter.drawEllipse(QPointF(x, y), radius, radius);
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(colours.accent, 2));
        const double inset = height() >= kControlHeight ? 3 : 1;
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, inset, -1, -inset), 4, 4);
    }
}

ScrubBar::Grip ScrubBar::gripAt(const QPointF& position) const {
    // The flags stand above the line; on the line itself the value is meant.
    if (m_marks && position.y() < height() / 2.0 - kHandleRadius / 2.0) {
        const double toIn = std::abs(position.x() - xOf(m_in) - 2.0);
        const double toOut = std::abs(position.x() - xOf(m_out) + 2.0);
        if (std::min(toIn, toOut) <= kMarkReach) {
            return toIn <= toOut ? Grip::In : Grip::Out;
        }
    }
    return Grip::Value;
}

void ScrubBar::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) {
        event->ignore();
        return;
    }
    m_grip = gripAt(event->position());
    if (m_grip == Grip::Value) {
        setSliderDown(true);
        setSliderPosition(valueAt(event->position().x()));
    }
}

void ScrubBar::mouseMoveEvent(QMouseEvent* event) {
    const int at = valueAt(event->position().x());
    if (m_grip == Grip::Value) {
        setSliderPosition(at);
    } else if (m_grip == Grip::In) {
        emit markInMoved(std::min(at, m_out));
    } else if (m_grip == Grip::Out) {
        emit markOutMoved(std::max(at, m_in));
    }
}

void ScrubBar::mouseReleaseEvent(QMouseEvent*) {
    m_grip = Grip::None;
    setSliderDown(false);
}

void ScrubBar::keyPressEvent(QKeyEvent* event) {
    // The arrows, Home and End of frames mean the same here and everywhere else on the stage, which handles them.
    if (m_ownKeys && event->modifiers() == Qt::NoModifier) {
        QAbstractSlider::keyPressEvent(event);
    } else {
        event->ignore();
    }
}

void ScrubBar::wheelEvent(QWheelEvent* event) {
    const int notches = event->angleDelta().y() / 120;
    setSliderPosition(std::clamp(value() - notches, minimum(), maximum()));
    event->accept();
}

}  // namespace fw::ui
