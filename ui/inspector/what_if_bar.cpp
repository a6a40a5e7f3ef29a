#include "ui/inspector/what_if_bar.h"

#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>

#include "ui/controls.h"
#include "ui/flow_layout.h"
#include "ui/inspector/mask_painter.h"
#include "ui/theme.h"

namespace fw::ui {

QPushButton* WhatIfBar::addTool(FlowLayout* row, const QString& text, const QString& tip) {
    auto* button = makeButton(text);
    button->setToolTip(tip);
    row->addWidget(button);
    return button;
}

WhatIfBar::WhatIfBar(QWidget* parent) : QWidget(parent) {
    auto* row = new FlowLayout(2 * kGrid);
    setLayout(row);
    m_paint =
        addTool(row, tr("Paint"), tr("Draw on the mask of the chosen head: what if it computed these tiles?"));
    m_paint->setCheckable(true);
    m_compute = addTool(row, tr("Compute this step"),
                        tr("What if the step cache stood aside at the chosen step, and everything were computed?"));
    m_compute->setCheckable(true);
    m_undo = addTool(row, tr("Undo"), tr("Takes back the last change made by hand"));
    m_clear = addTool(row, tr("Discard"), tr("Forgets all changes made by hand"));
    m_run = makeButton(QString(), QStringLiteral("action"));
    m_run->setToolTip(
        tr("Adds the clip to the queue again, with the same seed and these changes; when it is made, both "
           "are shown side by side"));
    row->addWidget(m_run);
    m_summary = makeLabel(QString(), TextRole::Secondary);
    m_summary->setMinimumHeight(kControlHeight);
    row->addWidget(m_summary);
    connect(m_paint, &QPushButton::toggled, this, &WhatIfBar::paintToggled);
    connect(m_compute, &QPushButton::clicked, this, &WhatIfBar::computeToggled);
    connect(m_undo, &QPushButton::clicked, this, &WhatIfBar::undoAsked);
    connect(m_clear, &QPushButton::clicked, this, &WhatIfBar::clearAsked);
    connect(m_run, &QPushButton::clicked, this, &WhatIfBar::runAsked);
}

void WhatIfBar::show(const MaskPainter& painter, const Shown& shown) {
    const bool any = !painter.isEmpty();
    const QSignalBlocker quiet(m_paint);
    m_paint->setVisible(shown.masks);
    m_paint->setChecked(painter.isActive());
    m_compute->setVisible(shown.cache);
    m_compute->setChecked(painter.computes(shown.step));
    m_undo->setVisible(any || painter.canUndo());
    m_undo->setEnabled(painter.canUndo());
    m_clear->setVisible(any);
    m_run->setVisible(any);
    m_run->setEnabled(shown.canRun);
    m_run->setText(painter.painted() > 0 ? tr("Make it again from step %1").arg(shown.step + 1)
                                         : tr("Make it again so"));
    m_summary->setVisible(any);
    QStringList parts;
    if (painter.painted() > 0) {
        parts.append(tr("%n heads painted", nullptr, painter.painted()));
    }
    if (painter.computedSteps() > 0) {
        parts.append(tr("%n steps to compute", nullptr, painter.computedSteps()));
    }
    m_summary->setText(parts.join(QStringLiteral(", ")));
    setVisible(shown.masks || shown.cache);
}

}  // namespace fw::ui
