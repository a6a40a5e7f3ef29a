// How far a clip has come, how long it will take, and what can be done about it: look closely, stop, cancel.
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
    // The exact picture that was asked for is there.
    void exactShown();
    // Which of the buttons have somebody who acts on them.
    void setOffered(bool showNow, bool keep);
    [[nodiscard]] QPushButton* cancelButton() const { return m_cancel; }
    [[nodiscard]] QPushButton* showNowButton() const { return m_showNow; }
    [[nodiscard]] QPushButton* keepButton() const { return m_keep; }
    // "Forming the clip, step 7 of 20"
    [[nodiscard]] QString phaseText() const;
    // "step 7 of 20"; empty in phases without steps.
    [[nodiscard]] QString stepText() const;

 signals:
    void cancelRequested();
    void showNowRequested();
    void stopAndKeepRequested();

 protected:
    void resizeEvent(QResizeEvent* event) override;

 private:
    void enableButtons();
    void showTimes();

    QLabel* m_phase;
    QLabel* m_step;
    QLabel* m_left;
    QProgressBar* m_bar;
    QPushButton* m_showNow;
    QPushButton* m_keep;
    QPushButton* m_cancel;
    app::JobPhase m_currentPhase = app::JobPhase::Load;
    int m_steps = 0;         // done of the denoising
    bool m_waiting = false;  // for an exact picture
    int m_askedAt = 0;       // steps done when it was asked for
    QTimer m_second;
    QElapsedTimer m_started, m_reported;
    double m_secondsLeft = -1.0;
};

}  // namespace fw::ui
