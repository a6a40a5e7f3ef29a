// The line of controls for changes made by hand: paint, have a step computed, other settings of the attention
// method, take back, make the clip again.
#pragma once

#include <QWidget>
#include <string>
#include <vector>

#include "core/job/parameter_schema.h"

class QDoubleSpinBox;
class QLabel;
class QPushButton;

namespace fw::ui {

class FlowLayout;
class MaskPainter;

class WhatIfBar : public QWidget {
    Q_OBJECT

 public:
    explicit WhatIfBar(QWidget* parent = nullptr);

    struct Shown {
        bool masks = false;     // a view of masks that can be painted
        bool cache = false;     // a view of a step cache's decisions
        bool settings = false;  // a view of what the attention method's settings change
        int step = 0;           // chosen, from 0
        bool canChange = true;  // false: the clip is still being made
        bool canRun = false;
        Json parameters = Json::object();  // of the attention method, as the chosen step has them
    };
    void show(const MaskPainter& painter, const Shown& shown);
    // Fields for the shares and strengths of an attention method.
    void setParameters(const std::vector<job::ParameterSchema>& parameters);

 signals:
    void paintToggled(bool on);
    void computeToggled();  // of the chosen step
    void undoAsked();
    void clearAsked();
    void runAsked();
    // `base`: as the run has it; a field that shows it rounded, and is left at that, stands for all its digits.
    void parameterChanged(const std::string& name, double value, double base);

 private:
    QPushButton* addTool(FlowLayout* row, const QString& text, const QString& tip);

    struct Parameter {
        job::ParameterSchema schema;
        QWidget* holder = nullptr;
        QDoubleSpinBox* box = nullptr;
        double base = 0.0;   // what the run has
        double shown = 0.0;  // what the field stands for
    };
    void addParameter(const job::ParameterSchema& schema);
    void showParameter(Parameter& parameter, const Json& values, const MaskPainter& painter);
    std::vector<Parameter> m_parameters;
    QWidget* m_settings;  // holds them
    QPushButton *m_paint, *m_compute, *m_undo, *m_clear;
    QLabel* m_summary;
    QPushButton* m_run;
};

}  // namespace fw::ui
