// The queue, the library and a worker process together, through crashes and impatient users.
#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <fstream>
#include <sstream>

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
        QCOMPARE(JobQueue::clipPath(0, "A red Fox!! runs/../../etc", 7),
                 std::string("clips/1970-01/1970-01-01 a-red-fox-runs-etc 7.mp4"));
        for (const std::string prompt :
             {"", "///", "\n\"'", "..", "🦊🦊", std::string(500, 'x').c_str(), "狐狸在雪地里跑"}) {
            const std::string path = JobQueue::clipPath(0, prompt, 1);
            const std::string name = path.substr(path.rfind('/') + 1);
            QVERIFY2(path.find("..") == std::string::npos, path.c_str());
            QVERIFY2(name.size() < 100, path.c_str());
        }
        QVERIFY(JobQueue::clipPath(0, "狐狸", 1).find("狐狸") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(JobQueueTest)
#include "job_queue_test.moc"
