#include "ui/frame_row.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <algorithm>

#include "ui/formats.h"
#include "ui/frame_player.h"
#include "ui/scrub_bar.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

// Wide enough for any figures in place of these, so that nothing moves while they change.
void reserve(QLabel* label, QString text, int least) {
    for (QChar& c : text) {
        c = c.isDigit() ? QLatin1Char('0') : c;
    }
    label->setMinimumWidth(std::max(least, label->fontMetrics().horizontalAdvance(text) + 2));
}

}  // namespace

FrameRow::FrameRow(FramePlayer& player, QWidget* parent) : QWidget(parent), m_player(player) {
    m_scrub = new ScrubBar;
    m_scrub->setAccessibleName(tr("Frame"));
    m_scrub->setToolTip(tr("Drag to look at one frame. I and O mark the part that is played."));
    m_frame = makeLabel(QString(), TextRole::Body);
    m_time = makeLabel(QString(), TextRole::Secondary);
    m_frame->setToolTip(tr("Frame, of how many"));
    m_time->setToolTip(tr("Minutes, seconds and hundredths, of how many"));
    m_time->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    row->addWidget(m_frame);
    row->addWidget(m_scrub, 1);
    row->addWidget(m_time);
    connect(m_scrub, &QAbstractSlider::valueChanged, this, [this](int value) { m_player.seek(value); });
    connect(m_scrub, &ScrubBar::markInMoved, &m_player, &FramePlayer::setMarkIn);
    connect(m_scrub, &ScrubBar::markOutMoved, &m_player, &FramePlayer::setMarkOut);
    connect(&m_player, &FramePlayer::clipChanged, this, &FrameRow::showClip);
    connect(&m_player, &FramePlayer::frameChanged, this, &FrameRow::showFrame);
    connect(&m_player, &FramePlayer::marksChanged, this, &FrameRow::showMarks);
    showClip();
}

void FrameRow::showClip() {
    const QSignalBlocker quiet(m_scrub);
    m_scrub->setRange(0, std::max(0, m_player.count() - 1));
    m_scrub->setEnabled(m_player.count() > 1);
    const QString last = countText(m_player.count());
    reserve(m_frame, last + QStringLiteral(" / ") + last, kRowStartWidth);
    const QString end = timeCode(m_player.clip().seconds());
    reserve(m_time, end + QStringLiteral(" / ") + end, kRowEndWidth);
    showMarks();
    showFrame(m_player.index());
}

void FrameRow::showMarks() {
    m_scrub->setMarks(m_player.markIn(), m_player.markOut(), m_player.hasMarks());
}

void FrameRow::showFrame(int index) {
    const QSignalBlocker quiet(m_scrub);
    m_scrub->setValue(index);
    const bool empty = m_player.isEmpty();
    m_frame->setText(QStringLiteral("%1 / %2").arg(countText(empty ? 0 : index + 1), countText(m_player.count())));
    m_time->setText(QStringLiteral("%1 / %2").arg(timeCode(empty ? 0.0 : index / m_player.framesPerSecond()),
                                                  timeCode(m_player.clip().seconds())));
}

}  // namespace fw::ui
