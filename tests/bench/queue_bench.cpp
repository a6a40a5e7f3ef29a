// What previews and progress cost, how late a preview is, and how long a cancel takes: the real worker, the
// embedded model, one thread. Prints a table; compare the ratios of one run only.
#include <QCoreApplication>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "app/library/job_queue.h"

using namespace fw;

namespace {

constexpr int kRounds = 5;

job::GenerationRequest request(int steps) {
    job::GenerationRequest request;
    request.prompt = "a red car drives to the right on a road";
    request.width = request.height = 128;
    request.frames = 9;
    request.steps = steps;
    request.seed = 7;
    request.threads = 1;
    return request;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// One worker spoken to directly: no library, so that only the engine's work is timed.
class Engine {
 public:
    Engine() : m_client(options()) {
        QObject::connect(&m_client, &app::WorkerClient::received, &m_client,
                         [this](const ipc::Message& message) { handle(message); });
        m_client.start();
        m_ring = ipc::PreviewRing::create(m_name, 4, std::int64_t{4} << 20).value();
        ready = QTest::qWaitFor([this] { return m_client.state() == app::WorkerClient::State::Ready; }, 20000);
    }
    ~Engine() { m_ring->unlink(); }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Seconds for one clip; previews of every step when asked for, copied out as the queue does.
    double generate(bool withPreviews) {
        ipc::Generate job;
        job.jobId = ++m_job;
        job.request = request(20);
        job.stagingFolder = m_folder.path().toStdString();
        job.previewMemory = withPreviews ? m_name : "";
        m_done = false;
        QElapsedTimer clock;
        clock.start();
        m_client.send(job);
        if (!QTest::qWaitFor([this] { return m_done; }, 120000)) {
            return -1.0;
        }
        return static_cast<double>(clock.nsecsElapsed()) * 1e-9;
    }
    bool ready = false;
    int previews = 0;

 private:
    static app::WorkerClientOptions options() {
        app::WorkerClientOptions options;
        options.program = QStringLiteral(FW_WORKER);
        return options;
    }
    void handle(const ipc::Message& message) {
        if (const auto* seen = std::get_if<ipc::PreviewReady>(&message)) {
            previews += m_ring->read(seen->slot, seen->sequence).empty() ? 0 : 1;
        } else if (std::holds_alternative<ipc::ClipReady>(message) ||
                   std::holds_alternative<ipc::Failed>(message)) {
            m_done = true;
        }
    }

    std::string m_name = "/framewright-bench-" + std::to_string(QCoreApplication::applicationPid());
    app::WorkerClient m_client;
    std::unique_ptr<ipc::PreviewRing> m_ring;
    QTemporaryDir m_folder;
    std::int64_t m_job = 0;
    bool m_done = false;
};

bool measureCost() {
    Engine engine;
    if (!engine.ready || engine.generate(true) < 0.0) {  // loads the model
        return false;
    }
    std::vector<double> with, without;
    for (int i = 0; i < kRounds; ++i) {
        without.push_back(engine.generate(false));
        with.push_back(engine.generate(true));
    }
    std::printf("clip of 20 steps without previews  %8.1f ms\n", median(without) * 1e3);
    std::printf("with a preview of every step       %8.1f ms  (%+.1f %%; %d previews read)\n", median(with) * 1e3,
                (median(with) / median(without) - 1.0) * 100.0, engine.previews);
    return engine.previews > 0;
}

// From the worker's write to the queue's signal: the scripted worker puts its clock into the pixels.
bool measureLatency() {
    QTemporaryDir folder;
    auto library = app::LibraryService::open(folder.path().toStdString());
    app::WorkerClientOptions options;
    options.program = QStringLiteral(FW_CLIP_WORKER);
    app::WorkerClient worker(options);
    app::JobQueue queue(**library, worker);
    std::vector<double> milliseconds;
    QObject::connect(&queue, &app::JobQueue::preview, &queue, [&](const app::PreviewFrames& frames) {
        std::int64_t writtenNs = 0;
        std::memcpy(&writtenNs, frames.rgb.data(), sizeof(writtenNs));
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        milliseconds.push_back(
            static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - writtenNs) *
            1e-6);
    });
    queue.start();
    job::GenerationRequest large;
    large.prompt = "large previews";
    queue.add({large, large, large, large, large}, 1);
    if (!QTest::qWaitFor([&] { return milliseconds.size() >= 50; }, 30000)) {
        return false;
    }
    std::printf("preview of 1 MiB to signal         %8.2f ms median, %.2f ms worst of %zu\n", median(milliseconds),
                *std::max_element(milliseconds.begin(), milliseconds.end()), milliseconds.size());
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    return measureCost() && measureLatency() ? 0 : 1;
}
