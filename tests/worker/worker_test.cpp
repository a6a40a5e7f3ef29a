// The real engine process under the real queue, with the embedded model at a small size.
#include <sys/resource.h>

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <fstream>

#include "app/library/job_queue.h"
#include "core/media/clip_reader.h"
#include "core/trace/trace_file.h"

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
        // Jobs that were hit twice.
        std::vector<std::int64_t> unlucky() {
            std::optional<Result<std::vector<store::Job>>> answer;
            library->write(
                queue.get(), [](store::LibraryStore& s) { return s.jobs({store::JobState::Failed}, -1); },
                [&](Result<std::vector<store::Job>> jobs) { answer = std::move(jobs); });
            while (!answer) {
                QTest::qWait(1);
            }
            std::vector<std::int64_t> ids;
            for (const auto& job : **answer) {
                ids.push_back(job.id);
            }
            return ids;
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

    // Engines started while it lives find a GPU that computes nothing and obeys what is written into a file.
    class FakeGpu {
     public:
        FakeGpu() {
            qputenv("FW_CUDA_LIBRARY", FW_FAKE_CUDA);
            qputenv("FW_FAKE_CUDA_ORDERS", m_folder.filePath(QStringLiteral("orders")).toLocal8Bit());
        }
        ~FakeGpu() {
            qunsetenv("FW_CUDA_LIBRARY");
            qunsetenv("FW_FAKE_CUDA_ORDERS");
        }
        FakeGpu(const FakeGpu&) = delete;
        FakeGpu& operator=(const FakeGpu&) = delete;
        void order(const char* word) const {
            const QString unfinished = m_folder.filePath(QStringLiteral("unfinished"));
            QFile file(unfinished);
            QVERIFY(file.open(QIODevice::WriteOnly) && file.write(word) > 0);
            file.close();
            QVERIFY(QFile::rename(unfinished, m_folder.filePath(QStringLiteral("orders"))));
        }
        void takeBack() const { QVERIFY(QFile::remove(m_folder.filePath(QStringLiteral("orders")))); }

     private:
        QTemporaryDir m_folder;
    };
    // The order is given once, at this step.
    static void orderAt(Studio& studio, const FakeGpu& gpu, int step, const char* word) {
        connect(studio.queue.get(), &JobQueue::progress, studio.queue.get(),
                [&gpu, step, word, given = false](const ipc::Progress& progress) mutable {
                    if (progress.phase == "denoise" && progress.step >= step && !std::exchange(given, true)) {
                        gpu.order(word);
                    }
                });
    }

    // Files of the engine may grow no larger: a full disk to it, with SIGXFSZ ignored.
    static bool limitFiles(const Studio& studio, rlim_t bytes) {
        const rlimit soft{bytes, RLIM_INFINITY};
        return prlimit(static_cast<pid_t>(studio.worker->hello()->processId), RLIMIT_FSIZE, &soft, nullptr) == 0;
    }

    static job::GenerationRequest gpuRequest(int steps) {
        job::GenerationRequest wanted = request(steps);
        wanted.device = "cuda:0";
        return wanted;
    }

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

    void killedAtRandomMomentsItMakesTheSameClips() {
        Studio studio;
        studio.queue->add({request(4)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 120000);
        const auto expected = studio.pixels(studio.clips[0]);
        QVERIFY(!expected.empty());
        const int asked = qEnvironmentVariableIntValue("FW_KILLS");
        const int wanted = asked > 0 ? asked : 4;
        std::size_t added = 1;
        for (int kills = 0; kills < wanted;) {
            if (studio.clips.size() + 2 > added) {
                studio.queue->add({request(4), request(4)}, 1);
                added += 2;
            }
            QTest::qWait(static_cast<int>(QRandomGenerator::global()->bounded(700)));
            if (studio.worker->state() == app::WorkerClient::State::Ready) {
                ::kill(static_cast<pid_t>(studio.worker->hello()->processId), SIGKILL);
                ++kills;
            }
            studio.queue->setPaused(false);
            studio.queue->retry(studio.unlucky());
        }
        QTRY_VERIFY_WITH_TIMEOUT(
            [&] {
                studio.queue->setPaused(false);
                studio.queue->retry(studio.unlucky());
                return studio.clips.size() == added;
            }(),
            300000);
        for (const std::int64_t clip : studio.clips) {
            QVERIFY(studio.pixels(clip) == expected);
        }
    }

    void cancelEndsEveryPhase() {
        Studio studio;
        for (const std::string phase : {"load", "text", "denoise", "decode", "encode"}) {
            job::GenerationRequest one = request(3);
            one.prompt += " " + phase;  // not in the cache of prompts
            bool seen = false;
            QElapsedTimer clock;
            const auto link = connect(studio.queue.get(), &JobQueue::progress, studio.queue.get(),
                                      [&](const ipc::Progress& progress) {
                                          if (!seen && progress.phase == phase) {
                                              seen = true;
                                              clock.start();
                                              studio.queue->cancel(progress.jobId, false);
                                          }
                                      });
            studio.queue->add({one}, 1);
            QTRY_VERIFY_WITH_TIMEOUT(seen, 60000);
            QTRY_COMPARE_WITH_TIMEOUT(studio.queue->runningJob(), std::int64_t{0}, 20000);
            qInfo("cancelled in phase %s: idle after %lld ms", phase.c_str(), clock.elapsed());
            disconnect(link);
        }
        QVERIFY(studio.clips.size() <= 1U);  // the last phase may be over before the click arrives
    }

    void aDiskThatFillsUpWhileEncodingCostsNoStep() {
        std::signal(SIGXFSZ, SIG_IGN);  // inherited by the engine: a limit on file sizes is a full disk to it
        Studio studio;
        QSignalSpy failed(studio.queue.get(), &JobQueue::jobFailed);
        bool full = false;
        connect(studio.queue.get(), &JobQueue::progress, studio.queue.get(), [&](const ipc::Progress& progress) {
            if (progress.phase == "decode" && !std::exchange(full, true)) {
                QVERIFY(limitFiles(studio, 512));
            }
        });
        studio.queue->add({request(4)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 60000);
        QCOMPARE(failed.at(0).at(1).toString(), QStringLiteral("io"));
        QVERIFY(limitFiles(studio, RLIM_INFINITY));
        studio.queue->retry({failed.at(0).at(0).toLongLong()});
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 60000);
        const store::Clip made = studio.clip(studio.clips[0]);
        QVERIFY2(made.reportJson.find("\"resumed_steps\":4") != std::string::npos, made.reportJson.c_str());
        QCOMPARE(studio.pixels(studio.clips[0]).size(), std::size_t{9 * 128 * 128 * 3});
    }

    void aDamagedCheckpointCostsItsStepsAndNotTheJob() {
        std::signal(SIGXFSZ, SIG_IGN);
        Studio studio;
        QSignalSpy failed(studio.queue.get(), &JobQueue::jobFailed);
        bool full = false;
        connect(studio.queue.get(), &JobQueue::progress, studio.queue.get(), [&](const ipc::Progress& progress) {
            if (progress.phase == "decode" && !std::exchange(full, true)) {
                QVERIFY(limitFiles(studio, 512));
            }
        });
        studio.queue->add({request(4)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 60000);
        QVERIFY(limitFiles(studio, RLIM_INFINITY));
        const auto checkpoint =
            app::traceOf(studio.folder.path().toStdString(), 1).parent_path() / "checkpoint.safetensors";
        std::filesystem::resize_file(checkpoint, std::filesystem::file_size(checkpoint) / 2);
        studio.queue->retry({failed.at(0).at(0).toLongLong()});
        QTRY_VERIFY_WITH_TIMEOUT(studio.clips.size() == 1 || failed.count() > 1, 60000);
        QCOMPARE(studio.clips.size(), 1U);
        QCOMPARE(Json::parse(studio.clip(studio.clips[0]).reportJson).at("resumed_steps").get<int>(), 0);
    }

    // Folders stand where trace, checkpoint and thumbnail belong: the clip is made all the same, and says so.
    void filesBesideTheClipThatCannotBeWrittenCostNoClip() {
        Studio studio;
        std::vector<std::string> warnings;
        connect(studio.worker.get(), &app::WorkerClient::received, studio.queue.get(),
                [&](const ipc::Message& message) {
                    if (const auto* log = std::get_if<ipc::Log>(&message);
                        log != nullptr && log->level == "warning") {
                        warnings.push_back(log->text);
                    }
                });
        const auto trace = app::traceOf(studio.folder.path().toStdString(), 1);
        QVERIFY(studio.unlucky().empty());  // answered behind the start's sweep of folders that belong to no job
        for (const char* name : {"checkpoint.safetensors", "thumbnail.png"}) {
            std::filesystem::create_directories(trace.parent_path() / name / "full");
        }
        connect(studio.queue.get(), &JobQueue::progress, studio.queue.get(), [&](const ipc::Progress& progress) {
            if (progress.phase == "denoise" && progress.step == 1) {  // looked at before the run, written behind it
                std::filesystem::create_directories(trace / "full");
            }
        });
        studio.queue->add({request(40)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 120000);
        const store::Clip made = studio.clip(studio.clips[0]);
        QCOMPARE(studio.pixels(studio.clips[0]).size(), std::size_t{9 * 128 * 128 * 3});
        QVERIFY(made.traceFile.empty() && made.thumbnailFile.empty());
        const Json notes = Json::parse(made.reportJson).at("notes");
        for (const char* missing : {"trace", "thumbnail", "Checkpoints"}) {
            QVERIFY2(notes.dump().find(missing) != std::string::npos, notes.dump().c_str());
        }
        QCOMPARE(warnings.size(), notes.size());
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

    // --- what waits, and how long

    void theQueueKnowsWhatWaitsAndLearnsHowLongItTakes() {
        Studio studio;
        studio.queue->setPaused(true);
        job::GenerationRequest longer = request(12);
        job::GenerationRequest bad = request(4);
        bad.width = 129;
        studio.queue->add({request(4), longer, bad}, 1);
        const auto& clock = studio.queue->clock();
        QTRY_VERIFY_WITH_TIMEOUT(clock.forecastOf(2).has_value(), 20000);
        QVERIFY(clock.forecastOf(1)->flops < clock.forecastOf(2)->flops);
        QVERIFY(clock.forecastOf(1)->peakBytes > 0);
        QVERIFY(!clock.forecastOf(3) && !clock.forecastOf(4711));
        QVERIFY(clock.secondsOf(1) < 0.0);  // nothing was ever made here
        QCOMPARE(clock.speedOf(request(4)), 0.0);
        QVERIFY(clock.secondsLeft() < 0.0);
        studio.queue->setPaused(false);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 60000);
        QTRY_VERIFY_WITH_TIMEOUT(clock.secondsLeft() > 0.0 || studio.clips.size() == 2, 60000);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 2U, 60000);
        QTRY_COMPARE_WITH_TIMEOUT(clock.secondsLeft(), 0.0, 20000);
        QVERIFY(clock.speedOf(request(7)) > 0.0);  // more steps, no other speed
        job::GenerationRequest elsewhere = request(7);
        elsewhere.device = "cuda:0";
        QCOMPARE(clock.speedOf(elsewhere), 0.0);
    }

    void showNowDecodesTheEstimate() {
        Studio studio;
        std::vector<app::PreviewFrames> exact;
        connect(studio.queue.get(), &JobQueue::preview, studio.queue.get(), [&](const app::PreviewFrames& frames) {
            if (frames.exact) {
                exact.push_back(frames);
            }
        });
        QSignalSpy progress(studio.queue.get(), &JobQueue::progress);
        studio.queue->add({request(200)}, 1);
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 5, 60000);
        studio.queue->showNow();
        QTRY_COMPARE_WITH_TIMEOUT(exact.size(), 1U, 30000);
        QCOMPARE(exact[0].frames, 9);
        QCOMPARE(exact[0].width, 128);
        QCOMPARE(exact[0].rgb.size(), std::size_t{9 * 128 * 128 * 3});
        const auto before = progress.count();
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > before + 3, 30000);
        QCOMPARE(exact.size(), 1U);
        studio.queue->cancel(studio.queue->runningJob(), false);
        QTRY_COMPARE_WITH_TIMEOUT(studio.queue->runningJob(), std::int64_t{0}, 20000);
    }

    // Nothing is written before somebody looks; then what there is comes step by step, and probes begin on the way.
    void aRunningJobIsLookedInto() {
        Studio studio;
        QSignalSpy progress(studio.queue.get(), &JobQueue::progress),
            traces(studio.queue.get(), &JobQueue::traceReady);
        studio.queue->add({request(400)}, 1);
        QTRY_VERIFY_WITH_TIMEOUT(progress.count() > 8, 60000);
        const std::int64_t job = studio.queue->runningJob();
        const auto file = app::traceOf(studio.folder.path().toStdString(), job);
        QCOMPARE(traces.count(), 0);
        QVERIFY(!std::filesystem::exists(file));
        studio.queue->lookInside(Json{{"kinds", {"map"}}, {"steps", "all"}, {"layers", {0}}});
        QTRY_VERIFY_WITH_TIMEOUT(traces.count() >= 2, 60000);
        QCOMPARE(traces.at(0).at(0).toLongLong(), job);
        QCOMPARE(traces.at(0).at(2).toString(), QString::fromStdString(file.string()));
        const auto seen = trace::readTrace(file);
        QVERIFY2(seen.has_value(), seen ? "" : seen.error().message.c_str());
        QVERIFY(seen->metadata.value("unfinished", false));
        QVERIFY(!seen->rows().empty() && seen->probes.find(trace::ProbeKind::AttentionMap) != nullptr);
        studio.queue->cancel(job, false);
        QTRY_COMPARE_WITH_TIMEOUT(studio.queue->runningJob(), std::int64_t{0}, 20000);
    }

    // --- a GPU that fails

    void aGpuLostOnceCostsNoStepThatWasSaved() {
        const FakeGpu gpu;
        Studio studio;
        QSignalSpy notices(studio.queue.get(), &JobQueue::notice),
            lost(studio.worker.get(), &app::WorkerClient::lost);
        orderAt(studio, gpu, 3, "lose-once");
        studio.queue->add({gpuRequest(400)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 60000);
        QCOMPARE(lost.count(), 1);
        QVERIFY2(notices.at(0).at(0).toString().contains("unspecified launch failure"),
                 qPrintable(notices.at(0).at(0).toString()));
        const Json report = Json::parse(studio.clip(studio.clips[0]).reportJson);
        QVERIFY2(report.at("resumed_steps").get<int>() >= 3, report.dump().c_str());
        QCOMPARE(report.at("device").get<std::string>(), std::string("Fake GPU"));
    }

    // What was seen and computed until then is kept, and the queue goes on with a fresh engine.
    void aGpuLostTwiceFailsTheJobAndNothingElse() {
        const FakeGpu gpu;
        Studio studio;
        QSignalSpy failed(studio.queue.get(), &JobQueue::jobFailed),
            previews(studio.queue.get(), &JobQueue::preview);
        QSignalSpy ready(studio.worker.get(), &app::WorkerClient::ready);
        orderAt(studio, gpu, 3, "lose");
        studio.queue->add({gpuRequest(400)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 60000);
        const std::int64_t job = failed.at(0).at(0).toLongLong();
        QCOMPARE(failed.at(0).at(1).toString(), QStringLiteral("device_lost"));
        const QString sentence = failed.at(0).at(2).toString();
        QVERIFY2(sentence.contains("unspecified launch failure") && sentence.contains("twice"),
                 qPrintable(sentence));
        QVERIFY(previews.count() > 0);
        const auto seen = trace::readTrace(app::traceOf(studio.folder.path().toStdString(), job));
        QVERIFY2(seen.has_value(), seen ? "" : seen.error().message.c_str());
        QVERIFY(!seen->rows().empty());
        QVERIFY(seen->metadata.value("failure", "").find("unspecified launch failure") != std::string::npos);
        QTRY_VERIFY_WITH_TIMEOUT(ready.count() >= 3, 20000);  // one for each loss
        gpu.takeBack();
        studio.queue->add({gpuRequest(4)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 60000);
        studio.queue->retry({job});
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 2U, 60000);
        const Json report = Json::parse(studio.clip(studio.clips[1]).reportJson);
        QVERIFY2(report.at("resumed_steps").get<int>() >= 3, report.dump().c_str());
    }

    void aFullGpuFailsTheJobAndKeepsTheEngine() {
        const FakeGpu gpu;
        Studio studio;
        QSignalSpy failed(studio.queue.get(), &JobQueue::jobFailed),
            lost(studio.worker.get(), &app::WorkerClient::lost);
        gpu.order("no-memory");
        studio.queue->add({gpuRequest(4)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 60000);
        QCOMPARE(failed.at(0).at(1).toString(), QStringLiteral("out_of_memory"));
        QVERIFY2(failed.at(0).at(2).toString().contains("cuda:0"), qPrintable(failed.at(0).at(2).toString()));
        gpu.takeBack();
        studio.queue->retry({failed.at(0).at(0).toLongLong()});
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 60000);
        QCOMPARE(lost.count(), 0);
    }

    void withoutADriverAutoIsTheProcessorAndTheReasonIsTold() {
        const FakeGpu gpu;
        gpu.order("no-driver");
        Studio studio;
        std::vector<std::string> said;
        connect(studio.worker.get(), &app::WorkerClient::received, studio.queue.get(),
                [&](const ipc::Message& message) {
                    if (const auto* log = std::get_if<ipc::Log>(&message)) {
                        said.push_back(log->text);
                    }
                });
        studio.queue->add({request(2)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 1U, 60000);
        QCOMPARE(said.size(), 1U);
        QVERIFY2(said[0].starts_with("job 1 is computed on cpu ("), said[0].c_str());
        QVERIFY2(said[0].ends_with("cuda: no NVIDIA driver is installed"), said[0].c_str());
        QSignalSpy failed(studio.queue.get(), &JobQueue::jobFailed);
        studio.queue->add({gpuRequest(2)}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 60000);
        QVERIFY(failed.at(0).at(2).toString().contains("no NVIDIA driver is installed"));
    }

    // `fw calibrate` in a terminal, or other weights, while the engine holds the model.
    void aModelThatChangesOnDiskIsLoadedAnew() {
        const std::filesystem::path mini = std::filesystem::path(FW_SOURCE_DIR) / "resources" / "models" / "mini";
        const QTemporaryDir temporary;
        const std::filesystem::path model = std::filesystem::path(temporary.path().toStdString()) / "copy";
        std::filesystem::copy(mini, model, std::filesystem::copy_options::recursive);
        std::filesystem::remove(model / "cache_constants.json");
        Studio studio;
        QSignalSpy failed(studio.queue.get(), &JobQueue::jobFailed);
        job::GenerationRequest wanted = request(2);
        wanted.model = model.string();
        wanted.cache = "teacache";
        studio.queue->add({wanted}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 60000);
        QVERIFY2(failed.at(0).at(2).toString().contains("fw calibrate"), qPrintable(failed.at(0).at(2).toString()));
        std::filesystem::copy_file(mini / "cache_constants.json", model / "cache_constants.json");
        studio.queue->retry({failed.at(0).at(0).toLongLong()});
        QTRY_VERIFY_WITH_TIMEOUT(studio.clips.size() == 1 || failed.count() > 1, 60000);
        QCOMPARE(studio.clips.size(), 1U);

        const std::filesystem::path schedule = model / "scheduler" / "scheduler_config.json";
        std::ifstream old(schedule);
        Json config = Json::parse(old);
        config["flow_shift"] = 2.0;
        std::ofstream(schedule) << config.dump();
        studio.queue->add({wanted}, 1);
        QTRY_COMPARE_WITH_TIMEOUT(studio.clips.size(), 2U, 60000);
        const store::Clip before = studio.clip(studio.clips[0]), after = studio.clip(studio.clips[1]);
        QVERIFY(before.modelHash != after.modelHash);
        const auto info =
            media::readClipInfo(std::filesystem::path(studio.folder.path().toStdString()) / after.file);
        QVERIFY(info.has_value());
        QCOMPARE(Json::parse(info->metadata).at("model").at("hash").get<std::string>(), after.modelHash);
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
