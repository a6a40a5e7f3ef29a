// The window as a person uses it, with a scripted worker process behind it: real keys and clicks, real files, a
// real library.
#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QShortcut>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <QUndoStack>
#include <memory>

#include "app/studio/single_instance.h"
#include "studio_harness.h"
#include "ui/banner.h"
#include "ui/export_dialog.h"
#include "ui/frame_player.h"
#include "ui/key_map.h"
#include "ui/library_grid.h"
#include "ui/library_model.h"
#include "ui/library_panel.h"
#include "ui/log_view.h"
#include "ui/model_picker.h"
#include "ui/notice_bar.h"
#include "ui/preferences.h"
#include "ui/progress_row.h"
#include "ui/prompt_panel.h"
#include "ui/queue_model.h"
#include "ui/queue_panel.h"
#include "ui/queue_view.h"
#include "ui/scrub_bar.h"
#include "ui/shortcut_sheet.h"
#include "ui/stage_canvas.h"
#include "ui/stage_director.h"
#include "ui/stage_widget.h"
#include "ui/theme.h"
#include "ui/transport_bar.h"

namespace fw::ui::test {

using store::JobState;

class WindowTest : public QObject {
    Q_OBJECT

 private:
    [[nodiscard]] MainWindow& window() const { return m_studio->window(); }
    [[nodiscard]] StageWidget* stage() const { return window().stage(); }
    [[nodiscard]] PromptPanel* panel() const { return window().panel(); }
    [[nodiscard]] QPlainTextEdit* promptBox() const {
        return m_studio->find<QPlainTextEdit>(QStringLiteral("Prompt"));
    }
    [[nodiscard]] QPushButton* runButton() const { return window().findChild<QPushButton*>(QStringLiteral("run")); }
    [[nodiscard]] QString reason() const { return window().findChild<QLabel*>(QStringLiteral("reason"))->text(); }
    [[nodiscard]] Banner* banner(const QString& name) const {
        for (auto* found : window().findChildren<Banner*>()) {
            if (found->accessibleName() == name) {
                return found;
            }
        }
        return nullptr;
    }
    void press(const Banner* where, const QString& button) const {
        for (auto* found : where->findChildren<QPushButton*>()) {
            if (found->text() == button) {
                QTest::mouseClick(found, Qt::LeftButton);
                return;
            }
        }
        QFAIL(qPrintable(button));
    }
    void makeClip(const QString& prompt) const {
        m_studio->run(prompt);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kPatienceMs);
    }
    // The job that holds is on the stage, at its third step.
    void hold() const {
        m_studio->run(QStringLiteral("hold this"));
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Running, kPatienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->previewCount(), 3, kPatienceMs);
    }

    template <class Widget>
    [[nodiscard]] static Widget* named(const QWidget& where, const QString& name) {
        for (auto* widget : where.findChildren<Widget*>()) {
            if (widget->accessibleName() == name) {
                return widget;
            }
        }
        qFatal("there is no control named %s", qPrintable(name));
    }
    [[nodiscard]] static QModelIndex rowOf(const QueueView& view, const QString& prompt) {
        for (int row = 0; row < view.model()->rowCount(); ++row) {
            const QModelIndex index = view.model()->index(row, 0);
            if (index.data(Qt::AccessibleTextRole).toString().contains(prompt) ||
                index.data(Qt::DisplayRole).toString().contains(prompt)) {
                return index;
            }
        }
        return {};
    }
    [[nodiscard]] QStringList waitingPrompts() const {
        QStringList prompts;
        for (const auto& job : m_studio->jobs()) {
            if (job.state == JobState::Queued) {
                const auto request = job::requestFromJson(Json::parse(job.requestJson));
                prompts.append(QString::fromStdString(request->prompt));
            }
        }
        return prompts;
    }

    static constexpr int kPatienceMs = 20'000;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<StudioHarness> m_studio;

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
    }
    void init() {
        m_studio = std::make_unique<StudioHarness>(*m_theme, QStringLiteral(FW_STUDIO_WORKER));
        m_studio->open();
    }
    void cleanup() { m_studio.reset(); }

    void startsEmptyAndInvites() {
        QCOMPARE(stage()->state(), StageState::Empty);
        QTRY_VERIFY(panel()->hasModel());
        QCOMPARE(reason(), QStringLiteral("Write a prompt first."));
        QVERIFY(!runButton()->isEnabled());
        QTRY_VERIFY(m_studio->find<QPushButton>(QStringLiteral("a dog runs to the right in a meadow")));
        auto* example = m_studio->find<QPushButton>(QStringLiteral("a dog runs to the right in a meadow"));
        QTest::mouseClick(example, Qt::LeftButton);
        QCOMPARE(panel()->prompt(), example->accessibleName());
        QTRY_VERIFY(runButton()->isEnabled());
        QVERIFY(promptBox()->hasFocus());
        QVERIFY(banner(QStringLiteral("Queue"))->text().isEmpty());
    }

    void aPromptBecomesAClip() {
        makeClip(QStringLiteral("a red heart grows"));
        QCOMPARE(m_studio->clips().size(), 1U);
        QVERIFY(stage()->player()->isPlaying());
        QCOMPARE(stage()->player()->count(), 9);
        QCOMPARE(stage()->clip()->file,
                 m_studio->folder() + QLatin1Char('/') + QString::fromStdString(m_studio->clips().front().file));
        QVERIFY2(runButton()->isEnabled(), "the next one can be asked for");
    }

    void jobsAreQueuedWhileOneRuns() {
        hold();
        QVERIFY2(runButton()->isEnabled(), "running does not block the form");
        m_studio->run(QStringLiteral("second"));
        m_studio->run(QStringLiteral("third"));
        QCOMPARE(m_studio->count(JobState::Queued), 2);
        QTest::keyClick(&window(), Qt::Key_Escape);
        QCOMPARE(stage()->state(), StageState::Cancelled);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(JobState::Done), 2, kPatienceMs);
        QCOMPARE(m_studio->count(JobState::Cancelled), 1);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kPatienceMs);
        QTRY_VERIFY(stage()->clip()->file.contains(QStringLiteral("third")));
    }

    void stopAndKeepMakesAClipOfWhatThereIs() {
        hold();
        m_studio->command(QStringLiteral("Stop and keep what there is"))->trigger();
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kPatienceMs);
        QCOMPARE(m_studio->count(JobState::Done), 1);
    }

    void lookingAtAClipLeadsBack() {
        makeClip(QStringLiteral("first"));
        const auto clip = m_studio->clips().front();
        hold();
        auto* away = banner(QStringLiteral("Clip in the making"));
        QVERIFY(away->text().isEmpty());
        window().director()->showClip(clip);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kPatienceMs);
        QVERIFY2(away->text().contains(QStringLiteral("step 3 of 10")), qPrintable(away->text()));
        press(away, QStringLiteral("Show it"));
        QCOMPARE(stage()->state(), StageState::Running);
        QVERIFY(!stage()->player()->isEmpty());
        QVERIFY(away->text().isEmpty());
        // Looked away again, the job ends: it is said, and the clip looked at stays.
        window().director()->showClip(clip);
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kPatienceMs);
        const QString file = stage()->clip()->file;
        m_studio->command(QStringLiteral("Stop and keep what there is"))->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(m_studio->find<QPushButton>(QStringLiteral("Show")), kPatienceMs);
        QCOMPARE(stage()->clip()->file, file);
        QTest::mouseClick(m_studio->find<QPushButton>(QStringLiteral("Show")), Qt::LeftButton);
        QTRY_VERIFY(stage()->clip()->file.contains(QStringLiteral("hold-this")));
    }

    void aCrashOfTheEngineIsSaidAndSurvived() {
        m_studio->run(QStringLiteral("crash once"));
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Finished, kPatienceMs);
        QCOMPARE(m_studio->clips().size(), 1U);
        QCOMPARE(m_studio->jobs().front().workerLosses, 1);
    }

    void aFailureIsExplainedAndCanBeTriedAgain() {
        m_studio->run(QStringLiteral("fail please"));
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Failed, kPatienceMs);
        QVERIFY(m_studio->find<QPushButton>(QStringLiteral("Back to the settings")));
        makeClip(QStringLiteral("better"));
    }

    void afterAnUncleanEndTheQueueAsks() {
        hold();
        m_studio->run(QStringLiteral("second"));
        m_studio->dieAndKeepLibrary();
        m_studio->open();
        auto* queue = banner(QStringLiteral("Queue"));
        QTRY_VERIFY(!queue->text().isEmpty());
        QVERIFY2(queue->text().contains(QStringLiteral("did not end properly")), qPrintable(queue->text()));
        QCOMPARE(m_studio->count(JobState::Interrupted), 1);
        QCOMPARE(m_studio->count(JobState::Queued), 1);
        press(queue, QStringLiteral("Continue"));
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Running, kPatienceMs);
        QTRY_VERIFY(queue->text().isEmpty());
        QTest::keyClick(&window(), Qt::Key_Escape);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(JobState::Done), 1, kPatienceMs);
    }

    void keepPausedLeavesTheQueueAlone() {
        hold();
        m_studio->dieAndKeepLibrary();
        m_studio->open();
        auto* queue = banner(QStringLiteral("Queue"));
        QTRY_VERIFY(!queue->text().isEmpty());
        press(queue, QStringLiteral("Keep paused"));
        QVERIFY(queue->text().isEmpty());
        QVERIFY(m_studio->session().queue().isPaused());
        QCOMPARE(m_studio->count(JobState::Interrupted), 1);
    }

    void anUncleanEndWithoutWorkAsksNothing() {
        m_studio->dieAndKeepLibrary();
        m_studio->open();
        QTRY_VERIFY(!m_studio->session().queue().isPaused());
        QVERIFY(banner(QStringLiteral("Queue"))->text().isEmpty());
    }

    void saysWhyRunIsDisabled() {
        QTRY_VERIFY(panel()->hasModel());
        promptBox()->setPlainText(QStringLiteral("a dog runs"));
        QTRY_VERIFY(runButton()->isEnabled());
        auto request = panel()->request();
        request.width = 250;
        panel()->showRequest(request);
        QVERIFY(!runButton()->isEnabled());
        QVERIFY2(reason().contains(QStringLiteral("250")) && reason().contains(QStringLiteral("16")),
                 qPrintable(reason()));
        QTest::keyClick(&window(), Qt::Key_Return, Qt::ControlModifier);
        QVERIFY2(m_studio->jobs().empty(), "Ctrl+Enter does not run what Run would not");
    }

    void brokenModelIsExplained() {
        m_studio->close();
        m_studio->open(m_studio->path(QStringLiteral("broken")));
        QTRY_COMPARE(stage()->state(), StageState::Failed);
        promptBox()->setPlainText(QStringLiteral("a dog"));
        QVERIFY2(reason().contains(QStringLiteral("broken has no model_index.json")), qPrintable(reason()));
        QVERIFY(!runButton()->isEnabled());
        m_studio->command(QStringLiteral("Use the embedded model"))->trigger();
        QTRY_VERIFY(runButton()->isEnabled());
        QCOMPARE(stage()->state(), StageState::Empty);
    }

    void droppedClipLoadsItsSettings() {
        QTRY_VERIFY(panel()->hasModel());
        promptBox()->setPlainText(QStringLiteral("something else"));
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QStringLiteral(FW_SOURCE_DIR "/tests/ui/data/heart.mp4"))});
        QDragEnterEvent enter(QPoint(20, 20), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(20, 20), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window(), &drop);
        QTRY_COMPARE(panel()->prompt(), QStringLiteral("a red heart grows in a room"));
        QCOMPARE(panel()->request().seed.value_or(0), 7u);
        QCOMPARE(panel()->request().steps.value_or(0), 6);
        window().undoStack()->undo();
        QCOMPARE(panel()->prompt(), QStringLiteral("something else"));
        window().undoStack()->redo();
        QCOMPARE(panel()->prompt(), QStringLiteral("a red heart grows in a room"));
    }

    // What is chosen as step cache is in the job, in the clip and in the forecast.
    void theStepCacheIsPartOfTheJob() {
        QTRY_VERIFY(m_studio->find<QComboBox>(QStringLiteral("Step cache")));
        auto* cache = m_studio->find<QComboBox>(QStringLiteral("Step cache"));
        QTRY_VERIFY(panel()->hasModel());
        cache->setFocus();
        QTest::keyClick(cache, Qt::Key_Down);
        QCOMPARE(panel()->request().cache, std::string("some_cache"));
        auto* range = window().findChild<QSpinBox*>(QStringLiteral("range"));
        QVERIFY(range);
        range->selectAll();
        QTest::keyClicks(range, QStringLiteral("5"));
        const auto forecast = [this] {
            QStringList texts;
            for (const auto* label : panel()->findChildren<QLabel*>()) {
                texts.append(label->text());
            }
            return texts.join(QLatin1Char('|'));
        };
        QTRY_VERIFY2(forecast().contains(QStringLiteral("1.2")), qPrintable(forecast()));
        makeClip(QStringLiteral("a cached heart"));
        const auto request = job::requestFromJson(Json::parse(m_studio->clips().front().requestJson));
        QVERIFY(request);
        QCOMPARE(request->cache, std::string("some_cache"));
        QVERIFY(request->cacheParameters == (Json{{"range", 5}}));
        QVERIFY2(request->model.empty(), "the embedded model is nowhere in particular");
    }

    // The model that made a clip comes back with its settings, by its name where its folder is elsewhere.
    void settingsBringTheirModel() {
        QTRY_VERIFY(panel()->hasModel());
        auto* model = m_studio->find<QPushButton>(QStringLiteral("Model"));
        QCOMPARE(model->text(), QStringLiteral("mini"));
        auto request = panel()->request();
        request.prompt = "a whale";
        request.model = "/of/another/machine/wan/";
        emit window().findChild<LibraryPanel*>()->loadSettingsRequested(request);
        QCOMPARE(panel()->prompt(), QStringLiteral("a whale"));
        QTRY_COMPARE(model->text(), QStringLiteral("wan"));
        QCOMPARE(panel()->request().model, std::string("/here/wan"));
        QTRY_VERIFY(runButton()->isEnabled());
        window().undoStack()->undo();
        QTRY_COMPARE(model->text(), QStringLiteral("mini"));
        window().undoStack()->redo();
        QTRY_COMPARE(model->text(), QStringLiteral("wan"));
        // One that is not here: said, and the one in the form stays.
        request.model = "/of/another/machine/unknown";
        emit window().findChild<LibraryPanel*>()->loadSettingsRequested(request);
        QTRY_VERIFY(panel()->hasModel());
        QCOMPARE(model->text(), QStringLiteral("wan"));
        const auto said = [this] {
            QStringList remarks;
            for (const auto* bar : window().findChildren<NoticeBar*>()) {
                remarks.append(bar->isVisible() ? bar->accessibleName() : QString());
            }
            return remarks.join(QLatin1Char('\n'));
        };
        QTRY_VERIFY2(said().contains(QStringLiteral("“unknown” of these settings is not on this machine")),
                     qPrintable(said()));
        QTRY_VERIFY(runButton()->isEnabled());
    }

    void droppedStrangerChangesNothing() {
        QTRY_VERIFY(panel()->hasModel());
        promptBox()->setPlainText(QStringLiteral("mine"));
        const QString junk = m_studio->path(QStringLiteral("jun'k \"\n.mp4"));
        QFile file(junk);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("no video") > 0);
        file.close();
        QSignalSpy refused(&m_studio->session().clips(), &app::ClipFiles::settingsFailed);
        window().loadSettings(junk);
        QTRY_COMPARE(refused.count(), 1);
        QCOMPARE(panel()->prompt(), QStringLiteral("mine"));
    }

    void secondStartIsServedByTheFirst() {
        app::SingleInstance first(m_studio->folder());
        const app::SingleInstance second(m_studio->folder());
        const app::SingleInstance elsewhere(m_studio->path(QStringLiteral("other")));
        QVERIFY2(!second.hand({}, 200), "nobody listens yet");
        QVERIFY(first.listen());
        connect(&first, &app::SingleInstance::requested, &window(), &MainWindow::serve);
        // The second start blocks while it waits, so it needs a thread of its own here.
        std::atomic<int> taken{-1};
        const std::unique_ptr<QThread> thread(QThread::create([&] {
            taken = second.hand({QStringLiteral("a fox \"sleeps\""), {}, QString()}, 10'000) ? 1 : 0;
        }));
        thread->start();
        QTRY_COMPARE_WITH_TIMEOUT(taken.load(), 1, kPatienceMs);
        thread->wait();
        QTRY_COMPARE(panel()->prompt(), QStringLiteral("a fox \"sleeps\""));
        QVERIFY(!elsewhere.hand({}, 200));
    }

    void keysGoFromPanelToPanel() {
        // With the model come examples, the first thing on the stage that takes the focus.
        QTRY_VERIFY(m_studio->find<QPushButton>(QStringLiteral("a dog runs to the right in a meadow")));
        promptBox()->setFocus();
        QTest::keyClick(&window(), Qt::Key_F6);
        QWidget* stageFocus = window().focusWidget();
        QVERIFY2(stageFocus && stage()->isAncestorOf(stageFocus),
                 stageFocus ? qPrintable(stageFocus->accessibleName()) : "nothing");
        for (int i = 0; i < 6 && !promptBox()->hasFocus(); ++i) {
            QTest::keyClick(&window(), Qt::Key_F6);
        }
        QVERIFY2(promptBox()->hasFocus(), "back to where one was");
        QTest::keyClick(&window(), Qt::Key_F6, Qt::ShiftModifier);
        QVERIFY(!promptBox()->hasFocus());
    }

    // Where a tab names the dock, no title bar does; a dock of its own has one to be dragged by.
    void tabsStandForTitles() {
        auto* queue = window().findChild<QDockWidget*>(QStringLiteral("queue"));
        auto* library = window().findChild<QDockWidget*>(QStringLiteral("library"));
        QVERIFY(!window().findChild<QDockWidget*>(QStringLiteral("prompt"))->titleBarWidget());
        QTRY_VERIFY(queue->titleBarWidget() && library->titleBarWidget());
        QCOMPARE(queue->titleBarWidget()->height(), 0);
        queue->setFloating(true);
        QTRY_VERIFY(!queue->titleBarWidget() && !library->titleBarWidget());
        m_studio->command(QStringLiteral("Reset the layout"))->trigger();
        QTRY_VERIFY(queue->titleBarWidget() && library->titleBarWidget());
        library->close();
        QTRY_VERIFY(!queue->titleBarWidget());
    }

    void docksComeBack() {
        auto* dock = window().findChild<QDockWidget*>(QStringLiteral("prompt"));
        QVERIFY(dock->isVisible());
        dock->toggleViewAction()->trigger();
        QVERIFY(!dock->isVisible());
        window().resize(1111, 777);
        window().close();
        m_studio->close();
        m_studio->open();
        dock = window().findChild<QDockWidget*>(QStringLiteral("prompt"));
        QVERIFY(!dock->isVisible());
        QCOMPARE(window().size(), QSize(1111, 777));
        m_studio->command(QStringLiteral("Reset the layout"))->trigger();
        QVERIFY(dock->isVisible());
    }

    void theUnsentPromptComesBack() {
        QTRY_VERIFY(panel()->hasModel());
        QTest::keyClicks(promptBox(), QStringLiteral("a fox"));
        window().close();
        m_studio->close();
        m_studio->open();
        QCOMPARE(panel()->prompt(), QStringLiteral("a fox"));
    }

    void closingWhileAJobRunsLosesNothing() {
        hold();
        window().close();
        m_studio->close();
        m_studio->open();
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Running, kPatienceMs);
        QVERIFY(banner(QStringLiteral("Queue"))->text().isEmpty());
        QTest::keyClick(&window(), Qt::Key_Escape);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(JobState::Cancelled), 1, kPatienceMs);
    }

    // Export, GIF, and a second reader agrees.
    void exportsAGif() {
        makeClip(QStringLiteral("a red heart"));
        QSignalSpy saved(&m_studio->session().clips(), &app::ClipFiles::exported);
        QTimer::singleShot(0, this, [&] {
            auto* dialog = qobject_cast<ExportDialog*>(QApplication::activeModalWidget());
            QVERIFY(dialog);
            auto* format = named<QComboBox>(*dialog, QStringLiteral("Format"));
            format->setCurrentIndex(format->findText(QStringLiteral("GIF"), Qt::MatchContains));
            named<QLineEdit>(*dialog, QStringLiteral("Folder"))->setText(m_studio->path(QString()));
            named<QLineEdit>(*dialog, QStringLiteral("Name"))->setText(QStringLiteral("out"));
            auto* go = named<QPushButton>(*dialog, QStringLiteral("Export"));
            QTRY_VERIFY_WITH_TIMEOUT(go->isEnabled(), kPatienceMs);
            QTest::mouseClick(go, Qt::LeftButton);
            QTRY_COMPARE_WITH_TIMEOUT(saved.count(), 1, kPatienceMs);
            dialog->close();
        });
        m_studio->command(QStringLiteral("Export the clip…"))->trigger();
        QCOMPARE(saved.count(), 1);
        const QString path = saved.first().at(1).toString();
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.read(3), QByteArray("GIF"));
        const QString ffprobe = QStandardPaths::findExecutable(QStringLiteral("ffprobe"));
        if (!ffprobe.isEmpty()) {
            QProcess probe;
            probe.start(ffprobe, {"-v", "error", "-count_frames", "-show_entries",
                                  "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0", path});
            QVERIFY(probe.waitForFinished(kPatienceMs));
            QCOMPARE(probe.readAllStandardOutput().trimmed(), QByteArray("gif,64,64,9"));
        }
    }

    // Three jobs; the third is moved to the front, the second is cancelled from the queue by keyboard.
    void reorderAndCancelInTheQueue() {
        hold();
        m_studio->run(QStringLiteral("second"));
        m_studio->run(QStringLiteral("third"));
        auto* panel = window().findChild<QueuePanel*>();
        auto* view = panel->view();
        QTRY_VERIFY(rowOf(*view, QStringLiteral("third")).isValid());
        view->setFocus();
        view->setCurrentIndex(rowOf(*view, QStringLiteral("third")));
        QTest::keyClick(view, Qt::Key_Home, Qt::AltModifier);
        QTRY_COMPARE(waitingPrompts().value(0), QStringLiteral("third"));
        QTRY_VERIFY(rowOf(*view, QStringLiteral("second")).isValid());
        view->setCurrentIndex(rowOf(*view, QStringLiteral("second")));
        QTest::keyClick(view, Qt::Key_Backspace, Qt::ControlModifier);
        QTRY_COMPARE(waitingPrompts(), QStringList{QStringLiteral("third")});
        QTest::keyClick(&window(), Qt::Key_Escape);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(JobState::Done), 1, kPatienceMs);
        QCOMPARE(m_studio->clips().front().prompt, std::string("third"));
    }

    // A job is edited and put back as it was.
    void anEditOfAWaitingJobCanBeTakenBack() {
        hold();
        m_studio->run(QStringLiteral("second"));
        auto* view = window().findChild<QueuePanel*>()->view();
        QTRY_VERIFY(rowOf(*view, QStringLiteral("second")).isValid());
        view->setFocus();
        view->setCurrentIndex(rowOf(*view, QStringLiteral("second")));
        QTest::keyClick(view, Qt::Key_F2);
        QVERIFY(panel()->editedJob() != 0);
        promptBox()->selectAll();
        QTest::keyClicks(promptBox(), QStringLiteral("changed"));
        QTest::mouseClick(window().findChild<QPushButton*>(QStringLiteral("saveEdit")), Qt::LeftButton);
        QTRY_COMPARE(waitingPrompts(), QStringList{QStringLiteral("changed")});
        window().undoStack()->undo();
        QTRY_COMPARE(waitingPrompts(), QStringList{QStringLiteral("second")});
        window().undoStack()->redo();
        QTRY_COMPARE(waitingPrompts(), QStringList{QStringLiteral("changed")});
    }

    void theQueueSaysHowLongItTakes() {
        makeClip(QStringLiteral("a heart"));  // the second one takes as long
        hold();
        m_studio->run(QStringLiteral("second"));
        auto* queue = window().findChild<QueuePanel*>();
        QTRY_VERIFY(rowOf(*queue->view(), QStringLiteral("second")).isValid());
        const auto details = [queue, this] {
            return queue->model()->details(rowOf(*queue->view(), QStringLiteral("second")).row());
        };
        QTRY_VERIFY2(details().startsWith(QStringLiteral("about ")), qPrintable(details()));
        QTRY_VERIFY2(queue->summary().contains(QStringLiteral("about ")), qPrintable(queue->summary()));
    }

    // What the engine and the queue say is in the log; what is copied for a report does not tell the prompt.
    void theLogIsShownFilteredAndCopied() {
        m_studio->run(QStringLiteral("fail at a secret fox"));
        QTRY_COMPARE_WITH_TIMEOUT(stage()->state(), StageState::Failed, kPatienceMs);
        m_studio->command(QStringLiteral("Log…"))->trigger();
        auto* log = window().findChild<LogView*>();
        QVERIFY(log && log->isVisible());
        QTRY_VERIFY2(log->text()->toPlainText().contains(QStringLiteral("out_of_memory")),
                     qPrintable(log->text()->toPlainText()));
        QVERIFY(log->text()->toPlainText().contains(QStringLiteral("engine: version test")));
        auto* level = named<QComboBox>(*log, QStringLiteral("Shown lines"));
        level->setFocus();
        QTest::keyClick(level, Qt::Key_End);
        QVERIFY(!log->text()->toPlainText().contains(QStringLiteral("engine: version test")));
        QVERIFY(log->text()->toPlainText().contains(QStringLiteral("out_of_memory")));
        auto* search = named<QLineEdit>(*log, QStringLiteral("Search the log"));
        QTest::keyClicks(search, QStringLiteral("nothing like it"));
        QCOMPARE(log->text()->toPlainText(), QString());
        search->clear();
        level->setCurrentIndex(0);
        // A line that comes later is added, when it is wanted.
        m_studio->session().log().add(app::LogBook::Level::Info, QStringLiteral("library"),
                                      QStringLiteral("clips/2026-11/2026-11-22 a-secret-fox 12.mp4 is gone"));
        QVERIFY(log->text()->toPlainText().endsWith(QStringLiteral("12.mp4 is gone")));
        for (auto* button : log->findChildren<QPushButton*>()) {
            if (button->text() == QStringLiteral("Copy diagnostics")) {
                QTest::mouseClick(button, Qt::LeftButton);
            }
        }
        const QString copied = QGuiApplication::clipboard()->text();
        for (const char* part : {"Framewright", "Qt 6", "Test processor", "Library: ", "out_of_memory", "Form: {",
                                 "clips/2026-11/2026-11-22 … 12.mp4 is gone"}) {
            QVERIFY2(copied.contains(QString::fromUtf8(part)), qPrintable(QString::fromUtf8(part) + "\n" + copied));
        }
        QVERIFY2(!copied.contains(QStringLiteral("secret")), qPrintable(copied));
        auto* include = named<QCheckBox>(*log, QStringLiteral("Include my prompts"));
        include->setChecked(true);
        for (auto* button : log->findChildren<QPushButton*>()) {
            if (button->text() == QStringLiteral("Copy diagnostics")) {
                QTest::mouseClick(button, Qt::LeftButton);
            }
        }
        QVERIFY(QGuiApplication::clipboard()->text().contains(QStringLiteral("fail at a secret fox")));
    }

    void settingsReachTheQueueAndTheModelPicker() {
        QTRY_VERIFY(panel()->hasModel());
        QTimer::singleShot(0, this, [&] {
            auto* dialog = QApplication::activeModalWidget();
            QVERIFY(dialog);
            auto* steps = named<QSpinBox>(*dialog, QStringLiteral("Steps from one preview to the next"));
            steps->setFocus();
            steps->selectAll();
            QTest::keyClicks(steps, QStringLiteral("5"));
            QTest::keyClick(dialog, Qt::Key_Escape);
        });
        m_studio->command(QStringLiteral("Settings…"))->trigger();
        QCOMPARE(window().preferences()->previewSteps(), 5);
        QCOMPARE(window().preferences()->previewPercent(), 5);
        window().preferences()->setModelFolders({QStringLiteral("/models")});
        QCOMPARE(window().findChild<ModelPicker*>()->folders(), QStringList{QStringLiteral("/models")});
        // The worker is told: of ten steps it shows the fifth and the tenth.
        makeClip(QStringLiteral("a heart"));
        QCOMPARE(stage()->previewCount(), 2);
    }

    // Find a clip by words, star it, tag it, throw it away, take that back.
    void findStarTagTrashUndo() {
        makeClip(QStringLiteral("a red heart grows"));
        makeClip(QStringLiteral("a blue whale sings"));
        auto* dock = window().findChild<QDockWidget*>(QStringLiteral("library"));
        dock->show();
        dock->raise();
        auto* library = window().findChild<LibraryPanel*>();
        QTRY_COMPARE(library->model()->rowCount(), 2);
        library->focusSearch();
        QTest::keyClicks(window().focusWidget(), QStringLiteral("whale"));
        QTRY_COMPARE(library->model()->rowCount(), 1);
        auto* grid = library->grid();
        grid->setFocus();
        grid->setCurrentIndex(library->model()->index(0, 0));
        QTest::keyClick(grid, Qt::Key_4);
        QTRY_COMPARE(m_studio->clips("whale star:4").size(), 1U);
        window().undoStack()->undo();
        QTRY_COMPARE(m_studio->clips("whale star:0").size(), 1U);
        // From the clips by Tab to the field for tags, as somebody without a mouse would.
        QWidget* field = nullptr;
        for (int i = 0; i < 40 && field == nullptr; ++i) {
            QTest::keyClick(window().focusWidget(), Qt::Key_Tab);
            auto* focus = window().focusWidget();
            field = focus != nullptr && focus->accessibleName() == QStringLiteral("Add a tag") ? focus : nullptr;
        }
        QVERIFY2(field != nullptr, "the field for tags can be reached");
        QTest::keyClicks(field, QStringLiteral("at sea"));
        QTest::keyClick(field, Qt::Key_Return);
        QTRY_COMPARE(m_studio->clips("tag:\"at sea\"").size(), 1U);
        QCOMPARE(m_studio->clips("tag:\"at sea\"").front().prompt, std::string("a blue whale sings"));
        window().undoStack()->undo();
        QTRY_COMPARE(m_studio->clips("tag:\"at sea\"").size(), 0U);
        grid->setFocus();
        QTest::keyClick(grid, Qt::Key_Delete);
        QTRY_COMPARE(m_studio->clips("whale").size(), 0U);
        window().undoStack()->undo();
        QTRY_COMPARE(m_studio->clips("whale").size(), 1U);
    }

    void playsByKeyboard() {
        makeClip(QStringLiteral("a cat"));
        auto* player = stage()->player();
        auto* canvas = stage()->canvas();
        canvas->setFocus();
        QTest::keyClick(canvas, Qt::Key_Space);
        QVERIFY(!player->isPlaying());
        QTest::keyClick(canvas, Qt::Key_Home);
        QCOMPARE(player->index(), 0);
        QTest::keyClick(canvas, Qt::Key_Right);
        QCOMPARE(player->index(), 1);
        QTest::keyClick(canvas, Qt::Key_Left);
        QTest::keyClick(canvas, Qt::Key_Left);
        QCOMPARE(player->index(), 8);
    }

    void everyKeyIsOnTheSheet() {
        QStringList sheet;
        for (const auto& group : shortcutsOf(window())) {
            for (const auto& row : group.rows) {
                QVERIFY2(!row.meaning.isEmpty(), qPrintable(row.keys));
                sheet.append(row.meaning);
            }
        }
        for (const auto* action : window().findChildren<QAction*>()) {
            if (!action->shortcuts().isEmpty()) {
                const QString text = QString(action->text()).remove(QLatin1Char('&')).remove(QChar(0x2026));
                QVERIFY2(sheet.contains(text), qPrintable(text));
            }
        }
        for (const auto* shortcut : window().findChildren<QShortcut*>()) {
            QVERIFY2(sheet.contains(shortcut->whatsThis()), qPrintable(shortcut->key().toString()));
        }
        for (const auto* keys : window().findChildren<KeyMap*>()) {
            for (const auto& command : keys->commands()) {
                QVERIFY2(sheet.contains(command.meaning), qPrintable(command.meaning));
            }
        }
        for (const auto* known : {"Run", "Search", "Give stars", "Add to the comparison", "Move to the trash",
                                  "Play or pause", "The prompt before", "Save this frame"}) {
            QVERIFY2(sheet.contains(QString::fromLatin1(known)), known);
        }
        // No key means two things in the menus.
        QStringList keys;
        for (const auto* action : window().menuBar()->actions()) {
            for (const auto* entry : action->menu()->actions()) {
                for (const auto& key : entry->shortcuts()) {
                    QVERIFY2(!keys.contains(key.toString()), qPrintable(key.toString()));
                    keys.append(key.toString());
                }
            }
        }
    }

    void everyControlHasANameAndATip() {
        makeClip(QStringLiteral("a cat"));
        QStringList faults;
        for (const auto* widget : window().findChildren<QWidget*>()) {
            const bool control = widget->inherits("QAbstractButton") || widget->inherits("QComboBox") ||
                                 widget->inherits("QAbstractSpinBox") || widget->inherits("QPlainTextEdit") ||
                                 widget->inherits("QLineEdit") || widget->inherits("QAbstractSlider") ||
                                 widget->inherits("QAbstractItemView");
            const QString name = widget->objectName();
            // Parts of Qt's own controls are named by the control they belong to.
            if (!control || name.startsWith(QLatin1String("qt_")) || widget->inherits("QScrollBar") ||
                widget->inherits("QHeaderView") || widget->inherits("QDockWidgetTitleButton") ||
                (widget->parentWidget() && widget->parentWidget()->inherits("QComboBoxPrivateContainer")) ||
                (widget->parentWidget() &&
                 (widget->parentWidget()->inherits("QComboBox") ||
                  widget->parentWidget()->inherits("QAbstractSpinBox") ||
                  widget->parentWidget()->inherits("QTabBar") || widget->parentWidget()->inherits("QMenuBar") ||
                  widget->parentWidget()->inherits("QLineEdit")))) {
                continue;
            }
            const auto* button = qobject_cast<const QAbstractButton*>(widget);
            const bool unused =
                button && button->text().isEmpty() && button->icon().isNull() && !widget->isVisible();
            if (widget->accessibleName().isEmpty() && !(button && !button->text().isEmpty()) && !unused) {
                faults.append(QStringLiteral("%1 %2 in %3 has no name")
                                  .arg(QLatin1String(widget->metaObject()->className()), name,
                                       QLatin1String(widget->parentWidget()->metaObject()->className())));
            }
            // A tip over a whole list would hide what its rows say.
            const bool list = widget->inherits("QAbstractItemView");
            if (widget->toolTip().isEmpty() && widget->isVisible() && !list) {
                faults.append(QStringLiteral("%1 “%2” has no tool tip")
                                  .arg(QLatin1String(widget->metaObject()->className()), widget->accessibleName()));
            }
        }
        QVERIFY2(faults.isEmpty(), qPrintable(faults.join(QLatin1Char('\n'))));
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::WindowTest)
#include "window_test.moc"
