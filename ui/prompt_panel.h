// The left side: what to make, what it will cost, and the button that makes it or says why it cannot.
#pragma once

#include <QFrame>
#include <optional>

#include "app/values/studio_values.h"

class QLabel;
class QMenu;
class QPlainTextEdit;
class QPushButton;
class QSettings;
class QToolButton;

namespace fw::ui {

class SettingsForm;

class PromptPanel : public QFrame {
    Q_OBJECT

 public:
    // `menu` opens from the header's button; it stays the caller's.
    explicit PromptPanel(QMenu* menu, QWidget* parent = nullptr);

    [[nodiscard]] QString prompt() const;
    void setPrompt(const QString& prompt);
    void focusPrompt();
    // The form as it stands. Every field has a value, but not every value need be possible.
    [[nodiscard]] job::GenerationRequest request() const;
    // Shows another clip's prompt and settings.
    void showRequest(const job::GenerationRequest& request);
    // Draws the seed of the next run, unless it is kept, and returns the request with it.
    [[nodiscard]] job::GenerationRequest takeRequest();

    void setModelOpening();
    void setModel(const app::ModelSummary& model);
    void setModelError(const Error& error);
    [[nodiscard]] bool hasModel() const { return m_model.has_value(); }

    // Why no run can start whatever the form says ("A clip is being made"); empty: nothing stands in the way.
    void setBusy(const QString& reason);
    // The forecast of request(), or the reason there is none, which blocks Run until the form changes.
    void setForecast(const app::Forecast& forecast);
    void setForecastError(const Error& error);
    // Operations per second measured on the last clip; 0: not known yet.
    void setSpeed(double flopsPerSecond);

    // Why Run is disabled, one sentence; empty: it is not.
    [[nodiscard]] QString blockedReason() const { return m_blocked; }

    void save(QSettings& settings) const;
    void restore(const QSettings& settings);

 signals:
    void requestChanged();
    void runRequested();
    void chooseModelRequested();

 private:
    QWidget* buildHeader(QMenu* menu);
    QWidget* buildForm();
    QWidget* buildActions();
    void onFormChanged();
    void setNegativeShown(bool shown);
    void showCounter();
    void showForecast();
    void updateRun();
    [[nodiscard]] QString findBlock() const;
    [[nodiscard]] QString findRequestBlock() const;

    std::optional<app::ModelSummary> m_model;
    QString m_modelProblem;
    QString m_busy, m_blocked;
    QString m_forecastProblem;
    std::optional<app::Forecast> m_forecast;
    double m_speed = 0.0;

    QLabel* m_modelLabel;
    QPlainTextEdit* m_prompt;
    QLabel* m_counter;
    QPushButton* m_negativeToggle;
    QPlainTextEdit* m_negative;
    SettingsForm* m_form;
    QLabel* m_cost;
    QLabel* m_time;
    QPushButton* m_run;
    QLabel* m_reason;
};

}  // namespace fw::ui
