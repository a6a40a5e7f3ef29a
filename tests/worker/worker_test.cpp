// The real engine process under the real queue, with the embedded model at a small size.
#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>

#include "app/library/job_queue.h"
#include "core/media/clip_reader.h"

using namespace fw;
using fw::app::JobQueue;
using fw::app::LibraryService;

class WorkerTest : public QObject {
    Q_OBJECT

 private:
    struct Studio {
        QTemporaryDir folder;
        std::unique_ptr<LibraryService> library;
        std::unique_ptr<app::WorkerClient> worker;
        std::unique_ptr<JobQueue> queue;
        std::vector<std::int64_t> clips;

        Studio() {
            library = LibraryService::open(folder.path().toStdString()).value();
            app::WorkerClientOptions options;
            options.program = QStringLiteral(FW_WORKER);
            worker = std::make_unique<app::WorkerClient>(options);
            queue = std::make_unique<JobQueue>(*library, *worker);
            QObject::connect(queue.get(), &JobQueue::clipAdded, queue.get(),
                             [this](std::int64_t clip) { clips.push_back(clip); });
            queue->start();
        }
        ~Studio() {
            queue.reset();
            worker.reset();
            library.reset();
        }
        store::Clip clip(std::int64_t id) {
            std::optional<Result<store::Clip>> answer;
            library->write(
                queue.get(), [id](store::LibraryStore& s) { return s.clip(id); },
                [&](Result<store::Clip> clip) { answer = std::move(clip); });
            while (!answer) {
                QTest::qWait(1);
            }
            return **answer;
        }
        // Every pixel of a finished clip.
        std::vector<std::uint8_t> pixels(std::int64_t id) {
            std::vector<std::uint8_t> all;
            const auto status =
                media::readClipFrames(std::filesystem::path(folder.path().toStdString()) / clip(id).file,
                                      [&](const ConstTensorView& frame) -> Status {
                                          const auto* data = static_cast<const std::uint8_t*>(frame.data());
                                          all.insert(all.end(), data, data + frame.count());
                                          return {};
                                      });
            return status ? all : std::vector<std::uint8_t>{};
        }
    };

    static job::GenerationRequest request(int steps) {
        job::GenerationRequest request;
        request.prompt = "a red car drives to the right on a road";
        request.width = request.height = 128;
        request.frames = 9;
        request.steps = steps;
        request.seed = 7;
        request.threads = 1;
        return request;
    }

 private slots:
    void aClipKilledHalfwayIsTheClipThatWasNeverKilled() {
        Studio calm;
        QSignalSpy previews(calm.queue.get(), &JobQueue::preview);
        calm.queue->add({request(6)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(calm.clips.size(), 1U, 120000);
        QVERIFY(previews.count() >= 3);
        const store::Clip made = calm.clip(calm.clips[0]);
        QCOMPARE(made.steps, 6);
        QCOMPARE(made.model, std::string("mini"));
        QCOMPARE(made.sha256.size(), 64U);
        QVERIFY(!made.thumbnailFile.empty());
        QVERIFY(!made.traceFile.empty());
        const auto expected = calm.pixels(calm.clips[0]);
        QCOMPARE(expected.size(), std::size_t{9 * 128 * 128 * 3});

        Studio rough;
        int killedAt = 0;
        connect(rough.queue.get(), &JobQueue::progress, rough.queue.get(), [&](const ipc::Progress& progress) {
            if (killedAt == 0 && progress.phase == "denoise" && progress.step == 3) {
                killedAt = progress.step;
                ::kill(static_cast<pid_t>(rough.queue->worker().hello()->processId), SIGKILL);
            }
        });
        rough.queue->add({request(6)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(rough.clips.size(), 1U, 120000);
        QCOMPARE(killedAt, 3);
        const store::Clip resumed = rough.clip(rough.clips[0]);
        QVERIFY2(resumed.reportJson.find("\"resumed_steps\":3") != std::string::npos, resumed.reportJson.c_str());
        QVERIFY(rough.pixels(rough.clips[0]) == expected);
    }

    void cancelReachesTheEngineWithinASecond() {
        Studio studio;
        QSignalSpy progress(studio.queue.get(), &JobQueue::progress);
        studio.queue->add({request(200)}, 1);
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 5, 60000);
        QElapsedTimer clock;
        clock.start();
        studio.queue->cancel(studio.queue->runningJob(), false);
        QTRY_COMPARE_WITH_TIMEOUT(studio.queue->runningJob(), std::int64_t{0}, 20000);
        qInfo("from click to idle: %lld ms", clock.elapsed());
        QVERIFY(studio.clips.empty());
    }

    void stopAndKeepDecodesWhatThereIs() {
        Studio studio;
        QSignalSpy progress(studio.queue.get(), &JobQueue::progress);
        studio.queue->add({request(100)}, 1);
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 8, 60000);
        studio.queue->cancel(studio.queue->runningJob(), true);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 60000);
        QCOMPARE(studio.pixels(studio.clips[0]).size(), std::size_t{9 * 128 * 128 * 3});
    }

    void aBadRequestFailsWithTheEnginesSentence() {
        Studio studio;
        QSignalSpy failed(studio.queue.get(), &JobQueue::jobFailed);
        job::GenerationRequest bad = request(4);
        bad.width = 129;
        studio.queue->add({bad}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 30000);
        QVERIFY2(failed.at(0).at(2).toString().contains("129"), qPrintable(failed.at(0).at(2).toString()));
    }
};

QTEST_GUILESS_MAIN(WorkerTest)
#include "worker_test.moc"
