// The studio's window: the prompt on the left, the stage on the right, and what happens between them.
#pragma once

#include <QMainWindow>
#include <QTimer>
#include <memory>

#include "app/studio/clip_engine.h"
#include "ui/error_presenter.h"

class QActionGroup;
class QMenu;
class QSettings;

namespace fw::ui {

class PromptPanel;
class StageWidget;
class Theme;
enum class StageState : quint8;

struct StudioOptions {
    QString modelFolder;   // empty: the folder chosen last, else the embedded model
    QString outputFolder;  // where finished clips go
    QString settingsFile;  // empty: the user's own
};

class MainWindow : public QMainWindow {
    Q_OBJECT

 public:
    // `engine` and `theme` must outlive the window.
    MainWindow(app::ClipEngine& engine, Theme& theme, const StudioOptions& options);
    ~MainWindow() override;

    [[nodiscard]] PromptPanel* panel() const { return m_panel; }
    [[nodiscard]] StageWidget* stage() const { return m_stage; }
    [[nodiscard]] bool isSaving() const { return !m_saving.isEmpty(); }

    void run();
    void cancel();
    // Saves the clip on the stage as `path`, whose extension gives the format. Asks before it replaces anything,
    // unless `replace`.
    void saveClipAs(const QString& path, bool replace);

 protected:
    void keyPressEvent(QKeyEvent* event) override;
    void closeEvent(QCloseEvent* event) override;

 private:
    void buildMenu(QMenu* menu);
    void addAppearance(QMenu* menu);
    void addShortcuts();
    void connectEngine();
    void connectPanels();
    void restore();
    void save();

    void openModel(const QString& folder);
    void chooseModel();
    void askForecast();
    void onModelReady(const app::ModelSummary& model);
    void onFinished(app::JobId job, const app::FinishedClip& clip);
    void onFailed(app::JobId job, const Error& error);
    void endJob();
    void showError(const Error& error);
    void onErrorAction(SuggestedAction action);
    void askWhereToSave();
    void openFolder(const QString& folder);
    void showShortcuts();
    void showAbout();
    [[nodiscard]] QString details(const Error& error) const;

    app::ClipEngine& m_engine;
    Theme& m_theme;
    StudioOptions m_options;
    std::unique_ptr<QSettings> m_settings;
    PromptPanel* m_panel;
    StageWidget* m_stage;
    QTimer m_forecastTimer;
    app::Ticket m_ticket = 0;
    app::JobId m_job = 0;       // the one on the stage; 0: none
    app::JobId m_stopping = 0;  // cancelled, not yet gone
    QString m_modelName;
    bool m_modelFailed = false;
    QString m_saving, m_saved;  // file being written, folder to open for the one written last
};

}  // namespace fw::ui
