// The engine process: takes jobs from the studio, one at a time, and reports what happens to them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "app/engine/clip_job.h"
#include "app/worker/question_desk.h"
#include "app/worker/studio_connection.h"
#include "core/base/bounded_queue.h"
#include "core/base/cancel.h"
#include "core/ipc/messages.h"
#include "core/ipc/preview_ring.h"

namespace fw::app {

// Three threads: listen() answers pings and passes cancellations on at any time, work() runs the jobs, and the desk
// answers questions.
class Worker {
 public:
    explicit Worker(std::unique_ptr<StudioConnection> connection) : m_connection(std::move(connection)) {}

    // Runs until the studio says Shutdown or is gone. The process' exit code.
    [[nodiscard]] int run();

 private:
    void sayHello();
    void listen();
    void handle(const ipc::Message& message);
    void work(const ipc::Generate& job);
    [[nodiscard]] Status makeClip(const ipc::Generate& job, const CancelToken& cancel, const CancelToken& finish);
    void openRing(const std::string& name);
    [[nodiscard]] bool takeDecodeNow();
    [[nodiscard]] bool isWatched();
    [[nodiscard]] std::optional<Json> takeProbes();
    void showPreview(const ipc::Generate& job, const pipeline::Preview& preview);

    // What listen() needs to stop the job that work() runs. Guarded by m_lock.
    struct Current {
        std::int64_t jobId = 0;
        CancelSource cancel;     // stop now
        CancelSource finish;     // stop denoising, decode the estimate
        bool decodeNow = false;  // an exact preview after the present step
        bool watched = false;    // the trace so far after every step
        Json probes;             // to begin with after the present step; null: none
    };

    std::unique_ptr<StudioConnection> m_connection;
    BoundedQueue<ipc::Generate> m_jobs{1};
    std::mutex m_lock;
    std::optional<Current> m_current;
    ClipJobRunner m_runner;
    std::unique_ptr<ipc::PreviewRing> m_ring;
    std::string m_ringName;
    QuestionDesk m_questions{[this](const ipc::Message& reply) { m_connection->send(reply); }};
};

}  // namespace fw::app
