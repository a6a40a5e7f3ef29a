// The queue panel as a person uses it, with a library on disk and a worker process that plays an engine.
// With FW_PICTURES set to a folder, a picture of each state is saved there to be looked at.
#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QElapsedTimer>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <memory>

#include "app/library/job_queue.h"
#include "ui/notice_bar.h"
#include "ui/queue_delegate.h"
#include "ui/queue_model.h"
#include "ui/queue_panel.h"
#include "ui/queue_view.h"
#include "ui/theme.h"

namespace fw::ui::test {

using store::JobState;

class QueuePanelTest : public QObject {
    Q_OBJECT

 private:
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<app::LibraryService> m_library;
    std::unique_ptr<app::WorkerClient> m_worker;
    std::unique_ptr<app::JobQueue> m_queue;
    std::unique_ptr<QueuePanel> m_panel;

    // A queue that stands still: what waits stays where it is until resume().
    void openPaused() {
        auto library = app::LibraryService::open(m_folder->path().toStdString());
        QVERIFY(library.has_value());
        m_library = std::move(*library);
        app::WorkerClientOptions options;
        options.program = QStringLiteral(FW_CLIP_WORKER);
        m_worker = std::make_unique<app::WorkerClient>(options);
        m_queue = std::make_unique<app::JobQueue>(*m_library, *m_worker);
        m_queue->setPaused(true);
        m_panel = std::make_unique<QueuePanel>(*m_queue, *m_library);
        m_panel->resize(kPanelWidth, 720);
        m_panel->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_panel.get()));
        m_panel->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_panel.get()));
        m_panel->view()->setFocus();
        m_queue->start();
    }
    void add(const std::vector<std::string>& prompts) {
        std::vector<job::GenerationRequest> requests;
        for (const auto& prompt : prompts) {
            job::GenerationRequest request;
            request.prompt = prompt;
            request.width = request.height = 256;
            request.frames = 33;
            request.steps = 20;
            request.seed = 7;
            requests.push_back(request);
        }
        m_queue->add(requests, 1);
    }
    void addAlone(const std::vector<std::string>& prompts) {
        for (const auto& prompt : prompts) {
            add({prompt});
        }
        QTRY_COMPARE(titles(QueueSection::Waiting).size(), static_cast<qsizetype>(prompts.size()));
    }
    [[nodiscard]] QueueModel* model() const { return m_panel->model(); }
    [[nodiscard]] QueueView* view() const { return m_panel->view(); }
    [[nodiscard]] QStringList titles(QueueSection section) const {
        QStringList result;
        for (int row = 0; row < model()->rowCount(); ++row) {
            if (!model()->row(row).isHeading() && model()->row(row).section == section) {
                result.append(model()->title(row));
            }
        }
        return result;
    }
    [[nodiscard]] QStringList waiting() const { return titles(QueueSection::Waiting); }
    [[nodiscard]] QRect rectOf(const QString& title) const {
        for (int row = 0; row < model()->rowCount(); ++row) {
            if (!model()->row(row).isHeading() && model()->title(row) == title) {
                return view()->visualRect(model()->index(row));
            }
        }
        return {};
    }
    void click(const QString& title, Qt::KeyboardModifiers modifiers = {}) const {
        QTest::mouseClick(view()->viewport(), Qt::LeftButton, modifiers, rectOf(title).center());
    }
    void drag(const QString& title, const QPoint& to) const {
        const QPoint from = rectOf(title).center();
        QTest::mousePress(view()->viewport(), Qt::LeftButton, {}, from);
        QTest::mouseMove(view()->viewport(), (from + to) / 2);
        QTest::mouseMove(view()->viewport(), to);
        savePicture(QStringLiteral("drag"));
        QTest::mouseRelease(view()->viewport(), Qt::LeftButton, {}, to);
    }
    // The order in the database, which the list must agree with in the end.
    [[nodiscard]] QStringList stored() {
        std::optional<QStringList> result;
        m_library->write(
            this, [](store::LibraryStore& store) { return store.jobs({JobState::Queued}, -1); },
            [&](const Result<std::vector<store::Job>>& jobs) {
                result.emplace();
                for (const auto& job : *jobs) {
                    result->append(QString::fromStdString(QueueModel::requestOf(job)->prompt));
                }
            });
        while (!result) {
            QTest::qWait(1);
        }
        return *result;
    }
    void savePicture(const QString& name) const {
        if (qEnvironmentVariableIsSet("FW_PICTURES")) {
            QDir().mkpath(qEnvironmentVariable("FW_PICTURES"));
            for (const auto choice : {ThemeChoice::Light, ThemeChoice::Dark}) {
                m_theme->setChoice(choice);
                m_panel->grab().save(
                    QStringLiteral("%1/queue-%2-%3.png")
                        .arg(qEnvironmentVariable("FW_PICTURES"), name,
                             choice == ThemeChoice::Dark ? QStringLiteral("dark") : QStringLiteral("light")));
            }
        }
    }

 private slots:
    void initTestCase() {
        QLocale::setDefault(QLocale::c());
        m_theme = std::make_unique<Theme>(*qApp);
    }
    void init() {
        m_folder = std::make_unique<QTemporaryDir>();
        openPaused();
    }
    void cleanup() {
        m_panel.reset();
        m_queue.reset();
        m_worker.reset();
        m_library.reset();
    }

    void saysSoWhenNothingIsQueued() {
        QVERIFY(!view()->isVisible());
        QCOMPARE(m_panel->summary(), QStringLiteral("Paused"));
        savePicture(QStringLiteral("empty"));
    }

    void runsWhatWaitsAndShowsHowFarItIs() {
        addAlone({"a fox", "fail", "a dog"});
        QCOMPARE(m_panel->summary(), QStringLiteral("Paused  ·  3 waiting"));
        m_panel->setSecondsLeft(130.0);
        QCOMPARE(m_panel->summary(), QStringLiteral("Paused  ·  3 waiting  ·  about 2 min 10 s"));
        QSignalSpy progress(m_queue.get(), &app::JobQueue::progress);
        bool stepSeen = false, pictureSeen = false;
        connect(model(), &QAbstractItemModel::dataChanged, this, [&](const QModelIndex& at) {
            const QueueRow& row = model()->row(at.row());
            stepSeen =
                stepSeen || (row.isRunning() && model()->details(at.row()).startsWith(QStringLiteral("step ")));
            if (row.isRunning() && !model()->picture(at.row()).isNull() && !pictureSeen) {
                pictureSeen = true;
                savePicture(QStringLiteral("running"));
            }
        });
        QTest::mouseClick(m_panel->pauseButton(), Qt::LeftButton);
        QVERIFY(!m_queue->isPaused());
        QTRY_COMPARE_WITH_TIMEOUT(titles(QueueSection::Finished).size(), 2, 10'000);
        QTRY_COMPARE(titles(QueueSection::Failed), QStringList{QStringLiteral("fail")});
        QVERIFY(stepSeen);
        QVERIFY(pictureSeen);
        QCOMPARE(m_panel->summary(), QStringLiteral("Nothing waiting"));
        savePicture(QStringLiteral("finished"));
    }

    void failedJobsSayWhyAndRunAgain() {
        addAlone({"fail"});
        m_queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(titles(QueueSection::Failed).size(), 1, 10'000);
        m_queue->setPaused(true);
        click(QStringLiteral("fail"));
        QCOMPARE(model()->details(view()->currentIndex().row()), QStringLiteral("Asked 3 GiB, 1 GiB free."));
        const auto copied = [this] {
            QTest::keyClick(view(), Qt::Key_C, Qt::ControlModifier);
            return QGuiApplication::clipboard()->text();
        };
        QTRY_COMPARE(copied(), QStringLiteral("fail\nout_of_memory: asked 3 GiB, 1 GiB free"));
        QSignalSpy settings(m_panel.get(), &QueuePanel::loadSettingsRequested);
        QTest::keyClick(view(), Qt::Key_Return);
        QCOMPARE(settings.count(), 1);
        QTest::keyClick(view(), Qt::Key_R, Qt::ControlModifier);
        QTRY_COMPARE(waiting(), QStringList{QStringLiteral("fail")});
    }

    void dragsJobsToAnotherPlace() {
        addAlone({"a", "b", "c", "d"});
        drag(QStringLiteral("d"), rectOf(QStringLiteral("b")).topLeft() + QPoint(60, 4));
        QCOMPARE(waiting(), QStringList({"a", "d", "b", "c"}));
        QTRY_COMPARE(stored(), QStringList({"a", "d", "b", "c"}));
        // Two at once, to the end.
        click(QStringLiteral("a"));
        click(QStringLiteral("b"), Qt::ControlModifier);
        drag(QStringLiteral("a"), rectOf(QStringLiteral("c")).bottomLeft() + QPoint(60, 40));
        QCOMPARE(waiting(), QStringList({"d", "c", "a", "b"}));
        QTRY_COMPARE(stored(), QStringList({"d", "c", "a", "b"}));
        QCOMPARE(view()->selectedIds().size(), 2U);
        // Nowhere: back where it was.
        drag(QStringLiteral("d"), rectOf(QStringLiteral("d")).center() + QPoint(0, 12));
        QCOMPARE(waiting(), QStringList({"d", "c", "a", "b"}));
    }

    void escapeEndsADrag() {
        addAlone({"a", "b", "c"});
        const QPoint from = rectOf(QStringLiteral("a")).center();
        QTest::mousePress(view()->viewport(), Qt::LeftButton, {}, from);
        QTest::mouseMove(view()->viewport(), rectOf(QStringLiteral("c")).center());
        QTest::keyClick(view(), Qt::Key_Escape);
        QTest::mouseRelease(view()->viewport(), Qt::LeftButton, {}, rectOf(QStringLiteral("c")).center());
        QCOMPARE(waiting(), QStringList({"a", "b", "c"}));
    }

    void movesByKeyboard() {
        addAlone({"a", "b", "c", "d"});
        click(QStringLiteral("c"));
        QTest::keyClick(view(), Qt::Key_Up, Qt::AltModifier);
        QTest::keyClick(view(), Qt::Key_Up, Qt::AltModifier);
        QCOMPARE(waiting(), QStringList({"c", "a", "b", "d"}));
        QTest::keyClick(view(), Qt::Key_Up, Qt::AltModifier);
        QCOMPARE(waiting(), QStringList({"c", "a", "b", "d"}));
        QTest::keyClick(view(), Qt::Key_Down, Qt::AltModifier);
        QCOMPARE(waiting(), QStringList({"a", "c", "b", "d"}));
        QTest::keyClick(view(), Qt::Key_Down, Qt::ShiftModifier);  // c and b
        QTest::keyClick(view(), Qt::Key_Down, Qt::AltModifier);
        QCOMPARE(waiting(), QStringList({"a", "d", "c", "b"}));
        QTest::keyClick(view(), Qt::Key_Down, Qt::AltModifier);
        QCOMPARE(waiting(), QStringList({"a", "d", "c", "b"}));
        QTest::keyClick(view(), Qt::Key_Home, Qt::AltModifier);
        QCOMPARE(waiting(), QStringList({"c", "b", "a", "d"}));
        QTRY_COMPARE(stored(), QStringList({"c", "b", "a", "d"}));
        QTest::qWait(100);
        QCOMPARE(waiting(), QStringList({"c", "b", "a", "d"}));
    }

    void removesAndBringsBack() {
        addAlone({"a", "b", "c", "d"});
        click(QStringLiteral("b"));
        click(QStringLiteral("c"), Qt::ShiftModifier);
        QTest::keyClick(view(), Qt::Key_Delete);
        QTRY_COMPARE(waiting(), QStringList({"a", "d"}));
        savePicture(QStringLiteral("removed"));
        QTest::keyClick(view(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(waiting(), QStringList({"a", "b", "c", "d"}));
        QCOMPARE(stored(), QStringList({"a", "b", "c", "d"}));
        // The last one, by the button of the remark.
        click(QStringLiteral("d"));
        QTest::keyClick(view(), Qt::Key_Delete);
        QTRY_COMPARE(waiting(), QStringList({"a", "b", "c"}));
        auto* bar = m_panel->findChild<NoticeBar*>();
        QVERIFY(bar->isVisible());
        QTest::mouseClick(bar->findChild<QPushButton*>(), Qt::LeftButton);
        QTRY_COMPARE(waiting(), QStringList({"a", "b", "c", "d"}));
    }

    void movesAndCancelsCanBeTakenBack() {
        addAlone({"a", "b", "c", "d"});
        click(QStringLiteral("d"));
        QTest::keyClick(view(), Qt::Key_Home, Qt::AltModifier);
        QTRY_COMPARE(stored(), QStringList({"d", "a", "b", "c"}));
        click(QStringLiteral("a"));
        click(QStringLiteral("c"), Qt::ControlModifier);
        QTest::keyClick(view(), Qt::Key_Backspace, Qt::ControlModifier);
        QTRY_COMPARE(stored(), QStringList({"d", "b"}));
        QTRY_COMPARE(titles(QueueSection::Finished).size(), 2);
        // What was added meanwhile stays at the end.
        add({"e"});
        QTRY_COMPARE(waiting(), QStringList({"d", "b", "e"}));
        QTest::keyClick(view(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(waiting(), QStringList({"d", "a", "b", "c", "e"}));
        QTest::keyClick(view(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(waiting(), QStringList({"a", "b", "c", "d", "e"}));
        QCOMPARE(stored(), QStringList({"a", "b", "c", "d", "e"}));
    }

    void waitingJobsSayHowLongTheyTake() {
        addAlone({"a", "b"});
        const qint64 known = model()->row(1).id;
        model()->setTimes([known](qint64 job) { return job == known ? 130.0 : -1.0; });
        QSignalSpy changed(model(), &QAbstractItemModel::dataChanged);
        model()->showTimes();
        QCOMPARE(changed.count(), 1);
        QVERIFY2(model()->details(1).startsWith(QStringLiteral("about 2 min 10 s  ·  ")),
                 qPrintable(model()->details(1)));
        QVERIFY2(!model()->details(2).contains(QStringLiteral("about")), qPrintable(model()->details(2)));
    }

    void whatComesBackIsDueWhenTheOthersHaveRun() {
        addAlone({"a", "b", "c"});
        click(QStringLiteral("a"));
        QTest::keyClick(view(), Qt::Key_Delete);
        QTRY_COMPARE(waiting(), QStringList({"b", "c"}));
        add({"z"});
        QTRY_COMPARE(waiting().size(), 3);
        m_queue->remove({model()->row(1).id, model()->row(2).id});
        QTRY_COMPARE(waiting(), QStringList({"z"}));
        QTest::keyClick(view(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(waiting(), QStringList({"a", "z"}));
    }

    void editsDuplicatesAndCancels() {
        addAlone({"a", "b"});
        QSignalSpy edits(m_panel.get(), &QueuePanel::editRequested);
        click(QStringLiteral("b"));
        QTest::keyClick(view(), Qt::Key_F2);
        QTest::mouseDClick(view()->viewport(), Qt::LeftButton, {}, rectOf(QStringLiteral("a")).center());
        QCOMPARE(edits.count(), 2);
        QCOMPARE(edits.at(0).at(1).value<job::GenerationRequest>().prompt, std::string("b"));
        QCOMPARE(edits.at(1).at(1).value<job::GenerationRequest>().prompt, std::string("a"));
        auto request = edits.at(1).at(1).value<job::GenerationRequest>();
        request.prompt = "a new one";
        m_queue->edit(edits.at(1).at(0).toLongLong(), request);
        QTRY_COMPARE(waiting(), QStringList({"a new one", "b"}));
        QTest::keyClick(view(), Qt::Key_D, Qt::ControlModifier);
        QTRY_COMPARE(waiting(), QStringList({"a new one", "b", "a new one"}));
        click(QStringLiteral("b"));
        QTest::keyClick(view(), Qt::Key_Backspace, Qt::ControlModifier);
        QTRY_COMPARE(titles(QueueSection::Finished), QStringList{QStringLiteral("b")});
        click(QStringLiteral("b"));
        QTest::keyClick(view(), Qt::Key_F2);
        QCOMPARE(edits.count(), 2);
        for (auto* button : m_panel->findChildren<QToolButton*>()) {
            if (button->accessibleName() == QStringLiteral("Clear finished jobs")) {
                QTest::mouseClick(button, Qt::LeftButton);
            }
        }
        QTRY_VERIFY(titles(QueueSection::Finished).isEmpty());
        QCOMPARE(waiting().size(), 2);
    }

    void stopsTheRunningJobAndKeepsWhatThereIs() {
        addAlone({"a fox"});
        QSignalSpy progress(m_queue.get(), &app::JobQueue::progress);
        QSignalSpy clips(m_panel.get(), &QueuePanel::clipRequested);
        m_queue->setPaused(false);
        QTRY_VERIFY(!titles(QueueSection::Running).isEmpty());
        click(QStringLiteral("a fox"));
        QTest::keyClick(view(), Qt::Key_K, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(titles(QueueSection::Finished).size(), 1, 10'000);
        QVERIFY(progress.count() < 10);
        QCOMPARE(view()->selectedIds().size(), 1U);  // still the same job
        QTest::keyClick(view(), Qt::Key_Return);
        QCOMPARE(clips.count(), 1);
    }

    void batchesHoldTogether() {
        add({"one", "two", "three"});
        add({"alone"});
        QTRY_COMPARE(waiting().size(), 4);
        QCOMPARE(model()->row(2).batchPlace, 2);
        QCOMPARE(model()->row(2).batchCount, 3);
        QCOMPARE(model()->row(4).batchCount, 0);
        QVERIFY(model()
                    ->index(2)
                    .data(Qt::AccessibleTextRole)
                    .toString()
                    .contains(QStringLiteral("2 of a batch of 3")));
        savePicture(QStringLiteral("batch"));
        click(QStringLiteral("two"));
        QTest::keyClick(view(), Qt::Key_B, Qt::ControlModifier);
        QCOMPARE(view()->selectedIds().size(), 3U);
    }

    void menuOffersWhatCanBeDone() {
        addAlone({"a", "b"});
        const QRect row = rectOf(QStringLiteral("b"));
        QTest::mouseMove(view()->viewport(), row.center());
        QTest::mouseClick(view()->viewport(), Qt::LeftButton, {}, QueueDelegate::menuButton(row).center());
        auto* menu = m_panel->findChild<QMenu*>();
        QTRY_VERIFY(menu->isVisible());
        QStringList offered;
        for (const auto* action : menu->actions()) {
            if (action->isVisible() && !action->isSeparator()) {
                offered.append(action->text());
            }
        }
        QCOMPARE(offered, QStringList({"Edit…", "Use its settings", "Duplicate", "Run next", "Move up", "Move down",
                                       "Cancel", "Remove from the queue"}));
        if (qEnvironmentVariableIsSet("FW_PICTURES")) {
            menu->grab().save(qEnvironmentVariable("FW_PICTURES") + QStringLiteral("/queue-menu.png"));
        }
        QTest::keyClick(menu, Qt::Key_Escape);
        QTRY_VERIFY(!menu->isVisible());
    }

    void finishedJobsFold() {
        addAlone({"a", "b"});
        m_queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(titles(QueueSection::Finished).size(), 2, 10'000);
        QTRY_VERIFY(titles(QueueSection::Running).isEmpty());
        QTest::mouseClick(view()->viewport(), Qt::LeftButton, {}, view()->visualRect(model()->index(0)).center());
        QCOMPARE(model()->rowCount(), 1);
        view()->setCurrentIndex(model()->index(0));
        QTest::keyClick(view(), Qt::Key_Return);
        QCOMPARE(model()->rowCount(), 3);
    }

    void hostileSettingsAreListed() {
        addAlone({"a\nb\t<b>c</b> \u202e", std::string(4000, 'x')});
        QCOMPARE(waiting().first(), QStringLiteral("a b <b>c</b> \u202e"));
        std::optional<bool> added;
        m_library->write(
            this,
            [](store::LibraryStore& store) {
                store::Job job;
                job.requestJson = "[1]";
                return store.addJob(job).has_value();
            },
            [&](bool result) { added = result; });
        QTRY_VERIFY(added.has_value());
        QVERIFY(*added);
        emit m_queue->jobsChanged();
        QTRY_COMPARE(waiting().size(), 3);
        QSignalSpy notices(m_panel.get(), &QueuePanel::notice);
        QTest::mouseDClick(view()->viewport(), Qt::LeftButton, {}, rectOf(waiting().last()).center());
        QCOMPARE(notices.count(), 1);
    }

    void tenThousandJobsDoNotStall() {
        std::vector<std::string> prompts;
        for (int i = 0; i < 10'000; ++i) {
            prompts.push_back("a fox number " + std::to_string(i));
        }
        QElapsedTimer adding;
        adding.start();
        add(prompts);
        QTRY_COMPARE_WITH_TIMEOUT(model()->rowCount(), 10'001, 20'000);
        qInfo("10 000 jobs added and listed in %lld ms", static_cast<long long>(adding.elapsed()));
        // The event loop comes round every few milliseconds, whatever is read and laid out.
        QElapsedTimer clock;
        qint64 longest = 0;
        QTimer heart;
        heart.setInterval(5);
        connect(&heart, &QTimer::timeout, this, [&] { longest = std::max(longest, clock.restart()); });
        view()->scrollToBottom();
        clock.start();
        heart.start();
        add({"one more"});
        QTRY_COMPARE_WITH_TIMEOUT(model()->rowCount(), 10'002, 20'000);
        QTest::qWait(50);
        view()->scrollToBottom();
        QTest::mouseClick(view()->viewport(), Qt::LeftButton, {},
                          view()->visualRect(model()->index(10'001)).center());
        QTest::qWait(20);
        QTest::keyClick(view(), Qt::Key_Home, Qt::AltModifier);
        QCOMPARE(model()->title(1), QStringLiteral("one more"));
        QTest::qWait(200);
        heart.stop();
        qInfo("longest stall of the window with 10 000 jobs: %lld ms", static_cast<long long>(longest));
        QTRY_COMPARE_WITH_TIMEOUT(stored().first(), QStringLiteral("one more"), 20'000);
        QCOMPARE(model()->title(1), QStringLiteral("one more"));
        savePicture(QStringLiteral("many"));
        QCOMPARE(view()->selectedIds().size(), 1U);
    }
};

}  // namespace fw::ui::test

QTEST_MAIN(fw::ui::test::QueuePanelTest)
#include "queue_panel_test.moc"
