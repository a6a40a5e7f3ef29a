// The line of controls for changes made by hand: paint, have a step computed, take back, make the clip again.
#pragma once

#include <QWidget>

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
        bool masks = false;  // a view of masks that can be painted
        bool cache = false;  // a view of a step cache's decisions
        int step = 0;        // chosen, from 0
        bool canRun = false;
    };
    void show(const MaskPainter& painter, const Shown& shown);

 signals:
    void paintToggled(bool on);
    void computeToggled();  // of the chosen step
    void undoAsked();
    void clearAsked();
    void runAsked();

 private:
    QPushButton* addTool(FlowLayout* row, const QString& text, const QString& tip);

    QPushButton *m_paint, *m_compute, *m_undo, *m_clear;
    QLabel* m_summary;
    QPushButton* m_run;
};

}  // namespace fw::ui
