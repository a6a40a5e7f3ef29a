#include "ui/transport_bar.h"

#include <QAction>
#include <QActionGroup>
#include <QHBoxLayout>
#include <QLocale>
#include <QMenu>
#include <QPushButton>
#include <QSignalBlocker>
#include <QToolButton>
#include <algorithm>
#include <cmath>

#include "ui/controls.h"
#include "ui/frame_player.h"
#include "ui/icons.h"
#include "ui/scrub_bar.h"
#include "ui/stage_canvas.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

// "1×", "0.5×", "−2×"
QString rateText(double rate) {
    const QString figure = QLocale().toString(std::abs(rate), 'g', 3) + QChar(0x00d7);
    return rate < 0.0 ? QChar(0x2212) + figure : figure;
}

QToolButton* makeMenuButton(const QString& name, const QString& toolTip, const QString& widest) {
    auto* button = new QToolButton;
    button->setAccessibleName(name);
    button->setToolTip(toolTip);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setPopupMode(QToolButton::InstantPopup);
    button->setFixedHeight(kControlHeight);
    button->setMinimumWidth(button->fontMetrics().horizontalAdvance(widest) + 2 * kGrid);
    button->setMenu(new QMenu(button));
    return button;
}

// A menu shows the key that the stage handles itself: a shortcut of its own would take it away from text fields.
QString withKey(const QString& text, const QString& key) {
    return text + QLatin1Char('\t') + key;
}

}  // namespace

TransportBar::TransportBar(FramePlayer& player, StageCanvas& canvas, ScrubBar* scrub, QWidget* parent)
    : QWidget(parent), m_player(player), m_canvas(canvas), m_scrub(scrub) {
    m_previous =
        makeIconButton(QStringLiteral("frame-previous"), tr("Previous frame"), tr("One frame back (Left)"));
    m_play = makeIconButton(QStringLiteral("pause"), tr("Pause"), QString());
    m_next = makeIconButton(QStringLiteral("frame-next"), tr("Next frame"), tr("One frame on (Right)"));
    m_speed = makeMenuButton(tr("Speed"), tr("How fast it plays (< and >). J, K and L play back, pause and on."),
                             rateText(-0.25));
    m_loop = makeIconButton(QStringLiteral("loop"), tr("Loop"), tr("Begin again at the end"));
    m_loop->setCheckable(true);
    m_zoom = makeMenuButton(tr("Zoom"), tr("How large the picture is (plus, minus, 0 and 1, or the mouse wheel)"),
                            QStringLiteral("1600 %"));
    m_scaling = makeIconButton(QStringLiteral("scale-smooth"), tr("Scaling"), QString());
    m_scaling->setCheckable(true);
    m_more = makeIconButton(QStringLiteral("more"), tr("More"), tr("Frames and the part that is played"));
    m_more->setPopupMode(QToolButton::InstantPopup);
    m_more->setMenu(new QMenu(m_more));
    m_save = makeButton(tr("Save as…"));
    m_save->setIcon(icon(QStringLiteral("save")));
    m_save->setToolTip(tr("Save a copy in a format of your choice (Ctrl+S)"));

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid / 2);
    for (auto* button : {m_previous, m_play, m_next, m_speed, m_loop}) {
        row->addWidget(button);
    }
    row->addStretch(1);
    for (auto* button : {m_zoom, m_scaling, m_more}) {
        row->addWidget(button);
    }
    row->addWidget(m_save);
    buildSpeed();
    buildZoom();
    buildMore();

    connect(m_previous, &QToolButton::clicked, this, [this] { m_player.step(-1); });
    connect(m_next, &QToolButton::clicked, this, [this] { m_player.step(1); });
    connect(m_play, &QToolButton::clicked, this, [this] { m_player.togglePlaying(); });
    connect(m_loop, &QToolButton::toggled, &m_player, &FramePlayer::setLooping);
    connect(m_scaling, &QToolButton::toggled, this, [this](bool pixels) {
        setSmooth(!pixels);
        emit smoothChanged(!pixels);
    });
    connect(m_save, &QPushButton::clicked, this, &TransportBar::saveRequested);
    connect(&m_player, &FramePlayer::playingChanged, this, &TransportBar::showPlaying);
    connect(&m_player, &FramePlayer::rateChanged, this, &TransportBar::showRate);
    connect(&m_player, &FramePlayer::marksChanged, this, [this] { m_clearMarks->setEnabled(m_player.hasMarks()); });
    connect(&m_canvas, &StageCanvas::zoomChanged, this, &TransportBar::showZoom);
    setSmooth(true);
    showPlaying();
    showRate();
    showZoom();
}

void TransportBar::buildSpeed() {
    m_speeds = new QActionGroup(this);
    for (const double speed : FramePlayer::kSpeeds) {
        auto* action =
            m_speed->menu()->addAction(rateText(speed), this, [this, speed] { m_player.setSpeed(speed); });
        action->setCheckable(true);
        action->setData(speed);
        m_speeds->addAction(action);
    }
}

void TransportBar::buildZoom() {
    auto* menu = m_zoom->menu();
    menu->addAction(withKey(tr("Fit the window"), QStringLiteral("0")), &m_canvas, &StageCanvas::fit);
    menu->addAction(withKey(tr("%1 %").arg(100), QStringLiteral("1")), this, [this] { m_canvas.setZoom(1.0); });
    for (const int zoom : {2, 4, 8}) {
        menu->addAction(tr("%1 %").arg(100 * zoom), this, [this, zoom] { m_canvas.setZoom(zoom); });
    }
}

void TransportBar::buildMore() {
    auto* menu = m_more->menu();
    menu->addAction(withKey(tr("Copy this frame"), tr("Ctrl+C")), this, &TransportBar::copyFrameRequested);
    menu->addAction(withKey(tr("Save this frame as PNG…"), tr("Ctrl+Shift+S")), this,
                    &TransportBar::saveFrameRequested);
    menu->addSeparator();
    menu->addAction(withKey(tr("Play from here"), QStringLiteral("I")), this,
                    [this] { m_player.setMarkIn(m_player.index()); });
    menu->addAction(withKey(tr("Play up to here"), QStringLiteral("O")), this,
                    [this] { m_player.setMarkOut(m_player.index()); });
    m_clearMarks =
        menu->addAction(withKey(tr("Play all of it"), QStringLiteral("X")), &m_player, &FramePlayer::clearMarks);
    m_clearMarks->setEnabled(false);
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

void TransportBar::showPlaying() {
    const bool playing = m_player.isPlaying();
    m_play->setIcon(icon(playing ? QStringLiteral("pause") : QStringLiteral("play")));
    m_play->setAccessibleName(playing ? tr("Pause") : tr("Play"));
    m_play->setToolTip(playing ? tr("Pause (Space)") : tr("Play (Space)"));
}

void TransportBar::showRate() {
    m_speed->setText(rateText(m_player.rate()));
    m_speed->setAccessibleDescription(m_speed->text());
    for (auto* action : m_speeds->actions()) {
        action->setChecked(action->data().toDouble() == m_player.speed());
    }
    const QSignalBlocker quiet(m_loop);
    m_loop->setChecked(m_player.isLooping());
}

void TransportBar::showZoom() {
    m_zoom->setText(m_canvas.isFitted() ? tr("Fit") : tr("%1 %").arg(std::lround(100.0 * m_canvas.zoom())));
    m_zoom->setAccessibleDescription(m_zoom->text());
}

}  // namespace fw::ui
