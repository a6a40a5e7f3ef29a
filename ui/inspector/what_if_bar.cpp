#include "ui/inspector/what_if_bar.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <algorithm>

#include "ui/controls.h"
#include "ui/flow_layout.h"
#include "ui/inspector/mask_painter.h"
#include "ui/method_form.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

// As a field with so many decimals shows and reads it.
double rounded(double value, int decimals) {
    return QString::number(value, 'f', decimals).toDouble();
}

}  // namespace

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
    m_settings = new QWidget;
    auto* settings = new QHBoxLayout(m_settings);
    settings->setContentsMargins(0, 0, 0, 0);
    settings->setSpacing(2 * kGrid);
    row->addWidget(m_settings);
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

void WhatIfBar::setParameters(const std::vector<job::ParameterSchema>& parameters) {
    for (const Parameter& old : m_parameters) {
        delete old.holder;
    }
    m_parameters.clear();
    for (const job::ParameterSchema& schema : parameters) {
        if (schema.type == job::ParameterType::Real) {
            addParameter(schema);  // only shares and strengths can change on the way
        }
    }
}

void WhatIfBar::addParameter(const job::ParameterSchema& schema) {
    auto* box = new QDoubleSpinBox;
    box->setDecimals(parameterDecimals(schema));
    box->setRange(schema.minimum, schema.maximum);
    box->setSingleStep(0.05);
    box->setKeyboardTracking(false);
    box->setObjectName(QString::fromStdString(schema.name));
    box->setToolTip(tr("What if this were different from the chosen step on?") + QLatin1Char('\n') +
                    parameterToolTip(schema));
    auto* holder = new QWidget;
    auto* line = new QHBoxLayout(holder);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(kGrid);
    line->addWidget(makeFieldLabel(parameterTitle(schema), box));
    line->addWidget(box);
    m_settings->layout()->addWidget(holder);
    const std::size_t index = m_parameters.size();
    m_parameters.push_back({schema, holder, box, 0.0, box->value()});
    connect(box, &QDoubleSpinBox::valueChanged, this, [this, index](double value) {
        Parameter& parameter = m_parameters[index];
        parameter.shown = value;
        const double base = parameter.base;
        emit parameterChanged(parameter.schema.name,
                              value == rounded(base, parameter.box->decimals()) ? base : value, base);
    });
}

// Leaves a field alone that stands for this already: somebody may be typing into it.
void WhatIfBar::showParameter(Parameter& parameter, const Json& values, const MaskPainter& painter) {
    const Json& standard = parameter.schema.defaultValue;
    const Json own = values.is_object() ? values.value(parameter.schema.name, standard) : standard;
    parameter.base = own.is_number() ? own.get<double>() : 0.0;
    const auto changed = painter.parameters().find(parameter.schema.name);
    const double value = changed == painter.parameters().end() ? parameter.base : changed->second;
    if (value == parameter.shown) {
        return;
    }
    parameter.shown = value;
    const QSignalBlocker still(parameter.box);
    constexpr int kMostDecimals = 6;
    int decimals = parameterDecimals(parameter.schema);
    while (decimals < kMostDecimals &&
           (rounded(value, decimals) != value || rounded(parameter.base, decimals) != parameter.base)) {
        ++decimals;
    }
    parameter.box->setDecimals(decimals);
    parameter.box->setValue(value);
}

void WhatIfBar::show(const MaskPainter& painter, const Shown& shown) {
    const bool any = !painter.isEmpty();
    const QSignalBlocker quiet(m_paint);
    m_paint->setVisible(shown.masks);
    m_paint->setChecked(painter.isActive());
    m_compute->setVisible(shown.cache);
    m_compute->setChecked(painter.computes(shown.step));
    m_settings->setVisible(shown.settings && !m_parameters.empty());
    for (Parameter& parameter : m_parameters) {
        showParameter(parameter, shown.parameters, painter);
    }
    for (QWidget* tool : {static_cast<QWidget*>(m_paint), static_cast<QWidget*>(m_compute), m_settings}) {
        tool->setEnabled(shown.canChange);
    }
    m_undo->setVisible(any || painter.canUndo());
    m_undo->setEnabled(painter.canUndo());
    m_clear->setVisible(any);
    m_run->setVisible(any);
    m_run->setEnabled(shown.canRun);
    m_run->setText(painter.hasStep() ? tr("Make it again from step %1").arg(shown.step + 1)
                                     : tr("Make it again so"));
    m_summary->setVisible(any || !shown.canChange);
    QStringList parts;
    if (!shown.canChange) {
        parts.append(tr("can be changed once the clip is made"));
    }
    if (painter.painted() > 0) {
        parts.append(tr("%n heads painted", nullptr, painter.painted()));
    }
    if (painter.computedSteps() > 0) {
        parts.append(tr("%n steps to compute", nullptr, painter.computedSteps()));
    }
    if (!painter.parameters().empty()) {
        parts.append(tr("%n settings changed", nullptr, static_cast<int>(painter.parameters().size())));
    }
    m_summary->setText(parts.join(QStringLiteral(", ")));
    setVisible(shown.masks || shown.cache || m_settings->isVisibleTo(this));
}

}  // namespace fw::ui
