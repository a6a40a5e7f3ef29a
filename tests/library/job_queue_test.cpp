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

#include "app/library/job_queue.h"

using namespace fw;
using fw::app::JobQueue;
using fw::app::LibraryService;

class JobQueueTest : public QObject {
    Q_OBJECT

 private:
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<LibraryService> m_library;
    std::unique_ptr<app::WorkerClient> m_worker;
    std::unique_ptr<JobQueue> m_queue;

    [[nodiscard]] std::filesystem::path folder() const { return m_folder->path().toStdString(); }

    void openStudio() {
        auto library = LibraryService::open(folder());
        QVERIFY2(library, library ? "" : library.error().message.c_str());
        m_library = std::move(*library);
        app::WorkerClientOptions options;
        options.program = QStringLiteral(FW_CLIP_WORKER);
        options.heartbeat = std::chrono::milliseconds(200);
        m_worker = std::make_unique<app::WorkerClient>(options);
        m_queue = std::make_unique<JobQueue>(*m_library, *m_worker);
        m_queue->start();
    }
    void closeStudio() {
        m_queue.reset();
        m_worker.reset();
        m_library.reset();
    }
    void add(const std::vector<std::string>& prompts) {
        std::vector<job::GenerationRequest> requests;
        for (const auto& prompt : prompts) {
            job::GenerationRequest request;
            request.prompt = prompt;
            requests.push_back(request);
        }
        m_queue->add(requests, 1);
    }
    template <class Work>
    auto ask(Work work) {
        using Answer = decltype(work(std::declval<store::LibraryStore&>()));
        std::optional<Answer> answer;
        m_library->write(this, work, [&](Answer result) { answer = std::move(result); });
        while (!answer) {
            QTest::qWait(1);
        }
        return **answer;
    }
    std::vector<store::Job> jobs() {
        using store::JobState;
        return ask([](store::LibraryStore& s) {
            return s.jobs({JobState::Queued, JobState::Running, JobState::Interrupted, JobState::Done,
                           JobState::Failed, JobState::Cancelled},
                          -1);
        });
    }
    std::vector<store::Clip> clips() {
        return ask([](store::LibraryStore& s) {
            return s.clips({"", store::ClipOrder::Oldest, 0, false}, 0, 1000);
        });
    }
    int count(store::JobState state) {
        int result = 0;
        for (const auto& job : jobs()) {
            result += job.state == state ? 1 : 0;
        }
        return result;
    }
    std::string contents(const std::string& relative) const {
        std::ifstream stream(folder() / relative);
        std::ostringstream text;
        text << stream.rdbuf();
        return text.str();
    }
    // Every clip is whole and belongs to its prompt; nothing half-made lies about.
    void checkClips(std::size_t expected) {
        const auto all = clips();
        QCOMPARE(all.size(), expected);
        for (const auto& clip : all) {
            QCOMPARE(contents(clip.file), "abcdefghij " + clip.prompt);
        }
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) {
            QVERIFY2(entry.path().extension() != ".part", entry.path().c_str());
        }
    }

    // A paused queue with one waiting job: its id.
    std::int64_t addWaiting(const std::string& prompt) {
        m_queue->setPaused(true);
        add({prompt});
        return jobs().front().id;
    }

 private slots:
    void init() {
        m_folder = std::make_unique<QTemporaryDir>();
        openStudio();
    }
    void cleanup() { closeStudio(); }

    void runsJobsInOrderWithProgressAndPreviews() {
        QSignalSpy previews(m_queue.get(), &JobQueue::preview);
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        add({"first", "second", "third"});
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 3, 10000);
        checkClips(3);
        QCOMPARE(clips().front().prompt, std::string("first"));
        QVERIFY(previews.count() >= 10);
        QVERIFY(progress.count() >= 30);
        QVERIFY(std::filesystem::is_empty(folder() / "staging"));
    }

    void pausingLetsTheRunningJobFinishAndStartsNoOther() {
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        add({"first", "second"});
        QVERIFY(progress.wait(5000));
        m_queue->setPaused(true);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
        QTest::qWait(150);
        QCOMPARE(count(store::JobState::Queued), 1);
        m_queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 2, 5000);
    }

    void cancelsTheRunningAndTheWaiting() {
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        add({"first", "second", "third"});
        QVERIFY(progress.wait(5000));
        const auto all = jobs();
        QElapsedTimer clock;
        clock.start();
        m_queue->cancel(m_queue->runningJob(), false);
        for (const auto& job : all) {
            if (job.state == store::JobState::Queued && job.requestJson.find("third") != std::string::npos) {
                m_queue->cancel(job.id, false);
            }
        }
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Cancelled), 2, 1000);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
        checkClips(1);
    }

    void stopAndKeepMakesAClipOfWhatThereIs() {
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        add({"first"});
        QVERIFY(progress.wait(5000));
        m_queue->cancel(m_queue->runningJob(), true);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
        const std::string made = contents(clips().front().file);
        QVERIFY2(made.size() < std::string("abcdefghij first").size(), made.c_str());
    }

    // --- cancelling and pausing at awkward moments

    void aJobCancelledWhileItIsTakenNeverRuns() {
        QTRY_COMPARE_WITH_TIMEOUT(m_worker->state(), app::WorkerClient::State::Ready, 10000);
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        const std::int64_t id = addWaiting("first");
        m_queue->setPaused(false);  // the row is on its way to be taken
        m_queue->cancel(id, false);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Cancelled), 1, 5000);
        QCOMPARE(progress.count(), 0);
        QCOMPARE(m_queue->runningJob(), std::int64_t{0});
        m_queue->retry({id});  // the cancellation is forgotten with the job's end
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
    }

    void pausingWhileAJobIsTakenLetsItWait() {
        QTRY_COMPARE_WITH_TIMEOUT(m_worker->state(), app::WorkerClient::State::Ready, 10000);
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        addWaiting("first");
        m_queue->setPaused(false);
        m_queue->setPaused(true);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Queued), 1, 5000);
        QCOMPARE(m_queue->runningJob(), std::int64_t{0});
        QCOMPARE(progress.count(), 0);
        m_queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
    }

    void aJobCancelledBetweenTwoWorkersStaysCancelled() {
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        add({"first"});
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 2, 5000);
        const std::int64_t id = m_queue->runningJob();
        QSignalSpy lost(m_worker.get(), &app::WorkerClient::lost);
        connect(m_worker.get(), &app::WorkerClient::lost, m_queue.get(), [&] { m_queue->cancel(id, false); });
        ::kill(static_cast<pid_t>(m_worker->hello()->processId), SIGKILL);
        QTRY_COMPARE_WITH_TIMEOUT(lost.count(), 1, 5000);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Cancelled), 1, 5000);
        QTRY_COMPARE_WITH_TIMEOUT(m_worker->state(), app::WorkerClient::State::Ready, 5000);
        QCOMPARE(count(store::JobState::Cancelled), 1);
        QVERIFY(std::filesystem::is_empty(folder() / "staging"));
    }

    void aWorkerThatDiesOfTheCancelCancelsTheJob() {
        for (const bool keepEstimate : {false, true}) {
            // At once, not when a waiting loop looks: a job takes less time than that.
            bool cancelled = false;
            const QObject context;
            connect(m_queue.get(), &JobQueue::progress, &context, [&] {
                if (!std::exchange(cancelled, true)) {
                    m_queue->cancel(m_queue->runningJob(), keepEstimate);
                }
            });
            add({"die of the first cancel"});
            QTRY_COMPARE_WITH_TIMEOUT(count(keepEstimate ? store::JobState::Done : store::JobState::Cancelled), 1,
                                      10000);
        }
        const std::string made = contents(clips().front().file);
        QVERIFY2(made.size() < std::string("abcdefghij die of the first cancel").size(), made.c_str());
    }

    // --- a library that does not take what is made

    void aClipThatCannotBeStoredWaitsUntilItCan() {
        std::ofstream(folder() / "clips") << "a file where a folder should be";
        QSignalSpy notices(m_queue.get(), &JobQueue::notice);
        add({"first", "second"});
        QTRY_COMPARE_WITH_TIMEOUT(notices.count(), 1, 10000);
        QVERIFY2(notices.at(0).at(0).toString().contains("clips"), qPrintable(notices.at(0).at(0).toString()));
        QTest::qWait(50);
        QCOMPARE(count(store::JobState::Running), 1);
        QVERIFY(clips().empty());
        std::filesystem::remove(folder() / "clips");
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 2, 15000);
        QCOMPARE(notices.count(), 1);
        checkClips(2);
    }

    void aClipThatCannotBeStoredCanBeCancelled() {
        std::ofstream(folder() / "clips") << "a file where a folder should be";
        QSignalSpy notices(m_queue.get(), &JobQueue::notice);
        add({"first"});
        QTRY_COMPARE_WITH_TIMEOUT(notices.count(), 1, 10000);
        m_queue->cancel(m_queue->runningJob(), false);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Cancelled), 1, 5000);
        QVERIFY(std::filesystem::is_empty(folder() / "staging"));
    }

    void aLibraryThatIsAwayGetsItsClipWhenItIsBack() {
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        QSignalSpy notices(m_queue.get(), &JobQueue::notice);
        add({"first", "second"});
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 2, 5000);
        // Only the database: the scripted worker goes on writing, as the engine does into a folder that was moved.
        std::filesystem::rename(folder() / "library.sqlite3", folder() / "elsewhere.sqlite3");
        QTRY_COMPARE_WITH_TIMEOUT(notices.count(), 1, 10000);
        QVERIFY2(notices.at(0).at(0).toString().contains("no longer where it was"),
                 qPrintable(notices.at(0).at(0).toString()));
        std::filesystem::rename(folder() / "elsewhere.sqlite3", folder() / "library.sqlite3");
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 2, 15000);
        checkClips(2);
    }

    void anotherClipOfThatNameIsNotReplaced() {
        m_queue->setPaused(true);
        add({"first"});
        const auto job = jobs().front();
        const std::string taken = app::clipPath(job.createdUs, "first", job.id);
        std::filesystem::create_directories((folder() / taken).parent_path());
        std::ofstream(folder() / taken) << "of a library whose database was lost";
        m_queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
        QCOMPARE(contents(taken), std::string("of a library whose database was lost"));
        checkClips(1);
    }

    // --- a worker that is not to be trusted

    void filesThatAreNotTheWorkersOwnAreRefused() {
        const std::filesystem::path precious = folder() / "precious.txt";
        std::ofstream(precious) << "precious";
        std::vector<job::GenerationRequest> requests;
        for (const char* prompt : {"clip elsewhere", "clip above", "clip is a link"}) {
            job::GenerationRequest request;
            request.prompt = prompt;
            request.negativePrompt = precious.string();
            requests.push_back(request);
        }
        m_queue->add(requests, 1);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Failed), 3, 10000);
        QVERIFY(clips().empty());
        QCOMPARE(contents("precious.txt"), std::string("precious"));
        for (const auto& job : jobs()) {
            QVERIFY2(job.errorMessage.find("no file of its own") != std::string::npos, job.errorMessage.c_str());
        }
        add({"checkpoint elsewhere"});
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 10000);
        for (const auto& job : jobs()) {
            QVERIFY(job.checkpointFile.find("hostname") == std::string::npos);
        }
    }

    // --- one library, one studio

    void aSecondStudioOnTheSameLibraryIsToldSo() {
        const auto second = LibraryService::open(folder());
        QVERIFY(!second);
        QCOMPARE(second.error().code, ErrorCode::InUse);
        QVERIFY2(
            second.error().message.find(std::to_string(QCoreApplication::applicationPid())) != std::string::npos,
            second.error().message.c_str());
        closeStudio();
        QVERIFY(LibraryService::open(folder()));
        openStudio();
    }

    void foldersOfJobsThatAreGoneAreSwept() {
        add({"first"});
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
        m_queue->setPaused(true);
        add({"second"});
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Queued), 1, 5000);
        std::int64_t done = 0;
        std::int64_t waiting = 0;
        for (const auto& job : jobs()) {
            (job.state == store::JobState::Done ? done : waiting) = job.id;
        }
        closeStudio();
        for (const std::string& name :
             {std::to_string(done), std::to_string(waiting), std::string("4711"), std::string("not a number")}) {
            std::filesystem::create_directories(folder() / "staging" / name);
        }
        openStudio();
        QTRY_VERIFY_WITH_TIMEOUT(!std::filesystem::exists(folder() / "staging" / "4711"), 5000);
        QVERIFY(!std::filesystem::exists(folder() / "staging" / std::to_string(done)));
        QVERIFY(std::filesystem::exists(folder() / "staging" / "not a number"));
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 2, 5000);
    }

    void aFailedDecodeIsRepeatedFromTheFinishedLatents() {
        QSignalSpy failed(m_queue.get(), &JobQueue::jobFailed);
        add({"fail to decode once"});
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 5000);
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        m_queue->retry({failed.at(0).at(0).toLongLong()});
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
        QCOMPARE(progress.count(), 0);  // not one step was sampled again
        checkClips(1);
    }

    void aFailureKeepsItsReasonAndCanBeRetried() {
        QSignalSpy failed(m_queue.get(), &JobQueue::jobFailed);
        add({"fail", "after"});
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 5000);
        QCOMPARE(failed.count(), 1);
        QCOMPARE(failed.at(0).at(2).toString(), QStringLiteral("asked 3 GiB, 1 GiB free"));
        m_queue->retry({failed.at(0).at(0).toLongLong()});
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 2, 5000);
    }

    void aJobThatKillsTwoWorkersFailsAndTheNextOneRuns() {
        add({"crash at 4", "after"});
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 1, 15000);
        QCOMPARE(count(store::JobState::Failed), 1);
        checkClips(1);
    }

    void killingTheWorkerAtRandomMomentsLosesNothing() {
        std::vector<std::string> prompts;
        for (int i = 0; i < 30; ++i) {
            prompts.push_back("prompt " + std::to_string(i));
        }
        add(prompts);
        int kills = 0;
        QElapsedTimer clock;
        clock.start();
        while (count(store::JobState::Done) + count(store::JobState::Failed) < 30 && clock.elapsed() < 60000) {
            QTest::qWait(static_cast<int>(QRandomGenerator::global()->bounded(120)));
            const auto& hello = m_queue->worker().hello();
            if (hello && m_queue->worker().state() == app::WorkerClient::State::Ready && kills < 50) {
                ::kill(static_cast<pid_t>(hello->processId), SIGKILL);
                ++kills;
            }
        }
        QVERIFY2(kills >= 20, qPrintable(QString::number(kills)));
        // A job may be hit twice: then it is Failed, says so, and runs when retried.
        std::vector<std::int64_t> unlucky;
        for (const auto& job : jobs()) {
            if (job.state == store::JobState::Failed) {
                QCOMPARE(job.errorCode, std::string("device_lost"));
                unlucky.push_back(job.id);
            }
        }
        m_queue->retry(unlucky);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 30, 30000);
        checkClips(30);
    }

    void afterACrashOfTheStudioTheQueueIsPausedAndGoesOnWhenAsked() {
        QSignalSpy progress(m_queue.get(), &JobQueue::progress);
        add({"first", "second"});
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() >= 4, 5000);
        // What a crash leaves: the database as it is, and no clean exit.
        const auto copy = std::make_unique<QTemporaryDir>();
        std::filesystem::copy(
            folder(), copy->path().toStdString(),
            std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
        closeStudio();
        m_folder = std::make_unique<QTemporaryDir>();
        std::filesystem::copy(
            copy->path().toStdString(), folder(),
            std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
        openStudio();
        QVERIFY(m_queue->isPaused());
        QCOMPARE(m_library->openReport().interruptedJobs, 1);
        QTest::qWait(200);
        QCOMPARE(count(store::JobState::Done), 0);
        m_queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(count(store::JobState::Done), 2, 10000);
        checkClips(2);
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
