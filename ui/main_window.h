// The studio's window: the stage in the middle, the prompt, the queue and the library in docks around it, and the
// menus.
#pragma once

#include <QList>
#include <QMainWindow>
#include <QTimer>
#include <memory>
#include <optional>

#include "app/values/studio_values.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/store/records.h"
#include "ui/error_presenter.h"
#include "ui/theme.h"

class QDockWidget;
class QMenu;
class QUndoStack;

namespace fw::app {
class StudioSession;
struct ClipComparison;
struct StartRequest;
}  // namespace fw::app

namespace fw::ui {

class Banner;
class DesktopNotifier;
class InspectorPanel;
class LibraryPanel;
class LogView;
class ModelFinder;
class PanelCycle;
class Preferences;
class PromptPanel;
class QueuePanel;
class StageDirector;
class StageWidget;
class TabTitles;

struct StudioOptions {
    QString modelFolder;   // empty: the folder chosen last, else the embedded model
    QString settingsFile;  // empty: the user's own
};

class MainWindow : public QMainWindow {
    Q_OBJECT

 public:
    // `session` and `theme` must outlive the window.
    MainWindow(app::StudioSession& session, Theme& theme, const StudioOptions& options);
    ~MainWindow() override;

    [[nodiscard]] PromptPanel* panel() const { return m_panel; }
    [[nodiscard]] StageWidget* stage() const { return m_stage; }
    [[nodiscard]] StageDirector* director() const { return m_director; }
    [[nodiscard]] InspectorPanel* inspector() const { return m_inspector; }
    [[nodiscard]] QUndoStack* undoStack() const { return m_undo; }
    [[nodiscard]] Preferences* preferences() const { return m_preferences.get(); }

    // Adds the clip of the form to the queue. Without a prompt it asks for one instead.
    void run();
    // Stops the clip that is being made.
    void cancel();
    // Loads the settings embedded in a clip into the form; says so, or why not.
    void loadSettings(const QString& file);
    // What a second start of the program asked for; also brings the window to the front.
    void serve(const app::StartRequest& request);

 protected:
    void keyPressEvent(QKeyEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

 private:
    // --- main_window_actions.cpp: the menus
    void buildMenus();
    void buildFileMenu();
    void buildEditMenu();
    void buildViewMenu();
    void buildQueueMenu();
    void buildHelpMenu();
    void addAppearance(QMenu* menu);
    QAction* addCommand(QMenu* menu, const QString& text, const QList<QKeySequence>& keys,
                        const std::function<void()>& command);

    // --- main_window_inspector.cpp
    void connectInspector();
    void inspect(const store::Clip& clip);
    void watch();
    void offerTrace(const store::Job& job);
    void branch(const Json& whatIf);
    void choosePatch(const QPointF& at);
    void rerunWithProbes();
    // Of a clip that was made: if it is the one made again, it is compared with the first.
    void checkRerun(const store::Clip& clip);
    void sayComparison(const app::ClipComparison& result);

    // --- main_window.cpp
    QDockWidget* addDock(const QString& name, const QString& title, QWidget* content, Qt::DockWidgetArea area);
    void buildCentre();
    void connectEngine();
    void connectPanels();
    void connectQueue();
    void connectLibrary();
    void arrangeDocks();
    void applyPreferences();
    void restore();
    void resetLayout();
    void save();

    void openModel(const QString& folder);
    void chooseModel();
    void askForecast();
    void onModelReady(const app::ModelSummary& model);
    void onModelFailed(const Error& error);
    // Settings of a clip and the model that made it, where it is on this machine.
    void showRequest(const job::GenerationRequest& request);
    void onModelMissing(const QString& name, const QString& problem);
    void showSpeed();  // how fast clips like the form's are made
    void onJobEnded(const store::Job& job);
    void showError(const Error& error);
    void onErrorAction(SuggestedAction action);
    void showSettingsOf(const job::GenerationRequest& request, const QString& what);
    void exportClip();
    void exportFiles(const QStringList& files);
    void editJob(qint64 id, const job::GenerationRequest& request);
    void openFolder(const QString& folder);
    void updateQueueBanner();
    void showQueueBanner(int waiting, int interrupted);
    void updateAwayBanner();
    void showSettings();
    void showLog();
    [[nodiscard]] QString details(const Error& error) const;

    app::StudioSession& m_session;
    Theme& m_theme;
    StudioOptions m_options;
    std::unique_ptr<Preferences> m_preferences;
    QUndoStack* m_undo;
    PanelCycle* m_cycle;
    TabTitles* m_tabTitles;
    DesktopNotifier* m_notifier;
    ModelFinder* m_finder;
    PromptPanel* m_panel;
    StageWidget* m_stage;
    StageDirector* m_director;
    QueuePanel* m_queue;
    QDockWidget* m_promptDock;
    QDockWidget* m_queueDock;
    LibraryPanel* m_library;
    QDockWidget* m_libraryDock;
    InspectorPanel* m_inspector;
    QDockWidget* m_inspectorDock;
    std::optional<store::Clip> m_inspected;
    // A clip being made again with probes: its settings without them, and the first one's file.
    struct Rerun {
        Json settings;
        QString first;
    };
    std::optional<Rerun> m_rerun;
    // A clip being made again with changes made by hand, and the trace they were made in.
    struct Branch {
        Json whatIf;
        QString first;
    };
    std::optional<Branch> m_branch;
    Banner* m_queueBanner;
    Banner* m_awayBanner;
    ThemeChoice m_appearance = ThemeChoice::System;  // of the settings when they were last applied
    LogView* m_logView = nullptr;                    // once it was asked for
    QByteArray m_firstLayout;                        // of the docks before anything was restored
    QTimer m_forecastTimer, m_saveTimer, m_timesTimer;
    app::Ticket m_ticket = 0;
    std::optional<app::ModelSummary> m_model;  // in the form, unless another one is being opened
    QString m_wantedModel;                     // folder of the one asked for last; empty: the embedded one
    bool m_modelFailed = false;
    bool m_keepPaused = false;  // the user does not want to be asked again
    bool m_afterCrash = false;
};

}  // namespace fw::ui
