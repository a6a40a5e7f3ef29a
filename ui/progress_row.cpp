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
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kBarParts = 1000;

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
    row->addWidget(m_cancel);

    connect(m_cancel, &QPushButton::clicked, this, &ProgressRow::cancelRequested);
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
    showTimes();
}

void ProgressRow::setProgress(const app::JobProgress& progress) {
    m_phase->setText(phaseName(progress.phase));
    const bool counted = progress.phase == app::JobPhase::Denoise && progress.steps > 0;
    m_step->setText(counted ? tr("step %1 of %2").arg(progress.step).arg(progress.steps) : QString());
    const int value = static_cast<int>(std::lround(std::clamp(progress.fraction, 0.0, 1.0) * kBarParts));
    m_bar->setValue(std::max(m_bar->value(), value));
    m_bar->setAccessibleDescription(phaseText());
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
