// The menus of the window. Every command that has a key is an action here, so that the sheet of keys is complete.
#include <QAction>
#include <QActionGroup>
#include <QDockWidget>
#include <QFileDialog>
#include <QMenu>
#include <QMenuBar>
#include <QUndoStack>
#include <functional>

#include "app/studio/studio_session.h"
#include "ui/about_dialog.h"
#include "ui/diagnostics.h"
#include "ui/log_view.h"
#include "ui/main_window.h"
#include "ui/panel_cycle.h"
#include "ui/preferences.h"
#include "ui/prompt_panel.h"
#include "ui/settings_dialog.h"
#include "ui/shortcut_sheet.h"
#include "ui/stage_director.h"
#include "ui/stage_widget.h"

namespace fw::ui {

QAction* MainWindow::addCommand(QMenu* menu, const QString& text, const QList<QKeySequence>& keys,
                                const std::function<void()>& command) {
    auto* action = menu->addAction(text);
    action->setShortcuts(keys);
    connect(action, &QAction::triggered, this, command);
    return action;
}

void MainWindow::buildMenus() {
    buildFileMenu();
    buildEditMenu();
    buildViewMenu();
    buildQueueMenu();
    buildHelpMenu();
}

void MainWindow::buildFileMenu() {
    auto* menu = menuBar()->addMenu(tr("&File"));
    addCommand(menu, tr("Load settings from a clip…"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O)}, [this] {
        const QString file =
            QFileDialog::getOpenFileName(this, tr("Load settings from a clip"), m_session.folder(),
                                         tr("Clips (*.mp4 *.webm *.mkv *.mov *.gif *.webp *.png);;All files (*)"));
        if (!file.isEmpty()) {
            loadSettings(file);
        }
    });
    addCommand(menu, tr("Export the clip…"), QKeySequence::keyBindings(QKeySequence::Save),
               [this] { exportClip(); });
    menu->addSeparator();
    addCommand(menu, tr("Choose a model folder…"), QKeySequence::keyBindings(QKeySequence::Open),
               [this] { chooseModel(); });
    addCommand(menu, tr("Use the embedded model"), {}, [this] { openModel(QString()); });
    menu->addSeparator();
    addCommand(menu, tr("Open the library folder"), {}, [this] { openFolder(m_session.folder()); });
    auto* settings =
        addCommand(menu, tr("Settings…"), {QKeySequence(Qt::CTRL | Qt::Key_Comma)}, [this] { showSettings(); });
    settings->setMenuRole(QAction::PreferencesRole);
    menu->addSeparator();
    addCommand(menu, tr("Quit"), QKeySequence::keyBindings(QKeySequence::Quit), [this] {
        close();
    })->setMenuRole(QAction::QuitRole);
}

void MainWindow::buildEditMenu() {
    auto* menu = menuBar()->addMenu(tr("&Edit"));
    auto* undo = m_undo->createUndoAction(this, tr("Undo"));
    undo->setShortcuts(QKeySequence::Undo);
    auto* redo = m_undo->createRedoAction(this, tr("Redo"));
    redo->setShortcuts(QKeySequence::Redo);
    menu->addActions({undo, redo});
}

void MainWindow::buildViewMenu() {
    auto* menu = menuBar()->addMenu(tr("&View"));
    int number = 1;
    // In the order of their making, which children that became tabs no longer have.
    QList<QDockWidget*> docks{m_promptDock, m_queueDock, m_libraryDock};
    for (auto* dock : findChildren<QDockWidget*>(QString(), Qt::FindDirectChildrenOnly)) {
        if (!docks.contains(dock)) {
            docks.append(dock);
        }
    }
    for (auto* dock : docks) {
        auto* toggle = dock->toggleViewAction();
        toggle->setShortcut(QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_0 + number++)));
        menu->addAction(toggle);
    }
    addCommand(menu, tr("Next panel"), {QKeySequence(Qt::Key_F6)}, [this] { m_cycle->next(); });
    addCommand(menu, tr("Previous panel"), {QKeySequence(Qt::SHIFT | Qt::Key_F6)}, [this] { m_cycle->previous(); });
    menu->addSeparator();
    addCommand(menu, tr("Show the clip in the making"), {QKeySequence(Qt::Key_F5)},
               [this] { m_director->follow(); });
    menu->addSeparator();
    addAppearance(menu->addMenu(tr("Appearance")));
    auto* full = addCommand(menu, tr("Full screen"), QKeySequence::keyBindings(QKeySequence::FullScreen),
                            [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
    full->setCheckable(true);
    connect(menu, &QMenu::aboutToShow, full, [this, full] { full->setChecked(isFullScreen()); });
    addCommand(menu, tr("Reset the layout"), {}, [this] { resetLayout(); });
}

void MainWindow::addAppearance(QMenu* menu) {
    auto* group = new QActionGroup(this);
    const auto add = [&](const QString& text, ThemeChoice choice) {
        auto* action = addCommand(menu, text, {}, [this, choice] {
            m_preferences->setAppearance(choice);
            m_theme.setChoice(choice);  // the command line may have chosen before
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

void MainWindow::buildQueueMenu() {
    auto* menu = menuBar()->addMenu(tr("&Queue"));
    addCommand(menu, tr("Run"), {QKeySequence(Qt::CTRL | Qt::Key_Enter), QKeySequence(Qt::CTRL | Qt::Key_Return)},
               [this] { run(); });
    menu->addSeparator();
    auto* show = addCommand(menu, tr("Show an exact preview now"), {QKeySequence(Qt::CTRL | Qt::Key_P)},
                            [this] { m_session.queue().showNow(); });
    auto* keep = addCommand(menu, tr("Stop and keep what there is"), {QKeySequence(Qt::CTRL | Qt::Key_Period)},
                            [this] { m_director->cancel(true); });
    auto* stop = addCommand(menu, tr("Cancel the clip"), {QKeySequence(Qt::Key_Escape)}, [this] { cancel(); });
    menu->addSeparator();
    auto* pause = addCommand(menu, tr("Pause the queue"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P)}, [this] {
        auto& queue = m_session.queue();
        queue.setPaused(!queue.isPaused());
    });
    pause->setCheckable(true);
    pause->setToolTip(tr("The clip in the making goes on; no other one begins"));
    const auto update = [this, show, keep, stop, pause] {
        const bool runs = m_session.queue().runningJob() != 0;
        for (auto* action : {show, keep, stop}) {
            action->setEnabled(runs);
        }
        pause->setChecked(m_session.queue().isPaused());
    };
    connect(&m_session.queue(), &app::JobQueue::jobsChanged, this, update);
    connect(&m_session.queue(), &app::JobQueue::pausedChanged, this, update);
    update();
}

void MainWindow::buildHelpMenu() {
    auto* menu = menuBar()->addMenu(tr("&Help"));
    addCommand(menu, tr("Keyboard shortcuts"), QKeySequence::keyBindings(QKeySequence::HelpContents),
               [this] { ShortcutSheet(*this, this).exec(); });
    addCommand(menu, tr("Log…"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L)}, [this] { showLog(); });
    menu->addSeparator();
    addCommand(menu, tr("About Framewright"), {}, [this] {
        AboutDialog(this).exec();
    })->setMenuRole(QAction::AboutRole);
}

void MainWindow::showLog() {
    if (!m_logView) {
        m_logView = new LogView(
            m_session.log(),
            [this](Prompts prompts) {
                return diagnosticsText({*m_preferences, m_session.log(), m_session.folder(),
                                        m_session.engine().devices(), m_panel->request()},
                                       prompts);
            },
            this);
    }
    m_logView->show();
    m_logView->raise();
    m_logView->activateWindow();
}

void MainWindow::showSettings() {
    SettingsDialog(*m_preferences, m_session.folder(), this).exec();
}

}  // namespace fw::ui
