#include "ui/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDesktopServices>
#include <QDir>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QLabel>
#include <QLocale>
#include <QMimeData>
#include <QPushButton>
#include <QSessionManager>
#include <QUndoStack>
#include <QUrl>
#include <QVBoxLayout>
#include <QWindow>
#include <functional>
#include <utility>

#include "app/library/clip_paths.h"
#include "app/studio/single_instance.h"
#include "app/studio/studio_session.h"
#include "ui/banner.h"
#include "ui/desktop_notifier.h"
#include "ui/example_prompts.h"
#include "ui/export_dialog.h"
#include "ui/inspector/inspector_panel.h"
#include "ui/library_panel.h"
#include "ui/model_finder.h"
#include "ui/panel_cycle.h"
#include "ui/preferences.h"
#include "ui/progress_row.h"
#include "ui/prompt_panel.h"
#include "ui/queue_edits.h"
#include "ui/queue_model.h"
#include "ui/queue_panel.h"
#include "ui/stage_canvas.h"
#include "ui/stage_director.h"
#include "ui/stage_widget.h"
#include "ui/tab_titles.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kForecastDelayMs = 120;  // after the last change of the form
constexpr int kTimesDelayMs = 250;     // times left are gathered
constexpr int kSaveDelayMs = 2000;     // so that an unsent prompt survives a crash
constexpr QSize kFirstSize(1280, 800);
constexpr int kSideWidth = 43 * kGrid;  // of the queue and the library
constexpr int kLeastSideWidth = 37 * kGrid;
constexpr int kLeastStageHeight = 46 * kGrid;  // the longest error and its advice
const auto kModelFolder = QStringLiteral("model/folder");
constexpr int kInspectorHeight = 50 * kGrid;
constexpr int kLayoutVersion = 1;  // of saveState(): docks of another version are not restored

// Puts settings into the form, and the ones before them back.
class ShowSettings final : public QUndoCommand {
 public:
    using Show = std::function<void(const job::GenerationRequest&)>;
    ShowSettings(Show show, job::GenerationRequest before, job::GenerationRequest after, const QString& text)
        : QUndoCommand(text), m_show(std::move(show)), m_before(std::move(before)), m_after(std::move(after)) {}
    void undo() override { m_show(m_before); }
    void redo() override { m_show(m_after); }

 private:
    Show m_show;
    job::GenerationRequest m_before, m_after;
};

QStringList filesIn(const QMimeData& data) {
    QStringList files;
    for (const QUrl& url : data.urls()) {
        if (url.isLocalFile() && QFileInfo(url.toLocalFile()).isFile()) {
            files.append(url.toLocalFile());
        }
    }
    return files;
}

}  // namespace

MainWindow::MainWindow(app::StudioSession& session, Theme& theme, const StudioOptions& options)
    : m_session(session),
      m_theme(theme),
      m_options(options),
      m_preferences(std::make_unique<Preferences>(options.settingsFile)),
      m_undo(new QUndoStack(this)),
      m_cycle(new PanelCycle(this)),
      m_tabTitles(new TabTitles(this)),
      m_notifier(new DesktopNotifier(this)),
      m_finder(new ModelFinder(session.engine(), this)),
      m_afterCrash(session.library().openReport().uncleanExit) {
    setWindowTitle(QStringLiteral("Framewright"));
    setWindowIcon(QIcon(QStringLiteral(":/framewright/icons/framewright.svg")));
    setAcceptDrops(true);
    setDockOptions(AnimatedDocks | AllowTabbedDocks | AllowNestedDocks | GroupedDragging);
    setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
    buildCentre();
    m_panel = new PromptPanel;
    m_panel->setLibrary(&session.library());
    m_panel->setEngine(&session.engine());
    m_promptDock = addDock(QStringLiteral("prompt"), tr("Prompt"), m_panel, Qt::LeftDockWidgetArea);
    m_promptDock->setAllowedAreas(Qt::LeftDockWidgetArea | Qt::RightDockWidgetArea);  // it is a column
    m_cycle->add(m_stage, nullptr);
    m_queue = new QueuePanel(session.queue(), session.library());
    m_queue->setUndoStack(m_undo);
    m_queue->setMinimumWidth(kLeastSideWidth);
    m_queueDock = addDock(QStringLiteral("queue"), tr("Queue"), m_queue, Qt::RightDockWidgetArea);
    m_library = new LibraryPanel(session.library(), session.clips());
    m_library->setUndoStack(m_undo);
    m_library->setMinimumWidth(kLeastSideWidth);
    m_libraryDock = addDock(QStringLiteral("library"), tr("Library"), m_library, Qt::RightDockWidgetArea);
    m_inspector = new InspectorPanel;
    m_inspectorDock = addDock(QStringLiteral("inspector"), tr("Inspector"), m_inspector, Qt::BottomDockWidgetArea);
    arrangeDocks();
    m_director = new StageDirector(session, *m_stage, this);
    buildMenus();

    m_forecastTimer.setSingleShot(true);
    m_forecastTimer.setInterval(kForecastDelayMs);
    connect(&m_forecastTimer, &QTimer::timeout, this, &MainWindow::askForecast);
    m_saveTimer.setSingleShot(true);
    m_saveTimer.setInterval(kSaveDelayMs);
    connect(&m_saveTimer, &QTimer::timeout, this, &MainWindow::save);
    connect(qApp, &QGuiApplication::commitDataRequest, this, &MainWindow::save);
    connectEngine();
    connectPanels();
    connectQueue();
    connectLibrary();
    connectInspector();
    restore();
    m_panel->focusPrompt();
}

MainWindow::~MainWindow() {
    // Children end after this; nothing of theirs may reach a window that is half gone.
    m_director->disconnect(this);
}

void MainWindow::buildCentre() {
    m_stage = new StageWidget;
    m_stage->setMinimumHeight(kLeastStageHeight);
    m_queueBanner = new Banner(tr("Queue"));
    auto* go = m_queueBanner->addButton(tr("Continue"), tr("Make the clips that wait"));
    auto* stay = m_queueBanner->addButton(tr("Keep paused"), tr("Leave the queue as it is for now"));
    connect(go, &QPushButton::clicked, this, [this] { m_session.queue().setPaused(false); });
    connect(stay, &QPushButton::clicked, this, [this] {
        m_keepPaused = true;
        updateQueueBanner();
    });
    m_awayBanner = new Banner(tr("Clip in the making"));
    auto* back = m_awayBanner->addButton(tr("Show it"), tr("Back to the clip that is being made"));
    connect(back, &QPushButton::clicked, this, [this] {
        m_director->follow();
        m_stage->canvas()->setFocus();
    });
    auto* centre = new QWidget;
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_queueBanner);
    column->addWidget(m_awayBanner);
    column->addWidget(m_stage, 1);
    setCentralWidget(centre);
}

QDockWidget* MainWindow::addDock(const QString& name, const QString& title, QWidget* content,
                                 Qt::DockWidgetArea area) {
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(name);
    dock->setAccessibleName(title);
    dock->setWidget(content);
    dock->toggleViewAction()->setToolTip(tr("Show or hide this panel"));
    addDockWidget(area, dock);
    m_cycle->add(content, dock);
    m_tabTitles->add(dock);
    return dock;
}

void MainWindow::connectEngine() {
    using app::EngineLink;
    auto& engine = m_session.engine();
    connect(&engine, &EngineLink::modelReady, this, &MainWindow::onModelReady);
    connect(&engine, &EngineLink::modelFailed, this,
            [this](const QString&, const Error& error) { onModelFailed(error); });
    connect(m_finder, &ModelFinder::found, this, [this](const app::ModelSummary& model) {
        m_wantedModel = model.embedded ? QString() : model.folder;
        m_preferences->store().setValue(kModelFolder, m_wantedModel);
        onModelReady(model);
    });
    connect(m_finder, &ModelFinder::missing, this, &MainWindow::onModelMissing);
    connect(&engine, &EngineLink::forecastReady, this, [this](app::Ticket ticket, const app::Forecast& forecast) {
        if (ticket == m_ticket) {
            m_panel->setForecast(forecast);
        }
    });
    connect(&engine, &EngineLink::forecastFailed, this, [this](app::Ticket ticket, const Error& error) {
        if (ticket == m_ticket) {
            m_panel->setForecastError(error);
        }
    });
    connect(&m_session.clips(), &app::ClipFiles::settingsRead, this,
            [this](const QString& file, const job::GenerationRequest& request) {
                showSettingsOf(request, QFileInfo(file).fileName());
            });
    connect(&m_session.clips(), &app::ClipFiles::settingsFailed, this,
            [this](const QString&, const Error& error) { m_director->say(asSentence(error.message)); });
}

void MainWindow::connectPanels() {
    connect(m_panel, &PromptPanel::runRequested, this, &MainWindow::run);
    connect(m_panel, &PromptPanel::requestChanged, this, [this] {
        showSpeed();
        m_forecastTimer.start();
        m_saveTimer.start();
    });
    connect(m_panel, &PromptPanel::chooseModelRequested, this, &MainWindow::chooseModel);
    connect(m_panel, &PromptPanel::modelChosen, this, &MainWindow::openModel);
    connect(m_panel, &PromptPanel::modelFoldersChanged, m_preferences.get(), &Preferences::setModelFolders);
    connect(m_panel, &PromptPanel::notice, this, [this](const QString& sentence) { m_director->say(sentence); });
    connect(m_panel, &PromptPanel::saveEditRequested, this,
            [this](qint64 job, const job::GenerationRequest& request) {
                // What began meanwhile cannot be edited: the queue says so.
                m_undo->push(new QueueEdit(m_session.queue(), job, m_panel->editedRequest(), request));
                m_panel->endEdit();
            });
    connect(m_panel, &PromptPanel::discardEditRequested, m_panel, &PromptPanel::endEdit);
    connect(m_stage, &StageWidget::cancelRequested, this, &MainWindow::cancel);
    connect(m_stage, &StageWidget::showNowRequested, this, [this] { m_session.queue().showNow(); });
    connect(m_stage, &StageWidget::stopAndKeepRequested, this, [this] { m_director->cancel(true); });
    connect(m_stage, &StageWidget::runAgainRequested, this, &MainWindow::run);
    connect(m_stage, &StageWidget::saveRequested, this, &MainWindow::exportClip);
    connect(m_stage, &StageWidget::errorActionRequested, this, &MainWindow::onErrorAction);
    connect(m_stage, &StageWidget::exampleChosen, this, [this](const QString& prompt) {
        m_panel->setPrompt(prompt);
        m_panel->focusPrompt();
    });
    connect(m_director, &StageDirector::awayChanged, this, &MainWindow::updateAwayBanner);
    connect(m_director, &StageDirector::failed, this, &MainWindow::showError);
    connect(m_director, &StageDirector::jobEnded, this, &MainWindow::onJobEnded);
    connect(m_notifier, &DesktopNotifier::activated, this, [this] { serve({}); });
    connect(m_director, &StageDirector::focusReleased, m_panel, &PromptPanel::focusPrompt);
}

void MainWindow::connectQueue() {
    auto& queue = m_session.queue();
    connect(&queue, &app::JobQueue::pausedChanged, this, [this](bool paused) {
        m_keepPaused = false;
        m_afterCrash = m_afterCrash && paused;
        updateQueueBanner();
    });
    connect(&queue, &app::JobQueue::jobsChanged, this, &MainWindow::updateQueueBanner);
    connect(m_queueDock, &QDockWidget::visibilityChanged, this, &MainWindow::updateQueueBanner);
    connect(m_queue, &QueuePanel::editRequested, this, &MainWindow::editJob);
    connect(m_queue, &QueuePanel::loadSettingsRequested, this,
            [this](const job::GenerationRequest& request) { showSettingsOf(request, tr("that clip")); });
    connect(m_queue, &QueuePanel::clipRequested, this, [this](qint64 clip) { m_director->showClip(clip); });
    connect(m_queue, &QueuePanel::notice, this, [this](const QString& sentence) { m_director->say(sentence); });
    m_queue->model()->setTimes([&queue](qint64 job) { return queue.clock().secondsOf(job); });
    m_timesTimer.setSingleShot(true);
    m_timesTimer.setInterval(kTimesDelayMs);
    connect(&queue.clock(), &app::QueueClock::changed, this, [this] {
        if (!m_timesTimer.isActive()) {  // not anew: what changes all the time is shown all the same
            m_timesTimer.start();
        }
    });
    connect(&m_timesTimer, &QTimer::timeout, this, [this, &queue] {
        m_queue->setSecondsLeft(queue.clock().secondsLeft());
        m_queue->model()->showTimes();
        showSpeed();
    });
    updateQueueBanner();
}

void MainWindow::showSpeed() {
    m_panel->setSpeed(m_session.queue().clock().speedOf(m_panel->request()));
}

void MainWindow::connectLibrary() {
    connect(&m_session.queue(), &app::JobQueue::clipAdded, m_library, &LibraryPanel::clipAdded);
    connect(m_library, &LibraryPanel::clipActivated, this, [this](const store::Clip& clip) {
        m_director->showClip(clip);
        m_stage->canvas()->setFocus();
    });
    const auto use = [this](const job::GenerationRequest& request) { showSettingsOf(request, tr("that clip")); };
    connect(m_library, &LibraryPanel::loadSettingsRequested, this, use);
    connect(m_library, &LibraryPanel::varySeedRequested, this, use);
    connect(m_library, &LibraryPanel::exportRequested, this, [this](const QList<store::Clip>& clips) {
        QStringList files;
        for (const store::Clip& clip : clips) {
            files.append(app::fileInLibrary(m_session.library().folder(), clip.file));
        }
        exportFiles(files);
    });
    connect(m_library, &LibraryPanel::notice, this, [this](const QString& sentence) { m_director->say(sentence); });
}

// As it is the first time: the queue and the library behind one another, on the right.
void MainWindow::arrangeDocks() {
    tabifyDockWidget(m_queueDock, m_libraryDock);
    m_queueDock->raise();
    m_inspectorDock->hide();
}

void MainWindow::updateQueueBanner() {
    if (!m_session.queue().isPaused() || m_keepPaused) {
        m_queueBanner->setText(QString());
        return;
    }
    m_session.library().read(
        this,
        [](store::LibraryStore& store) {
            return store.jobs({store::JobState::Queued, store::JobState::Interrupted}, -1);
        },
        [this](const Result<std::vector<store::Job>>& jobs) {
            int interrupted = 0;
            for (const store::Job& job : jobs.value_or(std::vector<store::Job>())) {
                interrupted += job.state == store::JobState::Interrupted ? 1 : 0;
            }
            showQueueBanner(jobs ? static_cast<int>(jobs->size()) : 0, interrupted);
        });
}

void MainWindow::showQueueBanner(int waiting, int interrupted) {
    auto& queue = m_session.queue();
    if (waiting == 0 && m_afterCrash) {
        queue.setPaused(false);  // nothing was lost, nothing to ask
    }
    // A pause of the user's own is said by the queue's panel, where it can be seen.
    const bool known = !m_afterCrash && m_queue->isVisible();
    if (waiting == 0 || !queue.isPaused() || m_keepPaused || known) {
        m_queueBanner->setText(QString());
    } else if (!m_afterCrash) {
        m_queueBanner->setText(tr("The queue is paused; %n clip(s) wait.", nullptr, waiting));
    } else if (interrupted > 0) {
        m_queueBanner->setText(tr(
            "Framewright did not end properly last time. %n clip(s) wait; the one in the making goes on from its "
            "last step.",
            nullptr, waiting));
    } else {
        m_queueBanner->setText(
            tr("Framewright did not end properly last time. %n clip(s) wait.", nullptr, waiting));
    }
}

void MainWindow::updateAwayBanner() {
    if (!m_director->isAway()) {
        m_awayBanner->setText(QString());
        return;
    }
    const auto& progress = m_director->running().progress();
    m_awayBanner->setText(progress && progress->phase == app::JobPhase::Denoise && progress->steps > 0
                              ? tr("Another clip is being made: step %1 of %2.")
                                    .arg(QLocale().toString(progress->step), QLocale().toString(progress->steps))
                              : tr("Another clip is being made."));
}

void MainWindow::applyPreferences() {
    // The command line may have chosen another one: it holds until the user chooses again.
    if (std::exchange(m_appearance, m_preferences->appearance()) != m_appearance) {
        m_theme.setChoice(m_appearance);
    }
    m_panel->setModelFolders(m_preferences->modelFolders());
    m_session.queue().setPreviews(m_preferences->previewSteps(), m_preferences->previewPercent() / 100.0);
}

void MainWindow::restore() {
    resize(kFirstSize);
    resizeDocks({m_promptDock, m_queueDock}, {kPanelWidth, kSideWidth}, Qt::Horizontal);
    resizeDocks({m_inspectorDock}, {kInspectorHeight}, Qt::Vertical);
    m_firstLayout = saveState(kLayoutVersion);
    m_appearance = m_preferences->appearance();
    if (m_theme.choice() == ThemeChoice::System) {  // --theme goes before what was chosen
        m_theme.setChoice(m_appearance);
    }
    applyPreferences();
    connect(m_preferences.get(), &Preferences::changed, this, &MainWindow::applyPreferences);
    auto& settings = m_preferences->store();
    restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray());
    restoreState(settings.value(QStringLiteral("window/docks")).toByteArray(), kLayoutVersion);
    m_stage->setSmooth(settings.value(QStringLiteral("stage/smooth"), true).toBool());
    m_panel->restore(settings);
    openModel(m_options.modelFolder.isEmpty() ? settings.value(kModelFolder).toString() : m_options.modelFolder);
}

void MainWindow::resetLayout() {
    restoreState(m_firstLayout, kLayoutVersion);
    resizeDocks({m_promptDock, m_queueDock}, {kPanelWidth, kSideWidth}, Qt::Horizontal);
}

void MainWindow::save() {
    m_saveTimer.stop();
    auto& settings = m_preferences->store();
    settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
    settings.setValue(QStringLiteral("window/docks"), saveState(kLayoutVersion));
    settings.setValue(QStringLiteral("stage/smooth"), m_stage->isSmooth());
    m_panel->save(settings);
    settings.sync();
}

void MainWindow::openModel(const QString& folder) {
    if (m_options.modelFolder.isEmpty() || folder != m_options.modelFolder) {
        m_preferences->store().setValue(kModelFolder, folder);
    }
    m_wantedModel = folder;
    m_finder->forget();
    m_panel->setModelOpening();
    m_session.engine().openModel(folder);
}

void MainWindow::chooseModel() {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Choose a model folder"));
    if (!folder.isEmpty()) {
        openModel(folder);
    }
}

void MainWindow::onModelReady(const app::ModelSummary& model) {
    m_model = model;
    m_panel->setModel(model);
    showSpeed();
    m_stage->setExamples(examplePrompts(model.name));
    if (!model.problems.isEmpty()) {
        m_modelFailed = true;
        showError({ErrorCode::BadModel, model.problems.first().toStdString()});
    } else if (std::exchange(m_modelFailed, false) && m_stage->state() == StageState::Failed) {
        m_stage->showEmpty();
    }
}

void MainWindow::onModelFailed(const Error& error) {
    m_model.reset();
    m_modelFailed = true;
    m_panel->setModelError(error);
    showError(error);
}

void MainWindow::showRequest(const job::GenerationRequest& request) {
    m_panel->showRequest(request);
    const QString folder = QString::fromStdString(request.model);
    if (m_model && (folder.isEmpty() ? m_model->embedded : folder == m_model->folder) && m_panel->hasModel()) {
        m_finder->forget();
        return;
    }
    m_wantedModel = folder;
    m_panel->setModelOpening();
    m_finder->find(folder, m_preferences->modelFolders());
}

// The settings stay, the model does not change.
void MainWindow::onModelMissing(const QString& name, const QString& problem) {
    if (!m_model) {
        onModelFailed(
            {ErrorCode::BadModel, fmt::format("the model {} is not on this machine", name.toStdString())});
        return;
    }
    m_wantedModel = m_model->embedded ? QString() : m_model->folder;
    m_panel->setModel(*m_model);
    const QString missing = problem.isEmpty()
                                ? tr("The model “%1” of these settings is not on this machine.").arg(name)
                                : tr("The model “%1” of these settings cannot be used: %2")
                                      .arg(name, asSentence(problem.toStdString()));
    m_director->say(tr("%1 The next clip is made with “%2”.").arg(missing, m_model->name), tr("Undo"),
                    [this] { m_undo->undo(); });
}

void MainWindow::askForecast() {
    if (!m_panel->hasModel()) {
        return;
    }
    auto request = m_panel->request();
    if (request.prompt.empty()) {
        request.prompt = "a";  // what a clip costs does not hang on its words
    }
    m_session.engine().forecast(++m_ticket, request);
}

void MainWindow::run() {
    if (!m_panel->blockedReason().isEmpty()) {
        if (m_panel->prompt().isEmpty()) {
            m_panel->focusPrompt();
        }
        return;
    }
    m_director->expectJob();
    m_session.queue().add(m_panel->takeRequests(), m_library->openProject());
    save();
}

void MainWindow::cancel() {
    m_director->cancel(false);
}

void MainWindow::onJobEnded(const store::Job& job) {
    if (m_preferences->notifies() && !isActiveWindow() &&
        (job.state == store::JobState::Done || job.state == store::JobState::Failed)) {
        QApplication::alert(this);
        const auto request = job::requestFromJson(Json::parse(job.requestJson, nullptr, false));
        m_notifier->show(job.state == store::JobState::Done ? tr("A clip is done") : tr("A clip was not made"),
                         request ? QString::fromStdString(request->prompt) : QString());
    }
}

void MainWindow::showError(const Error& error) {
    if (m_stage->state() != StageState::Running || m_director->running().id() == 0) {
        m_stage->showError(presentError(error), details(error));
    }
}

QString MainWindow::details(const Error& error) const {
    return QStringLiteral("Framewright %1\n%2: %3\n%4\n")
        .arg(QCoreApplication::applicationVersion(), QString::fromUtf8(errorCodeName(error.code).data()),
             QString::fromStdString(error.message),
             QString::fromStdString(job::toJson(m_panel->request()).dump(2)));
}

void MainWindow::onErrorAction(SuggestedAction action) {
    switch (action) {
        case SuggestedAction::ChangeSettings:
            m_stage->showEmpty();
            m_panel->focusPrompt();
            break;
        case SuggestedAction::ChooseModel:
            chooseModel();
            break;
        case SuggestedAction::OpenFolder:
            openFolder(m_session.folder());
            break;
        case SuggestedAction::TryAgain:
            run();
            break;
        case SuggestedAction::None:
            break;
    }
}

void MainWindow::showSettingsOf(const job::GenerationRequest& request, const QString& what) {
    auto before = m_panel->request();
    before.model = m_wantedModel.toStdString();  // perhaps not open yet
    m_undo->push(new ShowSettings([this](const job::GenerationRequest& shown) { showRequest(shown); },
                                  std::move(before), request, tr("loading of settings")));
    m_promptDock->show();
    m_promptDock->raise();
    m_director->say(tr("The settings of %1 are in the form.").arg(what), tr("Undo"), [this] { m_undo->undo(); });
}

void MainWindow::editJob(qint64 id, const job::GenerationRequest& request) {
    m_promptDock->show();
    m_promptDock->raise();
    m_panel->showEdit(id, request);
}

void MainWindow::loadSettings(const QString& file) {
    m_session.clips().readSettings(file);
}

void MainWindow::serve(const app::StartRequest& request) {
    if (!request.activation.isEmpty()) {
        qputenv("XDG_ACTIVATION_TOKEN", request.activation.toUtf8());  // Wayland lets us come to the front with it
    }
    setWindowState(windowState() & ~Qt::WindowMinimized);
    show();
    raise();
    activateWindow();
    if (!request.prompt.isEmpty()) {
        m_panel->setPrompt(request.prompt);
        m_panel->focusPrompt();
    }
    if (!request.files.isEmpty()) {
        loadSettings(request.files.first());
    }
}

void MainWindow::exportClip() {
    if (m_stage->clip()) {
        exportFiles({m_stage->clip()->file});
    }
}

void MainWindow::exportFiles(const QStringList& files) {
    ExportDialog dialog(m_session.clips(), files, this);
    dialog.exec();
}

void MainWindow::openFolder(const QString& folder) {
    if (!QDesktopServices::openUrl(QUrl::fromLocalFile(folder))) {
        m_director->say(tr("The folder is %1").arg(QDir::toNativeSeparators(folder)));
    }
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
    // Only keys that the focused control did not want arrive here.
    if (!m_stage->handleKey(*event)) {
        QMainWindow::keyPressEvent(event);
    }
}

// Nothing is asked: what runs goes on from its last step the next time.
void MainWindow::closeEvent(QCloseEvent* event) {
    save();
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!filesIn(*event->mimeData()).isEmpty()) {
        event->acceptProposedAction();
    }
}

void MainWindow::dropEvent(QDropEvent* event) {
    const QStringList files = filesIn(*event->mimeData());
    if (!files.isEmpty()) {
        event->acceptProposedAction();
        loadSettings(files.first());
    }
}

}  // namespace fw::ui
