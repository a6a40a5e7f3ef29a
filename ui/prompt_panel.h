// The left side: what to make, what it will cost, and the button that makes it or says why it cannot.
#pragma once

#include <QFrame>
#include <optional>
#include <vector>

#include "app/values/studio_values.h"
#include "core/base/result.h"
#include "core/job/parameter_schema.h"
#include "core/job/prompt_expansion.h"

class QHBoxLayout;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QSettings;
class QToolButton;

namespace fw::app {
class EngineLink;
class LibraryService;
}  // namespace fw::app

namespace fw::ui {

class BatchForm;
class KeyMap;
class MethodForm;
class ModelPicker;
class PresetMenu;
class PromptHistory;
class MachineForm;
class SettingsForm;

class PromptPanel : public QFrame {
    Q_OBJECT

 public:
    explicit PromptPanel(QWidget* parent = nullptr);

    // Gives the panel its history and presets, and its models and methods. Both outlive the panel; null: none.
    void setLibrary(app::LibraryService* library);
    void setEngine(app::EngineLink* engine);
    // What can be chosen when there is no engine to ask; setEngine() keeps both up to date by itself.
    void setMethods(const std::vector<job::MethodDescription>& methods,
                    const std::vector<job::MethodDescription>& caches);

    // Where the model picker looks beside the embedded model.
    void setModelFolders(const QStringList& folders);

    [[nodiscard]] QString prompt() const;
    void setPrompt(const QString& prompt);
    void focusPrompt();
    // The form as it stands, of several clips the first. Every field has a value, but not every value need be
    // possible.
    [[nodiscard]] job::GenerationRequest request() const;
    // Shows another clip's prompt and settings. Braces of its prompt are escaped, so that it means the same again.
    void showRequest(const job::GenerationRequest& request);
    // Draws the seed of the next run, unless it is kept, and returns the request with it.
    [[nodiscard]] job::GenerationRequest takeRequest();
    // The same for everything one press of Run makes: lines, alternatives and seeds. Empty while Run is disabled
    // for what the form says.
    [[nodiscard]] std::vector<job::GenerationRequest> takeRequests();
    // How many clips that is; 0 while the prompt text cannot be used.
    [[nodiscard]] qint64 clipCount() const;

    // Shows a waiting job to be changed, with a banner that offers to save or discard. Run waits until endEdit(),
    // which brings back what the form held before.
    void showEdit(qint64 jobId, const job::GenerationRequest& request);
    void endEdit();
    // 0: no job is being edited.
    [[nodiscard]] qint64 editedJob() const { return m_editedJob; }
    // What it was before, while one is edited.
    [[nodiscard]] const job::GenerationRequest& editedRequest() const { return m_edited; }

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
    void chooseModelRequested();              // only without an engine
    void modelChosen(const QString& folder);  // empty: the embedded model
    void modelFoldersChanged(const QStringList& folders);
    void saveEditRequested(qint64 jobId, const fw::job::GenerationRequest& request);
    void discardEditRequested(qint64 jobId);
    void notice(const QString& sentence);

 protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

 private:
    // What the form held before a job was edited.
    struct Draft {
        QString prompt;
        job::GenerationRequest request;
        bool seedLocked = false;
        job::BatchOptions batch;
    };
    void addPromptTools(QHBoxLayout* row);
    QWidget* buildBanner();
    QWidget* buildAdapterRow();
    void connectForm();
    // What of a request is not its words.
    void showChoices(const job::GenerationRequest& request);
    void setAdapters(std::vector<job::Adapter> adapters, job::LoraUse lora);
    void chooseModel();
    // `text` as it is typed, with its alternatives.
    void useText(const QString& text, const QString& negativePrompt);
    [[nodiscard]] job::GenerationRequest baseRequest() const;
    QWidget* buildHeader();
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
    KeyMap* m_promptKeys = nullptr;
    QString m_busy, m_blocked;
    QString m_forecastProblem;
    std::optional<app::Forecast> m_forecast;
    double m_speed = 0.0;
    app::EngineLink* m_engine = nullptr;
    qint64 m_editedJob = 0;
    std::optional<Draft> m_draft;
    job::GenerationRequest m_edited;  // the job that is edited: its model stays
    bool m_stepping = false;          // through the history

    QPushButton* m_modelLabel;
    ModelPicker* m_models;
    PromptHistory* m_history;
    PresetMenu* m_presets;
    QToolButton* m_historyButton;
    QWidget* m_banner;
    QLabel* m_bannerText;
    MethodForm* m_method;
    MethodForm* m_cache;
    QWidget* m_adapterRow;
    QLabel* m_adapterNames;
    std::vector<job::Adapter> m_adapters;
    job::LoraUse m_lora = job::LoraUse::Merged;  // of these
    BatchForm* m_batch;
    QPlainTextEdit* m_prompt;
    QLabel* m_counter;
    QPushButton* m_negativeToggle;
    QPlainTextEdit* m_negative;
    SettingsForm* m_form;
    MachineForm* m_machine;
    QLabel* m_cost;
    QLabel* m_time;
    QPushButton* m_run;
    QLabel* m_reason;
};

}  // namespace fw::ui
