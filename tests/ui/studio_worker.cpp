// A worker without a model, for the window's tests: it knows one model, takes ten quick steps with previews and
// checkpoints, and its clip is a copy of the file FW_SAMPLE_CLIP. Words in the prompt tell it what else to do:
//   hold    stays at step 3 until it is cancelled
//   crash   is killed at step 5, once
//   fail    reports that memory does not suffice
// A second model, "wan", is found in every folder that is named; it prefers 24 steps.
// A model folder whose name contains "broken" is refused.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/ipc/answers.h"
#include "core/ipc/messages.h"
#include "core/ipc/preview_ring.h"

namespace {

using namespace fw;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr int kSteps = 10, kHoldAt = 3, kCrashAt = 5;
constexpr int kFrames = 3, kSide = 8;

bool says(const std::string& prompt, const char* word) {
    return prompt.find(word) != std::string::npos;
}

ipc::ModelCard mini() {
    ipc::ModelCard card;
    card.folder = "/models/mini";
    card.name = "mini";
    card.embedded = true;
    card.defaults.width = card.defaults.height = 256;
    card.defaults.frames = 33;
    card.defaults.frameRate = {12, 1};
    card.defaults.steps = 20;
    card.defaults.guidance = 4.0;
    card.parameters = 13'100'000;
    card.bytes = 26'400'000;
    return card;
}

ipc::ModelCard wan() {
    ipc::ModelCard card = mini();
    card.folder = "/here/wan";
    card.name = "wan";
    card.embedded = false;
    card.defaults.steps = 24;
    return card;
}

// A step cache with one parameter.
job::MethodDescription someCache() {
    job::ParameterSchema range;
    range.name = "range";
    range.type = job::ParameterType::Integer;
    range.minimum = 1;
    range.maximum = 9;
    range.defaultValue = 2;
    range.help = "Steps that share one result.";
    job::MethodDescription cache;
    cache.id = "some_cache";
    cache.name = "Some cache";
    cache.summary = "Uses results again.";
    cache.parameters = {range};
    return cache;
}

class Worker {
 public:
    explicit Worker(const std::string& path) : m_file(socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
        if (connect(m_file, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
            _exit(9);
        }
        ipc::Hello hello;
        hello.version = "test";
        hello.processId = getpid();
        hello.devices = Json::parse(R"([{"id": "cpu", "name": "Test processor", "total_bytes": 8589934592,
                                         "free_bytes": 4294967296, "preferred_dtype": "f32"}])");
        job::MethodDescription dense;
        dense.id = "dense";
        dense.name = "Dense";
        dense.summary = "Every token looks at every other.";
        hello.methods = {dense};
        job::MethodDescription none;
        none.id = "none";
        none.name = "No cache";
        hello.caches = {none, someCache()};
        send(hello);
    }

    [[noreturn]] void serve() {
        for (;;) {
            listen(-1);
            if (m_job) {
                run(*std::exchange(m_job, std::nullopt));
            }
        }
    }

 private:
    void send(const ipc::Message& message) const {
        const std::string bytes = ipc::encode(message);
        if (write(m_file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
            _exit(9);
        }
    }

    // Handles what arrives within `waitMs`; -1: waits for something.
    void listen(int waitMs) {
        pollfd ready{m_file, POLLIN, 0};
        if (poll(&ready, 1, waitMs) <= 0) {
            return;
        }
        std::array<char, 65536> buffer{};
        const ssize_t count = read(m_file, buffer.data(), buffer.size());
        if (count <= 0) {
            _exit(0);
        }
        m_decoder.feed(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(count))));
        for (auto message = m_decoder.next(); message && *message; message = m_decoder.next()) {
            handle(**message);
        }
    }

    void handle(const ipc::Message& message) {
        if (const auto* ping = std::get_if<ipc::Ping>(&message)) {
            ipc::Pong pong;
            pong.sequence = ping->sequence;
            send(pong);
        } else if (std::holds_alternative<ipc::Shutdown>(message)) {
            _exit(0);
        } else if (const auto* generate = std::get_if<ipc::Generate>(&message)) {
            m_job = *generate;
            m_cancel.reset();
        } else if (const auto* cancel = std::get_if<ipc::Cancel>(&message)) {
            m_cancel = *cancel;
        } else if (const auto* inspect = std::get_if<ipc::InspectModel>(&message)) {
            if (says(inspect->folder, "broken")) {
                send(ipc::Refused{inspect->ticket, "bad_model", inspect->folder + " has no model_index.json"});
            } else {
                send(ipc::Answer{inspect->ticket, ipc::toJson(inspect->folder == wan().folder ? wan() : mini())});
            }
        } else if (const auto* find = std::get_if<ipc::FindModels>(&message)) {
            std::vector<ipc::ModelCard> models{mini()};
            if (!find->folders.empty()) {
                models.push_back(wan());
            }
            send(ipc::Answer{find->ticket, ipc::toJson(models)});
        } else if (const auto* plan = std::get_if<ipc::PlanRequest>(&message)) {
            const bool cached = plan->request.cache == someCache().id;
            send(ipc::Answer{
                plan->ticket,
                ipc::toJson(ipc::PlanCard{2304, cached ? 1'230'000'000'000 : 3'940'000'000'000, 222'298'112})});
        }
    }

    // How a step ends the job, if it does.
    enum class End { No, Cancelled, Kept };
    End check(const ipc::Generate& job, int step) {
        do {
            listen(8);
            if (m_cancel && m_cancel->jobId == job.jobId) {
                return m_cancel->keepEstimate ? End::Kept : End::Cancelled;
            }
        } while (step == kHoldAt && says(job.request.prompt, "hold"));
        return End::No;
    }

    void preview(const ipc::Generate& job, ipc::PreviewRing& ring, int step) const {
        const std::vector<std::uint8_t> frames(std::size_t{kFrames} * kSide * kSide * 3,
                                               static_cast<std::uint8_t>(20 * step));
        const auto written = ring.write(frames.data(), static_cast<std::int64_t>(frames.size()));
        ipc::PreviewReady ready;
        ready.jobId = job.jobId;
        ready.step = step;
        ready.steps = kSteps;
        ready.slot = written->slot;
        ready.sequence = written->sequence;
        ready.frames = kFrames;
        ready.width = ready.height = kSide;
        send(ready);
    }

    void run(const ipc::Generate& job) {
        const fs::path staging = job.stagingFolder;
        const std::string& prompt = job.request.prompt;
        int step = 0;
        if (!job.checkpointFile.empty()) {
            std::ifstream(job.checkpointFile) >> step;
        }
        const bool fresh = step == 0;
        const auto ring = ipc::PreviewRing::open(job.previewMemory);
        bool partial = false;
        for (; step < kSteps && !partial; ++step) {
            const End end = check(job, step);
            if (end == End::Cancelled) {
                send(ipc::Failed{job.jobId, "cancelled", "", false});
                return;
            }
            partial = end == End::Kept;
            if (fresh && step == kCrashAt && says(prompt, "crash")) {
                kill(getpid(), SIGKILL);
            }
            if (step == kCrashAt && says(prompt, "fail")) {
                send(ipc::Failed{job.jobId, "out_of_memory", "this clip needs 12 GiB, 3 GiB are free", false});
                return;
            }
            std::ofstream(staging / "checkpoint.part") << step + 1;
            fs::rename(staging / "checkpoint.part", staging / "checkpoint");
            send(ipc::Checkpoint{job.jobId, step + 1, (staging / "checkpoint").string()});
            send(ipc::Progress{job.jobId, "denoise", step + 1, kSteps, (step + 1.0) / kSteps, 0.1});
            if (ring && (step + 1) % job.previewEvery == 0) {
                preview(job, **ring, step + 1);
            }
        }
        ipc::ClipReady ready;
        ready.jobId = job.jobId;
        ready.file = (staging / "clip.mp4").string();
        fs::copy_file(std::getenv("FW_SAMPLE_CLIP"), ready.file, fs::copy_options::overwrite_existing);
        ready.sha256 = "00";
        ready.report = {{"request", Json(job::toJson(job.request))},
                        {"model", "mini"},
                        {"plan", {{"total_flops", 1.0e12}}},
                        {"denoise_seconds", 2.0},
                        {"total_seconds", 2.5},
                        {"device", "cpu"}};
        ready.partial = partial;
        send(ready);
    }

    int m_file;
    ipc::Decoder m_decoder;
    std::optional<ipc::Generate> m_job;
    std::optional<ipc::Cancel> m_cancel;
};

}  // namespace

int main(int argc, char** argv) {
    Worker(argc > 2 ? argv[2] : "").serve();
}
