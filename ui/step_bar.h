// A slim slider back through the denoising: one stop for each preview that was kept, the last for what is there
// now.
#pragma once

#include <QList>
#include <QWidget>

class QLabel;
class QToolButton;

namespace fw::ui {

class PreviewHistory;
class ScrubBar;

class StepBar : public QWidget {
    Q_OBJECT

 public:
    explicit StepBar(QWidget* parent = nullptr);

    // `steps` of the whole run; 0: not known. With `finished` the last stop is the clip itself, else it follows
    // the newest preview. The bar stays at its stop if the user has chosen one, see chosen().
    void setHistory(const PreviewHistory& history, int steps, bool finished);
    // Back to the last stop.
    void release();
    // Stays at the preview of `step`, even if it is the newest.
    void choose(int step);
    // The preview the user has gone back to, as an index into the history; -1: the last stop.
    [[nodiscard]] int chosen() const;
    void go(int stops);
    [[nodiscard]] ScrubBar* bar() const { return m_bar; }
    // "step 7 of 20"
    [[nodiscard]] QString text() const;

 signals:
    void chosenChanged();

 private:
    void show(int value);

    ScrubBar* m_bar;
    QLabel* m_label;
    QToolButton* m_back;
    QList<int> m_stops;  // the step of each
    int m_steps = 0;
    int m_chosenStep = -1;  // -1: none, what is there now is shown
    bool m_finished = false;
};

}  // namespace fw::ui
