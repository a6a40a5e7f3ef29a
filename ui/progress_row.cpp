#include "ui/progress_row.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "ui/controls.h"
#include "ui/formats.h"
#include "ui/icons.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kBarParts = 1000;
constexpr int kWide = 640;  // from where on the buttons have words

QString phaseName(app::JobPhase phase) {
    switch (phase) {
        case app::JobPhase::Load:
            return ProgressRow::tr("Loading the model");
        case app::JobPhase::Text:
            return ProgressRow::tr("Reading the prompt");
        case app::JobPhase::Denoise:
            return ProgressRow::tr("Forming the clip");
        case app::JobPhase::Decode:
            return ProgressRow::tr("Painting the frames");
        case app::JobPhase::Encode:
            return ProgressRow::tr("Writing the file");
    }
    return {};
}

}  // namespace

ProgressRow::ProgressRow(QWidget* parent) : QWidget(parent) {
    m_phase = makeLabel(QString(), TextRole::Heading);
    m_step = makeLabel(QString(), TextRole::Secondary);
    m_left = makeLabel(QString(), TextRole::Secondary);
    m_bar = new QProgressBar;
    m_bar->setRange(0, kBarParts);
    m_bar->setTextVisible(false);
    m_bar->setAccessibleName(tr("Progress"));
    m_showNow = makeButton(tr("Show now"));
    m_showNow->setIcon(icon(QStringLiteral("eye")));
    m_keep = makeButton(tr("Stop and keep"));
    m_keep->setIcon(icon(QStringLiteral("keep")));
    m_cancel = makeButton(tr("Cancel"));
    m_cancel->setObjectName(QStringLiteral("cancel"));
    m_cancel->setToolTip(tr("Stop now and keep nothing (Esc)"));

    auto* texts = new QHBoxLayout;
    texts->setSpacing(kGrid);
    texts->addWidget(m_phase);
    texts->addWidget(m_step);
    texts->addStretch(1);
    texts->addWidget(m_left);
    auto* column = new QVBoxLayout;
    column->setSpacing(kGrid - 2);
    column->addStretch(1);
    column->addLayout(texts);
    column->addWidget(m_bar);
    column->addStretch(1);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(2 * kGrid);
    row->addLayout(column, 1);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(kGrid);
    buttons->addWidget(m_showNow);
    buttons->addWidget(m_keep);
    buttons->addWidget(m_cancel);
    row->addLayout(buttons);

    connect(m_cancel, &QPushButton::clicked, this, &ProgressRow::cancelRequested);
    connect(m_keep, &QPushButton::clicked, this, &ProgressRow::stopAndKeepRequested);
    connect(m_showNow, &QPushButton::clicked, this, [this] {
        m_waiting = true;
        m_askedAt = m_steps;
        enableButtons();
        emit showNowRequested();
    });
    m_second.setInterval(1000);
    connect(&m_second, &QTimer::timeout, this, &ProgressRow::showTimes);
    reset();
}

void ProgressRow::reset() {
    m_secondsLeft = -1.0;
    m_started.start();
    m_reported.start();
    m_bar->setValue(0);
    m_phase->setText(tr("Starting"));
    m_step->clear();
    m_second.start();
    m_currentPhase = app::JobPhase::Load;
    m_steps = 0;
    m_waiting = false;
    enableButtons();
    showTimes();
}

void ProgressRow::exactShown() {
    m_waiting = false;
    enableButtons();
}

void ProgressRow::setOffered(bool showNow, bool keep) {
    m_showNow->setVisible(showNow);
    m_keep->setVisible(keep);
}

void ProgressRow::enableButtons() {
    const bool denoising = m_currentPhase == app::JobPhase::Denoise;
    m_showNow->setEnabled(denoising && !m_waiting);
    m_showNow->setToolTip(m_waiting ? tr("The exact picture comes after the step that is being computed")
                          : denoising
                              ? tr("Decode the clip as it is after this step; it goes on forming afterwards (E)")
                              : tr("There is something to decode while the clip forms"));
    m_keep->setEnabled(denoising && m_steps > 0);
    m_keep->setToolTip(m_keep->isEnabled() ? tr("Stop forming the clip and save what there is now")
                                           : tr("There is something to keep after the first step"));
}

void ProgressRow::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    const bool narrow = width() < kWide;
    m_showNow->setText(narrow ? QString() : tr("Show now"));
    m_keep->setText(narrow ? QString() : tr("Stop and keep"));
}

void ProgressRow::setProgress(const app::JobProgress& progress) {
    m_phase->setText(phaseName(progress.phase));
    const bool counted = progress.phase == app::JobPhase::Denoise && progress.steps > 0;
    m_step->setText(counted ? tr("step %1 of %2").arg(progress.step).arg(progress.steps) : QString());
    const int value = static_cast<int>(std::lround(std::clamp(progress.fraction, 0.0, 1.0) * kBarParts));
    m_bar->setValue(std::max(m_bar->value(), value));
    m_bar->setAccessibleDescription(phaseText());
    m_currentPhase = progress.phase;
    m_steps = progress.phase == app::JobPhase::Denoise ? progress.step : 0;
    // It comes after the step under way; one that has not come by now was too large or is lost.
    m_waiting = m_waiting && m_steps < m_askedAt + 3;
    enableButtons();
    m_secondsLeft = progress.secondsLeft;
    m_reported.restart();
    showTimes();
}

QString ProgressRow::phaseText() const {
    return m_step->text().isEmpty() ? m_phase->text() : m_phase->text() + QStringLiteral(", ") + m_step->text();
}

QString ProgressRow::stepText() const {
    return m_step->text();
}

void ProgressRow::showTimes() {
    if (!isVisible()) {
        m_second.stop();
    }
    if (m_secondsLeft < 0.0) {
        const auto seconds = m_started.elapsed() / 1000;
        m_left->setText(seconds < 1 ? QString()
                                    : tr("%1 so far").arg(wholeDurationText(static_cast<double>(seconds))));
        return;
    }
    const double left = std::max(0.0, m_secondsLeft - static_cast<double>(m_reported.elapsed()) / 1000.0);
    m_left->setText(left < 1.0 ? tr("almost done") : tr("about %1 left").arg(wholeDurationText(left)));
}

}  // namespace fw::ui
