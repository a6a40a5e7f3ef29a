#include "ui/method_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/controls.h"
#include "ui/settings_form.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

QString text(const std::string& s) {
    return QString::fromStdString(s);
}

int toInt(double value) {
    return static_cast<int>(
        std::clamp<double>(value, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
}

}  // namespace

QString parameterTitle(const job::ParameterSchema& schema) {
    QString label = text(schema.name).replace(QLatin1Char('_'), QLatin1Char(' '));
    if (!label.isEmpty()) {
        label[0] = label[0].toUpper();
    }
    return label;
}

QString parameterToolTip(const job::ParameterSchema& schema) {
    const auto number = [](double value) { return QLocale().toString(value, 'g', 6); };
    QString tip = text(schema.help);
    const bool counted = schema.type == job::ParameterType::Integer || schema.type == job::ParameterType::Real;
    if (counted) {
        tip += QLatin1Char('\n') + MethodForm::tr("From %1 to %2%3.")
                                       .arg(number(schema.minimum), number(schema.maximum),
                                            schema.unit.empty() ? QString() : QLatin1Char(' ') + text(schema.unit));
    }
    const Json& standard = schema.defaultValue;
    const QString shown = standard.is_boolean()
                              ? (standard.get<bool>() ? MethodForm::tr("on") : MethodForm::tr("off"))
                          : standard.is_string() ? text(standard.get<std::string>())
                          : standard.is_number() ? number(standard.get<double>())
                                                 : QString();
    if (!shown.isEmpty()) {
        tip += QLatin1Char('\n') + MethodForm::tr("Usually %1.").arg(shown);
    }
    return tip.trimmed();
}

int parameterDecimals(const job::ParameterSchema& schema) {
    const double standard = schema.defaultValue.is_number() ? schema.defaultValue.get<double>() : 0.0;
    for (int decimals = 1; decimals < 6; ++decimals) {
        const double scale = std::pow(10.0, decimals);
        const auto exact = [&](double v) { return std::abs(v * scale - std::round(v * scale)) < 1e-6; };
        if (exact(schema.minimum) && exact(standard) && exact(schema.maximum)) {
            return std::max(2, decimals);
        }
    }
    return 6;
}

MethodForm::MethodForm(const QString& title, const QString& toolTip, QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, kGrid, 0, 0);
    column->setSpacing(kGrid);
    column->addWidget(makeLabel(title, TextRole::Heading));
    m_choice = new QComboBox;
    m_choice->setAccessibleName(title);
    m_choice->setToolTip(toolTip);
    column->addWidget(m_choice);
    m_summary = makeLabel(QString(), TextRole::Caption, true);
    column->addWidget(m_summary);
    connect(m_choice, &QComboBox::currentIndexChanged, this, [this] {
        if (!m_filling) {
            m_foreignId.clear();
            buildFields();
            emit changed();
        }
    });
    hide();
}

void MethodForm::setMethods(std::vector<job::MethodDescription> methods) {
    const std::string chosen = id();
    const Json kept = values();
    m_methods = std::move(methods);
    m_filling = true;
    m_choice->clear();
    for (const auto& one : m_methods) {
        m_choice->addItem(text(one.name), text(one.id));
        m_choice->setItemData(m_choice->count() - 1, text(one.summary), Qt::ToolTipRole);
    }
    m_filling = false;
    setVisible(!m_methods.empty());
    choose(chosen.empty() && !m_methods.empty() ? m_methods.front().id : chosen, kept);
}

void MethodForm::choose(const std::string& id, const Json& values) {
    const int index = m_choice->findData(text(id));
    m_foreignId = index < 0 ? id : std::string();
    m_foreignValues = values.is_object() ? values : Json::object();
    m_filling = true;
    m_choice->setCurrentIndex(index);
    buildFields();
    for (const Field& field : m_fields) {
        if (const auto found = m_foreignValues.find(field.schema.name); found != m_foreignValues.end()) {
            field.write(*found);
        }
    }
    m_filling = false;
    emit changed();
}

const job::MethodDescription* MethodForm::method() const {
    const int index = m_choice->currentIndex();
    return index < 0 ? nullptr : &m_methods[static_cast<std::size_t>(index)];
}

std::string MethodForm::id() const {
    return m_foreignId.empty() && method() != nullptr ? method()->id : m_foreignId;
}

Json MethodForm::values() const {
    if (!m_foreignId.empty()) {
        return m_foreignValues;
    }
    Json values = Json::object();
    for (const Field& field : m_fields) {
        values[field.schema.name] = field.read();
    }
    return values;
}

void MethodForm::buildFields() {
    m_fields.clear();
    delete m_parameters;
    m_parameters = nullptr;
    const auto* chosen = method();
    m_summary->setText(chosen == nullptr ? tr("“%1” is not known to this machine's engine.").arg(text(m_foreignId))
                       : chosen->paper.empty() ? text(chosen->summary)
                                               : tr("%1 (%2)").arg(text(chosen->summary), text(chosen->paper)));
    m_summary->setVisible(!m_summary->text().isEmpty());
    if (chosen == nullptr || chosen->parameters.empty()) {
        return;
    }
    m_parameters = new QWidget;
    auto* grid = new QGridLayout(m_parameters);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(kGrid);
    grid->setVerticalSpacing(kGrid);
    grid->setColumnMinimumWidth(0, kFieldLabelWidth);
    grid->setColumnStretch(1, 1);
    const bool wasFilling = std::exchange(m_filling, true);
    for (const auto& schema : chosen->parameters) {
        m_fields.push_back(makeField(schema, grid));
        m_fields.back().write(schema.defaultValue);
    }
    m_filling = wasFilling;
    layout()->addWidget(m_parameters);
}

MethodForm::Field MethodForm::makeField(const job::ParameterSchema& schema, QGridLayout* grid) {
    Field field{schema, {}, {}};
    QWidget* control = nullptr;
    const auto report = [this] {
        if (!m_filling) {
            emit changed();
        }
    };
    const QString suffix = schema.unit.empty() ? QString() : QLatin1Char(' ') + text(schema.unit);
    switch (schema.type) {
        case job::ParameterType::Integer: {
            auto* spin = new QSpinBox;
            spin->setRange(toInt(schema.minimum), toInt(schema.maximum));
            spin->setSuffix(suffix);
            connect(spin, &QSpinBox::valueChanged, this, report);
            field.read = [spin] { return Json(spin->value()); };
            field.write = [spin](const Json& v) { spin->setValue(v.is_number() ? toInt(v.get<double>()) : 0); };
            control = spin;
            break;
        }
        case job::ParameterType::Real: {
            auto* spin = new QDoubleSpinBox;
            spin->setDecimals(parameterDecimals(schema));
            spin->setRange(schema.minimum, schema.maximum);
            spin->setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
            spin->setSuffix(suffix);
            connect(spin, &QDoubleSpinBox::valueChanged, this, report);
            field.read = [spin] { return Json(spin->value()); };
            field.write = [spin](const Json& v) { spin->setValue(v.is_number() ? v.get<double>() : 0.0); };
            control = spin;
            break;
        }
        case job::ParameterType::Boolean: {
            auto* box = new QCheckBox;
            connect(box, &QCheckBox::toggled, this, report);
            field.read = [box] { return Json(box->isChecked()); };
            field.write = [box](const Json& v) { box->setChecked(v.is_boolean() && v.get<bool>()); };
            control = box;
            break;
        }
        case job::ParameterType::Choice: {
            auto* combo = new QComboBox;
            for (const std::string& choice : schema.choices) {
                combo->addItem(text(choice));
            }
            connect(combo, &QComboBox::currentIndexChanged, this, report);
            field.read = [combo] { return Json(combo->currentText().toStdString()); };
            field.write = [combo](const Json& v) {
                combo->setCurrentIndex(
                    std::max(0, v.is_string() ? combo->findText(text(v.get<std::string>())) : 0));
            };
            control = combo;
            break;
        }
    }
    control->setObjectName(text(schema.name));
    control->setToolTip(parameterToolTip(schema));
    const int row = grid->rowCount();
    auto* label = makeFieldLabel(parameterTitle(schema), control);
    label->setToolTip(control->toolTip());
    grid->addWidget(label, row, 0);
    grid->addWidget(control, row, 1);
    return field;
}

}  // namespace fw::ui
