// The queue through many deaths: of its worker and of the whole studio. FW_KILLS sets how many (50 and 20).
#include <sys/resource.h>
#include <unistd.h>

#include <QProcess>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>
#include <csignal>

#include "latency.h"
#include "studio.h"

using namespace fw;
using fw::test::Studio;
using store::JobState;

namespace {

constexpr qint64 kMostMsLate = 100;

int killsWanted(int usual) {
    const int wanted = qEnvironmentVariableIntValue("FW_KILLS");
    return wanted > 0 ? wanted : usual;
}

int randomMs(int below) {
    return static_cast<int>(QRandomGenerator::global()->bounded(below));
}

}  // namespace

class EnduranceTest : public QObject {
    Q_OBJECT

 private slots:
    void initTestCase() { std::signal(SIGXFSZ, SIG_IGN); }

    void theWorkerIsKilledAtRandomMoments() {
        Studio studio;
        const test::LatencyWatch watch;
        const int wanted = killsWanted(50);
        int added = 0;
        for (int kills = 0; kills < wanted;) {
            if (studio.count(JobState::Queued) < 3) {
                studio.add({"prompt " + std::to_string(added), "prompt " + std::to_string(added + 1)});
                added += 2;
            }
            QTest::qWait(randomMs(80));
            const auto& hello = studio.worker->hello();
            if (hello && studio.worker->state() == app::WorkerClient::State::Ready) {
                ::kill(static_cast<pid_t>(hello->processId), SIGKILL);
                ++kills;
            }
            if (studio.queue->isPaused()) {
                studio.queue->setPaused(false);  // three workers in a row died before they did anything
            }
        }
        QTRY_COMPARE_WITH_TIMEOUT(studio.count(JobState::Done) + studio.count(JobState::Failed), added, 60000);
        // A job may be hit twice: then it is Failed, says so, and goes on when retried.
        std::vector<std::int64_t> unlucky;
        for (const auto& job : studio.jobs()) {
            if (job.state == JobState::Failed) {
                QCOMPARE(job.errorCode, std::string("device_lost"));
                unlucky.push_back(job.id);
            }
        }
        studio.queue->retry(unlucky);
        QTRY_COMPARE_WITH_TIMEOUT(studio.count(JobState::Done), added, 60000);
        studio.checkClips(static_cast<std::size_t>(added));
        qInfo("the window's thread was late by %lld ms at most", watch.worst());
        QVERIFY2(watch.worst() <= kMostMsLate, qPrintable(QString::number(watch.worst())));
    }

    void theStudioIsKilledAtRandomMoments() {
        Studio studio;
        studio.queue->setPaused(true);
        std::vector<std::string> prompts;
        const int wanted = killsWanted(20);
        for (int i = 0; i < 2 * wanted; ++i) {
            prompts.push_back("prompt " + std::to_string(i));
        }
        studio.add(prompts);
        QTRY_COMPARE_WITH_TIMEOUT(studio.count(JobState::Queued), 2 * wanted, 5000);
        studio.close();
        qint64 worst = 0;
        const auto run = [&](int killAfterMs) {
            QProcess process;
            process.start(QStringLiteral(FW_MINI_STUDIO),
                          {QString::fromStdString(studio.folder().string()), QStringLiteral(FW_CLIP_WORKER)});
            if (killAfterMs >= 0 && !process.waitForFinished(killAfterMs)) {
                process.kill();
            }
            process.waitForFinished(60000);
            for (const QByteArray& line : process.readAllStandardOutput().split('\n')) {
                worst = line.startsWith("late ") ? std::max(worst, line.mid(5).toLongLong()) : worst;
            }
            return process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
        };
        for (int i = 0; i < wanted; ++i) {
            const int code = run(20 + randomMs(300));
            QVERIFY2(code == -1 || code == 0,
                     qPrintable(QString::number(code)));  // never "in use", never "damaged"
        }
        QCOMPARE(run(-1), 0);
        studio.open();
        const auto& report = studio.library->openReport();
        QVERIFY(report.damagedSetAside.empty());
        QVERIFY(!report.uncleanExit);
        QCOMPARE(studio.count(JobState::Done), 2 * wanted);
        studio.checkClips(static_cast<std::size_t>(2 * wanted));
        QTRY_VERIFY(std::filesystem::is_empty(studio.folder() / "staging"));
        qInfo("the window's thread was late by %lld ms at most", worst);
        QVERIFY2(worst <= kMostMsLate, qPrintable(QString::number(worst)));
    }

    void aWorkerThatHangsIsReplacedAndItsJobGoesOn() {
        Studio studio;
        QSignalSpy progress(studio.queue.get(), &app::JobQueue::progress);
        QSignalSpy lost(studio.worker.get(), &app::WorkerClient::lost);
        studio.add({"first"});
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 2, 10000);
        const auto hung = static_cast<pid_t>(studio.worker->hello()->processId);
        ::kill(hung, SIGSTOP);
        QTRY_COMPARE_WITH_TIMEOUT(lost.count(), 1, 20000);
        QVERIFY2(lost.at(0).at(0).toString().contains("stopped answering"),
                 qPrintable(lost.at(0).at(0).toString()));
        QVERIFY(::kill(hung, 0) != 0 || studio.worker->lastEnding() == app::WorkerClient::Ending::Killed);
        QTRY_COMPARE_WITH_TIMEOUT(studio.count(JobState::Done), 1, 10000);
        studio.checkClips(1);
    }

    void aWorkerThatBabblesIsReplacedAndItsJobGoesOn() {
        Studio studio;
        QSignalSpy lost(studio.worker.get(), &app::WorkerClient::lost);
        studio.add({"babble once"});
        QTRY_COMPARE_WITH_TIMEOUT(studio.count(JobState::Done), 1, 20000);
        QCOMPARE(lost.count(), 1);
        QVERIFY2(lost.at(0).at(0).toString().contains("not understood"), qPrintable(lost.at(0).at(0).toString()));
        studio.checkClips(1);
    }

    void aWorkerOfAnotherVersionPausesTheQueueAndLosesNoJob() {
        Studio studio(QStringLiteral(FW_SCRIPTED_WORKER), {QStringLiteral("other-version")});
        QSignalSpy notices(studio.queue.get(), &app::JobQueue::notice);
        studio.add({"first"});
        QTRY_VERIFY_WITH_TIMEOUT(studio.queue->isPaused(), 30000);
        QVERIFY2(notices.at(0).at(0).toString().contains("another version"),
                 qPrintable(notices.at(0).at(0).toString()));
        QCOMPARE(studio.count(JobState::Queued), 1);
    }

    void aFullDiskUnderTheDatabaseHoldsTheQueueUntilThereIsRoom() {
        Studio studio;
        QSignalSpy notices(studio.queue.get(), &app::JobQueue::notice);
        QSignalSpy progress(studio.queue.get(), &app::JobQueue::progress);
        const test::LatencyWatch watch;
        studio.add({"first", "second"});
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 2, 10000);
        // No file of this process may grow any more: what SQLite sees is a disk without room.
        rlimit before{};
        QCOMPARE(::getrlimit(RLIMIT_FSIZE, &before), 0);
        const rlimit full{1, before.rlim_max};
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &full), 0);
        const bool told = QTest::qWaitFor([&] { return notices.count() > 0; }, 10000);
        QTest::qWait(100);
        const bool paused = studio.queue->isPaused();
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
        QVERIFY(told);
        if (paused) {
            studio.queue->setPaused(false);
        }
        QTRY_COMPARE_WITH_TIMEOUT(studio.count(JobState::Done), 2, 15000);
        studio.checkClips(2);
        QVERIFY2(watch.worst() <= kMostMsLate, qPrintable(QString::number(watch.worst())));
    }

    void aLibraryThatMayNotBeWrittenHoldsTheQueueUntilItMay() {
        Studio studio;
        QSignalSpy notices(studio.queue.get(), &app::JobQueue::notice);
        QSignalSpy progress(studio.queue.get(), &app::JobQueue::progress);
        const uid_t root = geteuid();
        const auto nobody = uid_t{65534};
        if (root == 0) {
            // Permissions mean nothing to root: go on as somebody they do.
            studio.giveTo(nobody);
            QCOMPARE(seteuid(nobody), 0);
        }
        studio.add({"first", "second"});
        const bool begun = QTest::qWaitFor([&] { return progress.count() > 2; }, 10000);
        std::filesystem::permissions(studio.folder(), std::filesystem::perms(0555));
        const bool told = QTest::qWaitFor([&] { return notices.count() > 0; }, 15000);
        const int done = studio.count(JobState::Done);
        std::filesystem::permissions(studio.folder(), std::filesystem::perms(0755));
        const bool all = QTest::qWaitFor(
            [&] {
                if (studio.queue->isPaused()) {
                    studio.queue->setPaused(false);
                }
                return studio.count(JobState::Done) == 2;
            },
            15000);
        QCOMPARE(seteuid(root), 0);
        QVERIFY(begun);
        QVERIFY(told);
        QVERIFY2(notices.at(0).at(0).toString().contains("ermission denied"),
                 qPrintable(notices.at(0).at(0).toString()));
        QVERIFY(done < 2);
        QVERIFY(all);
        studio.checkClips(2);
    }
};

QTEST_GUILESS_MAIN(EnduranceTest)
#include "endurance_test.moc"
