#include "ui/step_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QToolButton>
#include <algorithm>

#include "ui/controls.h"
#include "ui/frame_row.h"
#include "ui/preview_history.h"
#include "ui/scrub_bar.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {
constexpr int kBackSide = 3 * kGrid;
}

StepBar::StepBar(QWidget* parent) : QWidget(parent) {
    m_bar = new ScrubBar;
    m_bar->setFixedHeight(3 * kGrid);
    m_bar->setOwnKeys(true);
    m_bar->setPageStep(5);
    m_bar->setAccessibleName(tr("Denoising step"));
    m_bar->setToolTip(
        tr("Drag to see how the clip formed, step by step (Alt+Left, Alt+Right). A diamond marks a step "
           "that was decoded exactly."));
    auto* name = makeLabel(tr("Denoising"), TextRole::Caption);
    name->setMinimumWidth(kRowStartWidth);
    m_label = makeLabel(QString(), TextRole::Caption);
    m_label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_back = makeIconButton(QStringLiteral("frame-next"), tr("Show the newest"), QString());
    m_back->setFixedSize(kBackSide, kBackSide);
    m_back->setIconSize({kBackSide - kGrid, kBackSide - kGrid});
    // Its place stays free, so that the bar is as long as the one of the frames below it.
    QSizePolicy policy = m_back->sizePolicy();
    policy.setRetainSizeWhenHidden(true);
    m_back->setSizePolicy(policy);
    m_back->hide();
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGrid);
    row->addWidget(name);
    row->addWidget(m_bar, 1);
    row->addWidget(m_back);
    row->addWidget(m_label);
    connect(m_back, &QToolButton::clicked, this, [this] {
        release();
        emit chosenChanged();
    });
    connect(m_bar, &QAbstractSlider::valueChanged, this, [this](int value) {
        m_chosenStep = value < m_bar->maximum() ? m_stops.value(value) : -1;
        show(value);
        emit chosenChanged();
    });
}

void StepBar::setHistory(const PreviewHistory& history, int steps, bool finished) {
    m_stops.clear();
    QList<int> exact;
    for (int i = 0; i < history.count(); ++i) {
        m_stops.append(history.at(i).preview.step);
        if (history.at(i).exact) {
            exact.append(i);
        }
    }
    m_steps = steps;
    m_finished = finished;
    // The clip has a stop of its own behind the previews; while it forms, the newest preview is the last stop.
    const int last = std::max(0, finished ? history.count() : history.count() - 1);
    const QSignalBlocker quiet(m_bar);
    m_bar->setRange(0, last);
    m_bar->setEnabled(last > 0);
    m_bar->setSpecial(exact);
    int value = last;
    if (m_chosenStep >= 0) {
        // Where the chosen one was thinned out, its nearest neighbour.
        const auto at = std::lower_bound(m_stops.begin(), m_stops.end(), m_chosenStep);
        value = std::min(last, static_cast<int>(at - m_stops.begin()));
        m_chosenStep = value < m_stops.size() ? m_stops.at(value) : -1;
    }
    m_bar->setValue(value);
    const QString wide = tr("step %1 of %2").arg(m_steps).arg(m_steps);
    m_label->setMinimumWidth(
        std::max(kRowEndWidth - kBackSide - kGrid, m_label->fontMetrics().horizontalAdvance(wide) + 2));
    show(value);
}

void StepBar::release() {
    m_chosenStep = -1;
    const QSignalBlocker quiet(m_bar);
    m_bar->setValue(m_bar->maximum());
    show(m_bar->value());
}

void StepBar::choose(int step) {
    const auto at = std::lower_bound(m_stops.begin(), m_stops.end(), step);
    if (at != m_stops.end()) {
        const QSignalBlocker quiet(m_bar);
        m_bar->setValue(static_cast<int>(at - m_stops.begin()));
        m_chosenStep = *at;
        show(m_bar->value());
        emit chosenChanged();
    }
}

int StepBar::chosen() const {
    return m_chosenStep >= 0 ? m_bar->value() : -1;
}

void StepBar::go(int stops) {
    m_bar->setValue(std::clamp(m_bar->value() + stops, m_bar->minimum(), m_bar->maximum()));
}

QString StepBar::text() const {
    return m_label->text();
}

void StepBar::show(int value) {
    const bool clip = m_finished && value >= m_stops.size();
    m_label->setText(clip                ? tr("finished")
                     : m_stops.isEmpty() ? QString()
                     : m_steps > 0       ? tr("step %1 of %2").arg(m_stops.at(value)).arg(m_steps)
                                         : tr("step %1").arg(m_stops.at(value)));
    m_bar->setAccessibleDescription(m_label->text());
    m_back->setAccessibleName(m_finished ? tr("Show the clip") : tr("Show the newest"));
    m_back->setToolTip(m_finished ? tr("Back to the finished clip") : tr("Follow the clip as it forms again"));
    m_back->setVisible(m_chosenStep >= 0);
}

}  // namespace fw::ui
