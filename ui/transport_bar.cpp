#include "ui/transport_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QToolButton>

#include "ui/controls.h"
#include "ui/formats.h"
#include "ui/frame_player.h"
#include "ui/icons.h"
#include "ui/scrub_bar.h"
#include "ui/theme.h"

namespace fw::ui {

TransportBar::TransportBar(FramePlayer& player, QWidget* parent) : QWidget(parent), m_player(player) {
    m_previous =
        makeIconButton(QStringLiteral("frame-previous"), tr("Previous frame"), tr("One frame back (Left)"));
    m_play = makeIconButton(QStringLiteral("pause"), tr("Pause"), QString());
    m_next = makeIconButton(QStringLiteral("frame-next"), tr("Next frame"), tr("One frame on (Right)"));
    m_scrub = new ScrubBar;
    m_scrub->setAccessibleName(tr("Frame"));
    m_scrub->setToolTip(tr("Drag to look at one frame. Home and End go to the first and the last."));
    m_frame = makeLabel(QString(), TextRole::Body);
    m_time = makeLabel(QString(), TextRole::Secondary);
    for (auto* label : {m_frame, m_time}) {
        label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    }
    m_scaling = makeIconButton(QStringLiteral("scale-smooth"), tr("Scaling"), QString());
    m_scaling->setCheckable(true);
    m_save = makeButton(tr("Save as…"));
    m_save->setIcon(icon(QStringLiteral("save")));
    m_save->setToolTip(tr("Save a copy as MP4, WebM, GIF or PNG pictures (Ctrl+S)"));

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid / 2);
    row->addWidget(m_previous);
    row->addWidget(m_play);
    row->addWidget(m_next);
    row->addSpacing(kGrid / 2);
    row->addWidget(m_scrub, 1);
    row->addSpacing(kGrid / 2);
    row->addWidget(m_frame);
    row->addSpacing(kGrid);
    row->addWidget(m_time);
    row->addSpacing(kGrid);
    row->addWidget(m_scaling);
    row->addSpacing(kGrid / 2);
    row->addWidget(m_save);

    connect(m_previous, &QToolButton::clicked, this, [this] { m_player.step(-1); });
    connect(m_next, &QToolButton::clicked, this, [this] { m_player.step(1); });
    connect(m_play, &QToolButton::clicked, this, [this] { m_player.togglePlaying(); });
    connect(m_scrub, &QAbstractSlider::valueChanged, this, [this](int value) { m_player.seek(value); });
    connect(m_scaling, &QToolButton::toggled, this, [this](bool pixels) {
        setSmooth(!pixels);
        emit smoothChanged(!pixels);
    });
    connect(m_save, &QPushButton::clicked, this, &TransportBar::saveRequested);
    connect(&m_player, &FramePlayer::clipChanged, this, &TransportBar::showClip);
    connect(&m_player, &FramePlayer::frameChanged, this, &TransportBar::showFrame);
    connect(&m_player, &FramePlayer::playingChanged, this, &TransportBar::showPlaying);
    setSmooth(true);
    showClip();
    showPlaying(false);
}

void TransportBar::setSmooth(bool smooth) {
    const QSignalBlocker quiet(m_scaling);
    m_scaling->setChecked(!smooth);
    m_scaling->setIcon(icon(smooth ? QStringLiteral("scale-smooth") : QStringLiteral("scale-pixels")));
    m_scaling->setToolTip(smooth ? tr("Scaled smoothly. Click to see the pixels as they are.")
                                 : tr("Pixels as they are. Click to scale smoothly."));
    m_scaling->setAccessibleDescription(smooth ? tr("smooth") : tr("pixels"));
}

void TransportBar::setSaving(bool saving) {
    m_save->setEnabled(!saving);
    m_save->setText(saving ? tr("Saving…") : tr("Save as…"));
}

void TransportBar::showClip() {
    const QSignalBlocker quiet(m_scrub);
    m_scrub->setRange(0, std::max(0, m_player.count() - 1));
    m_scrub->setEnabled(m_player.count() > 1);
    // Wide enough for the last frame, so that nothing moves while the numbers change.
    const QString last = countText(m_player.count());
    const QString wide = QString(last.size(), QLatin1Char('0'));
    m_frame->setMinimumWidth(m_frame->fontMetrics().horizontalAdvance(wide + QStringLiteral(" / ") + wide) + 2);
    const QString end = timeCode(m_player.clip().seconds());
    QString wideTime = end;
    for (QChar& c : wideTime) {
        c = c.isDigit() ? QLatin1Char('0') : c;
    }
    m_time->setMinimumWidth(m_time->fontMetrics().horizontalAdvance(wideTime) + 2);
    showFrame(m_player.index());
}

void TransportBar::showFrame(int index) {
    const QSignalBlocker quiet(m_scrub);
    m_scrub->setValue(index);
    m_frame->setText(
        QStringLiteral("%1 / %2").arg(countText(m_player.isEmpty() ? 0 : index + 1), countText(m_player.count())));
    m_time->setText(m_player.isEmpty() ? timeCode(0) : timeCode(index / m_player.framesPerSecond()));
}

void TransportBar::showPlaying(bool playing) {
    m_play->setIcon(icon(playing ? QStringLiteral("pause") : QStringLiteral("play")));
    m_play->setAccessibleName(playing ? tr("Pause") : tr("Play"));
    m_play->setToolTip(playing ? tr("Pause (Space)") : tr("Play (Space)"));
}

}  // namespace fw::ui
