// The queue, the library and a worker process together, through crashes and impatient users.
#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <fstream>
#include <sstream>
#include <utility>

#include "studio.h"

using namespace fw;
using fw::app::JobQueue;
using fw::app::LibraryService;

class JobQueueTest : public QObject {
    Q_OBJECT

 private:
    std::unique_ptr<test::Studio> m_studio;

    // A paused queue with one waiting job: its id.
    std::int64_t addWaiting(const std::string& prompt) {
        m_studio->queue->setPaused(true);
        m_studio->add({prompt});
        return m_studio->jobs().front().id;
    }

 private slots:
    void init() { m_studio = std::make_unique<test::Studio>(); }
    void cleanup() { m_studio.reset(); }

    void runsJobsInOrderWithProgressAndPreviews() {
        QSignalSpy previews(m_studio->queue.get(), &JobQueue::preview);
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        m_studio->add({"first", "second", "third"});
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 3, 10000);
        m_studio->checkClips(3);
        QCOMPARE(m_studio->clips().front().prompt, std::string("first"));
        QVERIFY(previews.count() >= 10);
        QVERIFY(progress.count() >= 30);
        QVERIFY(std::filesystem::is_empty(m_studio->folder() / "staging"));
    }

    void pausingLetsTheRunningJobFinishAndStartsNoOther() {
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        m_studio->add({"slow first", "slow second"});
        QVERIFY(progress.wait(5000));
        m_studio->queue->setPaused(true);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
        QTest::qWait(150);
        QCOMPARE(m_studio->count(store::JobState::Queued), 1);
        m_studio->queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 2, 5000);
    }

    void cancelsTheRunningAndTheWaiting() {
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        m_studio->add({"slow first", "slow second", "slow third"});
        QVERIFY(progress.wait(5000));
        const auto all = m_studio->jobs();
        QElapsedTimer clock;
        clock.start();
        m_studio->queue->cancel(m_studio->queue->runningJob(), false);
        for (const auto& job : all) {
            if (job.state == store::JobState::Queued && job.requestJson.find("third") != std::string::npos) {
                m_studio->queue->cancel(job.id, false);
            }
        }
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Cancelled), 2, 5000);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
        m_studio->checkClips(1);
    }

    void stopAndKeepMakesAClipOfWhatThereIs() {
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        m_studio->add({"slow first"});
        QVERIFY(progress.wait(5000));
        m_studio->queue->cancel(m_studio->queue->runningJob(), true);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
        const std::string made = m_studio->contents(m_studio->clips().front().file);
        QVERIFY2(made.size() < std::string("abcdefghij slow first").size(), made.c_str());
    }

    // --- cancelling and pausing at awkward moments

    void aJobCancelledWhileItIsTakenNeverRuns() {
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->worker->state(), app::WorkerClient::State::Ready, 10000);
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        const std::int64_t id = addWaiting("first");
        m_studio->queue->setPaused(false);  // the row is on its way to be taken
        m_studio->queue->cancel(id, false);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Cancelled), 1, 5000);
        QCOMPARE(progress.count(), 0);
        QCOMPARE(m_studio->queue->runningJob(), std::int64_t{0});
        m_studio->queue->retry({id});  // the cancellation is forgotten with the job's end
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
    }

    void pausingWhileAJobIsTakenLetsItWait() {
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->worker->state(), app::WorkerClient::State::Ready, 10000);
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        addWaiting("first");
        m_studio->queue->setPaused(false);
        m_studio->queue->setPaused(true);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Queued), 1, 5000);
        QCOMPARE(m_studio->queue->runningJob(), std::int64_t{0});
        QCOMPARE(progress.count(), 0);
        m_studio->queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
    }

    void aJobCancelledBetweenTwoWorkersStaysCancelled() {
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        m_studio->add({"slow first"});
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 2, 5000);
        const std::int64_t id = m_studio->queue->runningJob();
        QSignalSpy lost(m_studio->worker.get(), &app::WorkerClient::lost);
        connect(m_studio->worker.get(), &app::WorkerClient::lost, m_studio->queue.get(),
                [&] { m_studio->queue->cancel(id, false); });
        ::kill(static_cast<pid_t>(m_studio->worker->hello()->processId), SIGKILL);
        QTRY_COMPARE_WITH_TIMEOUT(lost.count(), 1, 5000);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Cancelled), 1, 5000);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->worker->state(), app::WorkerClient::State::Ready, 5000);
        QCOMPARE(m_studio->count(store::JobState::Cancelled), 1);
        QVERIFY(std::filesystem::is_empty(m_studio->folder() / "staging"));
    }

    void aWorkerThatDiesOfTheCancelCancelsTheJob() {
        for (const bool keepEstimate : {false, true}) {
            // At once, not when a waiting loop looks: a job takes less time than that.
            bool cancelled = false;
            const QObject context;
            connect(m_studio->queue.get(), &JobQueue::progress, &context, [&] {
                if (!std::exchange(cancelled, true)) {
                    m_studio->queue->cancel(m_studio->queue->runningJob(), keepEstimate);
                }
            });
            m_studio->add({"slow to die of the first cancel"});
            QTRY_COMPARE_WITH_TIMEOUT(
                m_studio->count(keepEstimate ? store::JobState::Done : store::JobState::Cancelled), 1, 10000);
        }
        const std::string made = m_studio->contents(m_studio->clips().front().file);
        QVERIFY2(made.size() < std::string("abcdefghij slow to die of the first cancel").size(), made.c_str());
    }

    // --- a library that does not take what is made

    void aClipThatCannotBeStoredWaitsUntilItCan() {
        std::ofstream(m_studio->folder() / "clips") << "a file where a folder should be";
        QSignalSpy notices(m_studio->queue.get(), &JobQueue::notice);
        m_studio->add({"first", "second"});
        QTRY_COMPARE_WITH_TIMEOUT(notices.count(), 1, 10000);
        QVERIFY2(notices.at(0).at(0).toString().contains("clips"), qPrintable(notices.at(0).at(0).toString()));
        QTest::qWait(50);
        QCOMPARE(m_studio->count(store::JobState::Running), 1);
        QVERIFY(m_studio->clips().empty());
        std::filesystem::remove(m_studio->folder() / "clips");
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 2, 15000);
        QCOMPARE(notices.count(), 1);
        m_studio->checkClips(2);
    }

    void aClipThatCannotBeStoredCanBeCancelled() {
        std::ofstream(m_studio->folder() / "clips") << "a file where a folder should be";
        QSignalSpy notices(m_studio->queue.get(), &JobQueue::notice);
        m_studio->add({"first"});
        QTRY_COMPARE_WITH_TIMEOUT(notices.count(), 1, 10000);
        m_studio->queue->cancel(m_studio->queue->runningJob(), false);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Cancelled), 1, 5000);
        QVERIFY(std::filesystem::is_empty(m_studio->folder() / "staging"));
    }

    void aLibraryThatIsAwayGetsItsClipWhenItIsBack() {
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        QSignalSpy notices(m_studio->queue.get(), &JobQueue::notice);
        m_studio->add({"slow first", "slow second"});
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 2, 5000);
        // Only the database: the scripted worker goes on writing, as the engine does into a folder that was moved.
        std::filesystem::rename(m_studio->folder() / "library.sqlite3", m_studio->folder() / "elsewhere.sqlite3");
        QTRY_COMPARE_WITH_TIMEOUT(notices.count(), 1, 10000);
        QVERIFY2(notices.at(0).at(0).toString().contains("no longer where it was"),
                 qPrintable(notices.at(0).at(0).toString()));
        std::filesystem::rename(m_studio->folder() / "elsewhere.sqlite3", m_studio->folder() / "library.sqlite3");
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 2, 15000);
        m_studio->checkClips(2);
    }

    void anotherClipOfThatNameIsNotReplaced() {
        m_studio->queue->setPaused(true);
        m_studio->add({"first"});
        const auto job = m_studio->jobs().front();
        const std::string taken = app::clipPath(job.createdUs, "first", job.id);
        std::filesystem::create_directories((m_studio->folder() / taken).parent_path());
        std::ofstream(m_studio->folder() / taken) << "of a library whose database was lost";
        m_studio->queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
        QCOMPARE(m_studio->contents(taken), std::string("of a library whose database was lost"));
        const auto clips = m_studio->clips();
        QCOMPARE(clips.size(), std::size_t{1});
        QCOMPARE(m_studio->contents(clips.front().file), std::string("abcdefghij first"));
    }

    // --- a worker that is not to be trusted

    void filesThatAreNotTheWorkersOwnAreRefused() {
        const std::filesystem::path precious = m_studio->folder() / "precious.txt";
        std::ofstream(precious) << "precious";
        std::vector<job::GenerationRequest> requests;
        for (const char* prompt : {"clip elsewhere", "clip above", "clip is a link"}) {
            job::GenerationRequest request;
            request.prompt = prompt;
            request.negativePrompt = precious.string();
            requests.push_back(request);
        }
        m_studio->queue->add(requests, 1);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Failed), 3, 10000);
        QVERIFY(m_studio->clips().empty());
        QCOMPARE(m_studio->contents("precious.txt"), std::string("precious"));
        for (const auto& job : m_studio->jobs()) {
            QVERIFY2(job.errorMessage.find("no file of its own") != std::string::npos, job.errorMessage.c_str());
        }
        m_studio->add({"checkpoint elsewhere"});
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 10000);
        for (const auto& job : m_studio->jobs()) {
            QVERIFY(job.checkpointFile.find("hostname") == std::string::npos);
        }
    }

    // --- one library, one studio

    void aSecondStudioOnTheSameLibraryIsToldSo() {
        const auto second = LibraryService::open(m_studio->folder());
        QVERIFY(!second);
        QCOMPARE(second.error().code, ErrorCode::InUse);
        QVERIFY2(
            second.error().message.find(std::to_string(QCoreApplication::applicationPid())) != std::string::npos,
            second.error().message.c_str());
        m_studio->close();
        QVERIFY(LibraryService::open(m_studio->folder()));
        m_studio->open();
    }

    void foldersOfJobsThatAreGoneAreSwept() {
        m_studio->add({"first"});
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
        m_studio->queue->setPaused(true);
        m_studio->add({"second"});
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Queued), 1, 5000);
        std::int64_t done = 0;
        std::int64_t waiting = 0;
        for (const auto& job : m_studio->jobs()) {
            (job.state == store::JobState::Done ? done : waiting) = job.id;
        }
        m_studio->close();
        for (const std::string& name :
             {std::to_string(done), std::to_string(waiting), std::string("4711"), std::string("not a number")}) {
            std::filesystem::create_directories(m_studio->folder() / "staging" / name);
        }
        m_studio->open();
        QTRY_VERIFY_WITH_TIMEOUT(!std::filesystem::exists(m_studio->folder() / "staging" / "4711"), 5000);
        QTRY_VERIFY_WITH_TIMEOUT(!std::filesystem::exists(m_studio->folder() / "staging" / std::to_string(done)),
                                 5000);
        QVERIFY(std::filesystem::exists(m_studio->folder() / "staging" / "not a number"));
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 2, 5000);
    }

    void aFailedDecodeIsRepeatedFromTheFinishedLatents() {
        QSignalSpy failed(m_studio->queue.get(), &JobQueue::jobFailed);
        m_studio->add({"fail to decode once"});
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 5000);
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        m_studio->queue->retry({failed.at(0).at(0).toLongLong()});
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
        QCOMPARE(progress.count(), 0);  // not one step was sampled again
        m_studio->checkClips(1);
    }

    void aFailureKeepsItsReasonAndCanBeRetried() {
        QSignalSpy failed(m_studio->queue.get(), &JobQueue::jobFailed);
        m_studio->add({"fail", "after"});
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 5000);
        QCOMPARE(failed.count(), 1);
        QCOMPARE(failed.at(0).at(2).toString(), QStringLiteral("asked 3 GiB, 1 GiB free"));
        m_studio->queue->retry({failed.at(0).at(0).toLongLong()});
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 2, 5000);
    }

    void aJobThatKillsTwoWorkersFailsAndTheNextOneRuns() {
        m_studio->add({"crash at 4", "after"});
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 1, 15000);
        QCOMPARE(m_studio->count(store::JobState::Failed), 1);
        m_studio->checkClips(1);
    }

    void killingTheWorkerAtRandomMomentsLosesNothing() {
        std::vector<std::string> prompts;
        for (int i = 0; i < 30; ++i) {
            prompts.push_back("prompt " + std::to_string(i));
        }
        m_studio->add(prompts);
        int kills = 0;
        QElapsedTimer clock;
        clock.start();
        while (m_studio->count(store::JobState::Done) + m_studio->count(store::JobState::Failed) < 30 &&
               clock.elapsed() < 60000) {
            QTest::qWait(static_cast<int>(QRandomGenerator::global()->bounded(120)));
            const auto& hello = m_studio->queue->worker().hello();
            if (hello && m_studio->queue->worker().state() == app::WorkerClient::State::Ready && kills < 50) {
                ::kill(static_cast<pid_t>(hello->processId), SIGKILL);
                ++kills;
            }
        }
        QVERIFY2(kills >= 20, qPrintable(QString::number(kills)));
        // A job may be hit twice: then it is Failed, says so, and runs when retried.
        std::vector<std::int64_t> unlucky;
        for (const auto& job : m_studio->jobs()) {
            if (job.state == store::JobState::Failed) {
                QCOMPARE(job.errorCode, std::string("device_lost"));
                unlucky.push_back(job.id);
            }
        }
        m_studio->queue->retry(unlucky);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 30, 30000);
        m_studio->checkClips(30);
    }

    void afterACrashOfTheStudioTheQueueIsPausedAndGoesOnWhenAsked() {
        QSignalSpy progress(m_studio->queue.get(), &JobQueue::progress);
        m_studio->add({"slow first", "slow second"});
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() >= 4, 5000);
        // What a crash leaves: the database as it is, and no clean exit.
        const QTemporaryDir copy;
        const auto replace =
            std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing;
        std::filesystem::copy(m_studio->folder(), copy.path().toStdString(), replace);
        m_studio->close();
        std::filesystem::remove_all(m_studio->folder());
        std::filesystem::copy(copy.path().toStdString(), m_studio->folder(), replace);
        m_studio->open();
        QVERIFY(m_studio->queue->isPaused());
        QCOMPARE(m_studio->library->openReport().interruptedJobs, 1);
        QTest::qWait(200);
        QCOMPARE(m_studio->count(store::JobState::Done), 0);
        m_studio->queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(m_studio->count(store::JobState::Done), 2, 10000);
        m_studio->checkClips(2);
    }

    void fileNamesAreSafeForAnyPrompt() {
        QCOMPARE(app::clipPath(0, "A red Fox!! runs/../../etc", 7),
                 std::string("clips/1970-01/1970-01-01 a-red-fox-runs-etc 7.mp4"));
        for (const std::string prompt :
             {"", "///", "\n\"'", "..", "🦊🦊", std::string(500, 'x').c_str(), "狐狸在雪地里跑"}) {
            const std::string path = app::clipPath(0, prompt, 1);
            const std::string name = path.substr(path.rfind('/') + 1);
            QVERIFY2(path.find("..") == std::string::npos, path.c_str());
            QVERIFY2(name.size() < 100, path.c_str());
        }
        QVERIFY(app::clipPath(0, "狐狸", 1).find("狐狸") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(JobQueueTest)
#include "job_queue_test.moc"
