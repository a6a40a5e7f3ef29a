#include "ui/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QDesktopServices>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QShortcut>
#include <QUrl>

#include "ui/dialogs.h"
#include "ui/example_prompts.h"
#include "ui/frame_player.h"
#include "ui/icons.h"
#include "ui/progress_row.h"
#include "ui/prompt_panel.h"
#include "ui/recent_strip.h"
#include "ui/stage_canvas.h"
#include "ui/stage_widget.h"
#include "ui/theme.h"
#include "ui/transport_bar.h"

namespace fw::ui {
namespace {

constexpr int kForecastDelayMs = 120;  // after the last change of the form
const auto kAppearanceKey = QStringLiteral("window/appearance");
constexpr QSize kFirstSize(1280, 832);

std::unique_ptr<QSettings> openSettings(const QString& file) {
    return file.isEmpty() ? std::make_unique<QSettings>() : std::make_unique<QSettings>(file, QSettings::IniFormat);
}

QString speedKey(const QString& model) {
    return QStringLiteral("speed/") + model;
}

}  // namespace

MainWindow::MainWindow(app::ClipEngine& engine, Theme& theme, const StudioOptions& options)
    : m_engine(engine), m_theme(theme), m_options(options), m_settings(openSettings(options.settingsFile)) {
    setWindowTitle(QStringLiteral("Framewright"));
    setWindowIcon(QIcon(QStringLiteral(":/framewright/icons/framewright.svg")));
    setMinimumSize(kPanelWidth + 66 * kGrid, 600);
    auto* menu = new QMenu(this);
    m_panel = new PromptPanel(menu);
    m_stage = new StageWidget;
    auto* content = new QWidget;
    auto* row = new QHBoxLayout(content);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(m_panel);
    row->addWidget(m_stage, 1);
    setCentralWidget(content);

    m_forecastTimer.setSingleShot(true);
    m_forecastTimer.setInterval(kForecastDelayMs);
    connect(&m_forecastTimer, &QTimer::timeout, this, &MainWindow::askForecast);
    buildMenu(menu);
    addShortcuts();
    connectEngine();
    connectPanels();
    restore();
    m_panel->focusPrompt();
    m_engine.findRecentClips(m_options.outputFolder, RecentStrip::kMostClips);
}

MainWindow::~MainWindow() {
    m_engine.disconnect(this);
}

void MainWindow::buildMenu(QMenu* menu) {
    menu->addAction(tr("Choose a model folder…"), QKeySequence::Open, this, &MainWindow::chooseModel);
    menu->addAction(tr("Use the embedded model"), this, [this] { openModel(QString()); });
    menu->addAction(tr("Open the clips folder"), this, [this] { openFolder(m_options.outputFolder); });
    menu->addSeparator();
    addAppearance(menu->addMenu(tr("Appearance")));
    menu->addAction(tr("Keyboard shortcuts"), QKeySequence::HelpContents, this, &MainWindow::showShortcuts);
    menu->addAction(tr("About Framewright"), this, &MainWindow::showAbout);
    menu->addSeparator();
    menu->addAction(tr("Quit"), QKeySequence::Quit, this, &QWidget::close);
    // Actions in a menu alone are deaf to their shortcuts until it was opened once.
    addActions(menu->actions());
}

void MainWindow::addAppearance(QMenu* menu) {
    auto* group = new QActionGroup(this);
    const auto add = [&](const QString& text, ThemeChoice choice) {
        auto* action = menu->addAction(text, this, [this, choice] {
            m_theme.setChoice(choice);
            m_settings->setValue(kAppearanceKey, static_cast<int>(choice));
        });
        action->setCheckable(true);
        group->addAction(action);
        connect(menu, &QMenu::aboutToShow, action,
                [this, action, choice] { action->setChecked(m_theme.choice() == choice); });
    };
    add(tr("As the system"), ThemeChoice::System);
    add(tr("Light"), ThemeChoice::Light);
    add(tr("Dark"), ThemeChoice::Dark);
}

void MainWindow::addShortcuts() {
    for (const auto key : {Qt::Key_Return, Qt::Key_Enter}) {
        connect(new QShortcut(QKeySequence(Qt::CTRL | key), this), &QShortcut::activated, this, &MainWindow::run);
    }
    connect(new QShortcut(QKeySequence(Qt::Key_Escape), this), &QShortcut::activated, this, &MainWindow::cancel);
    connect(new QShortcut(QKeySequence::Save, this), &QShortcut::activated, this, &MainWindow::askWhereToSave);
}

void MainWindow::connectEngine() {
    using app::ClipEngine;
    connect(&m_engine, &ClipEngine::modelReady, this, &MainWindow::onModelReady);
    connect(&m_engine, &ClipEngine::modelFailed, this, [this](const QString&, const Error& error) {
        m_modelFailed = true;
        m_panel->setModelError(error);
        showError(error);
    });
    connect(&m_engine, &ClipEngine::forecastReady, this, [this](app::Ticket ticket, const app::Forecast& forecast) {
        if (ticket == m_ticket) {
            m_panel->setForecast(forecast);
        }
    });
    connect(&m_engine, &ClipEngine::forecastFailed, this, [this](app::Ticket ticket, const Error& error) {
        if (ticket == m_ticket) {
            m_panel->setForecastError(error);
        }
    });
    // A job that was cancelled or replaced no longer owns the stage.
    connect(&m_engine, &ClipEngine::progressed, this, [this](app::JobId job, const app::JobProgress& progress) {
        if (job == m_job) {
            m_stage->setProgress(progress);
        }
    });
    connect(&m_engine, &ClipEngine::previewed, this, [this](app::JobId job, const app::JobPreview& preview) {
        if (job == m_job) {
            m_stage->showPreview(preview);
        }
    });
    connect(&m_engine, &ClipEngine::finished, this, &MainWindow::onFinished);
    connect(&m_engine, &ClipEngine::failed, this, &MainWindow::onFailed);
    connect(&m_engine, &ClipEngine::cancelled, this, [this](app::JobId job) {
        if (job == m_job) {
            m_stage->showCancelled();
            endJob();
        } else if (job == m_stopping) {
            endJob();
        }
    });
    connect(&m_engine, &ClipEngine::clipLoaded, this, [this](const app::LoadedClip& clip) {
        if (m_job == 0) {
            m_stage->showClip(clip, -1.0);
        }
    });
    connect(&m_engine, &ClipEngine::clipFailed, this, [this](const QString& file, const Error& error) {
        m_stage->recentStrip()->remove(file);
        m_stage->showNotice(asSentence(error.message));
    });
    connect(&m_engine, &ClipEngine::recentClips, m_stage->recentStrip(), &RecentStrip::setClips);
    connect(&m_engine, &ClipEngine::exported, this, [this](const QString&, const QString& to) {
        m_saving.clear();
        m_saved = QFileInfo(to).absolutePath();
        m_stage->transportBar()->setSaving(false);
        m_stage->showNotice(tr("Saved as %1").arg(QDir::toNativeSeparators(to)), tr("Open folder"));
    });
    connect(&m_engine, &ClipEngine::exportFailed, this, [this](const QString&, const Error& error) {
        m_saving.clear();
        m_stage->transportBar()->setSaving(false);
        m_stage->showNotice(tr("Not saved: %1").arg(QString::fromStdString(error.message)));
    });
}

void MainWindow::connectPanels() {
    connect(m_panel, &PromptPanel::runRequested, this, &MainWindow::run);
    connect(m_panel, &PromptPanel::requestChanged, this, [this] { m_forecastTimer.start(); });
    connect(m_panel, &PromptPanel::chooseModelRequested, this, &MainWindow::chooseModel);
    connect(m_stage, &StageWidget::cancelRequested, this, &MainWindow::cancel);
    connect(m_stage, &StageWidget::runAgainRequested, this, &MainWindow::run);
    connect(m_stage, &StageWidget::saveRequested, this, &MainWindow::askWhereToSave);
    connect(m_stage, &StageWidget::errorActionRequested, this, &MainWindow::onErrorAction);
    connect(m_stage, &StageWidget::noticeActionRequested, this, [this] { openFolder(m_saved); });
    connect(m_stage, &StageWidget::exampleChosen, this, [this](const QString& prompt) {
        m_panel->setPrompt(prompt);
        m_panel->focusPrompt();
    });
    connect(m_stage->recentStrip(), &RecentStrip::clipChosen, this, [this](const QString& file) {
        if (m_job == 0) {
            m_engine.loadClip(file);
        } else {
            m_stage->showNotice(tr("Recent clips can be played when this one is done."));
        }
    });
}

void MainWindow::restore() {
    resize(kFirstSize);
    if (m_theme.choice() == ThemeChoice::System) {
        const int choice = m_settings->value(kAppearanceKey).toInt();
        m_theme.setChoice(choice == static_cast<int>(ThemeChoice::Light)  ? ThemeChoice::Light
                          : choice == static_cast<int>(ThemeChoice::Dark) ? ThemeChoice::Dark
                                                                          : ThemeChoice::System);
    }
    restoreGeometry(m_settings->value(QStringLiteral("window/geometry")).toByteArray());
    m_stage->setSmooth(m_settings->value(QStringLiteral("stage/smooth"), true).toBool());
    m_panel->restore(*m_settings);
    openModel(m_options.modelFolder.isEmpty() ? m_settings->value(QStringLiteral("model/folder")).toString()
                                              : m_options.modelFolder);
}

void MainWindow::save() {
    m_settings->setValue(QStringLiteral("window/geometry"), saveGeometry());
    m_settings->setValue(QStringLiteral("stage/smooth"), m_stage->isSmooth());
    m_panel->save(*m_settings);
    m_settings->sync();
}

void MainWindow::openModel(const QString& folder) {
    if (m_options.modelFolder.isEmpty() || folder != m_options.modelFolder) {
        m_settings->setValue(QStringLiteral("model/folder"), folder);
    }
    m_panel->setModelOpening();
    m_engine.openModel(folder);
}

void MainWindow::chooseModel() {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Choose a model folder"));
    if (!folder.isEmpty()) {
        openModel(folder);
    }
}

void MainWindow::onModelReady(const app::ModelSummary& model) {
    m_modelName = model.name;
    m_panel->setSpeed(m_settings->value(speedKey(model.name)).toDouble());
    m_panel->setModel(model);
    m_stage->setExamples(examplePrompts(model.name));
    if (!model.problems.isEmpty()) {
        m_modelFailed = true;
        showError({ErrorCode::BadModel, model.problems.first().toStdString()});
    } else if (std::exchange(m_modelFailed, false) && m_stage->state() == StageState::Failed) {
        m_stage->showEmpty();
    }
}

void MainWindow::askForecast() {
    if (!m_panel->hasModel()) {
        return;
    }
    auto request = m_panel->request();
    if (request.prompt.empty()) {
        request.prompt = "a";  // what a clip costs does not hang on its words
    }
    m_engine.forecast(++m_ticket, request);
}

void MainWindow::run() {
    if (!m_panel->blockedReason().isEmpty() || m_engine.busy()) {
        if (m_panel->prompt().isEmpty()) {
            m_panel->focusPrompt();
        }
        return;
    }
    const QWidget* focused = focusWidget();
    const bool focusLeavesPanel = qobject_cast<const QPushButton*>(focused) != nullptr;
    const auto request = m_panel->takeRequest();
    m_stage->beginJob(request);
    m_panel->setBusy(tr("A clip is being made. Esc cancels it."));
    m_job = m_engine.start(request, m_options.outputFolder);
    if (focusLeavesPanel) {
        m_stage->progressRow()->cancelButton()->setFocus();
    }
    save();
}

void MainWindow::cancel() {
    if (m_job == 0) {
        return;
    }
    const bool hadFocus = m_stage->progressRow()->isAncestorOf(focusWidget());
    m_stopping = std::exchange(m_job, 0);
    m_stage->showCancelled();
    m_panel->setBusy(tr("The last clip is being stopped."));
    m_engine.cancel(m_stopping);
    if (hadFocus) {
        m_panel->focusPrompt();
    }
}

void MainWindow::endJob() {
    m_job = 0;
    m_stopping = 0;
    m_panel->setBusy(QString());
}

void MainWindow::onFinished(app::JobId job, const app::FinishedClip& clip) {
    if (job != m_job) {
        return;
    }
    const bool hadFocus = m_stage->progressRow()->isAncestorOf(focusWidget());
    endJob();
    m_stage->showClip(clip.clip, clip.totalSeconds);
    m_stage->recentStrip()->addClip(clip.clip);
    if (clip.computeSeconds > 0.0 && clip.cost.flops > 0) {
        const double speed = static_cast<double>(clip.cost.flops) / clip.computeSeconds;
        m_settings->setValue(speedKey(m_modelName), speed);
        m_panel->setSpeed(speed);
    }
    if (hadFocus) {
        m_stage->canvas()->setFocus();
    }
}

void MainWindow::onFailed(app::JobId job, const Error& error) {
    if (job == m_job) {
        endJob();
        showError(error);
    }
}

void MainWindow::showError(const Error& error) {
    if (m_job != 0) {
        return;
    }
    m_stage->showError(presentError(error), details(error));
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
            openFolder(m_options.outputFolder);
            break;
        case SuggestedAction::TryAgain:
            run();
            break;
        case SuggestedAction::None:
            break;
    }
}

void MainWindow::askWhereToSave() {
    if (!m_stage->clip() || isSaving() || m_job != 0) {
        return;
    }
    const QFileInfo clip(m_stage->clip()->file);
    const QString folder = m_settings->value(QStringLiteral("save/folder"), clip.absolutePath()).toString();
    const QString path = askForClipPath(this, folder, clip);
    if (!path.isEmpty()) {
        m_settings->setValue(QStringLiteral("save/folder"), QFileInfo(path).absolutePath());
        saveClipAs(path, true);  // the dialog has asked
    }
}

void MainWindow::saveClipAs(const QString& path, bool replace) {
    if (!m_stage->clip() || isSaving()) {
        return;
    }
    if (!replace && QFileInfo::exists(path) && !askToReplace(this, path)) {
        return;
    }
    m_saving = path;
    m_stage->transportBar()->setSaving(true);
    m_engine.exportClip(m_stage->clip()->file, path);
}

void MainWindow::openFolder(const QString& folder) {
    QDir().mkpath(folder);
    if (!QDesktopServices::openUrl(QUrl::fromLocalFile(folder))) {
        m_stage->showNotice(tr("The folder is %1").arg(QDir::toNativeSeparators(folder)));
    }
}

void MainWindow::showShortcuts() {
    showShortcutsDialog(this);
}

void MainWindow::showAbout() {
    showAboutDialog(this);
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
    // Only keys that the focused control did not want arrive here.
    auto* player = m_stage->player();
    const bool plays = m_stage->state() == StageState::Finished;
    if (!plays || event->modifiers() != Qt::NoModifier) {
        QMainWindow::keyPressEvent(event);
        return;
    }
    switch (event->key()) {
        case Qt::Key_Space:
            player->togglePlaying();
            break;
        case Qt::Key_Left:
            player->step(-1);
            break;
        case Qt::Key_Right:
            player->step(1);
            break;
        case Qt::Key_Home:
            player->seek(0);
            break;
        case Qt::Key_End:
            player->seek(player->count() - 1);
            break;
        default:
            QMainWindow::keyPressEvent(event);
    }
}

void MainWindow::closeEvent(QCloseEvent* event) {
    // Only a person who closes the window is asked; a session that ends is not held up.
    if (m_job != 0 && event->spontaneous() && !qApp->isSavingSession() && !askToStop(this)) {
        event->ignore();
        return;
    }
    cancel();
    save();
    event->accept();
}

}  // namespace fw::ui
