// How far a clip has come, how long it will take, and Cancel.
#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include "app/values/studio_values.h"

class QLabel;
class QProgressBar;
class QPushButton;

namespace fw::ui {

class ProgressRow : public QWidget {
    Q_OBJECT

 public:
    explicit ProgressRow(QWidget* parent = nullptr);

    // Back to the start of a new job.
    void reset();
    void setProgress(const app::JobProgress& progress);
    [[nodiscard]] QPushButton* cancelButton() const { return m_cancel; }
    // "Forming the clip, step 7 of 20"
    [[nodiscard]] QString phaseText() const;
    // "step 7 of 20"; empty in phases without steps.
    [[nodiscard]] QString stepText() const;

 signals:
    void cancelRequested();

 private:
    void showTimes();

    QLabel* m_phase;
    QLabel* m_step;
    QLabel* m_left;
    QProgressBar* m_bar;
    QPushButton* m_cancel;
    QTimer m_second;
    QElapsedTimer m_started, m_reported;
    double m_secondsLeft = -1.0;
};

}  // namespace fw::ui
