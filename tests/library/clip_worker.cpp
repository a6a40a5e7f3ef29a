// A worker without a model: it takes steps of a few milliseconds, saves checkpoints, shows previews and writes a
// clip whose bytes depend on every step, so that a resumed run can be compared with an uninterrupted one. A prompt
// may ask for time ("slow ...": tests that must meet a running job) or tell it to misbehave: "crash at N", "fail",
// "slow to die of the first cancel", "fail to decode once", "babble once", or to name files that are not its own:
// "clip elsewhere", "clip above", "clip is a link", "checkpoint elsewhere".
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "core/ipc/messages.h"
#include "core/ipc/preview_ring.h"

namespace {

using namespace fw;
constexpr int kSteps = 10;

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
        send(hello);
    }
    [[noreturn]] void serve() {
        for (;;) {
            handleMessages(-1);
            if (m_pending.jobId != 0) {
                const ipc::Generate job = std::exchange(m_pending, {});
                run(job);
            }
        }
    }

 private:
    void send(const ipc::Message& message) {
        const std::string bytes = ipc::encode(message);
        if (write(m_file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
            _exit(9);
        }
    }
    void handleMessages(int waitMs) {
        pollfd ready{m_file, POLLIN, 0};
        while (poll(&ready, 1, waitMs) > 0) {
            std::array<char, 4096> buffer{};
            const ssize_t count = read(m_file, buffer.data(), buffer.size());
            if (count <= 0) {
                _exit(0);
            }
            m_decoder.feed(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(count))));
            for (;;) {
                const auto message = m_decoder.next();
                if (!message || !*message) {
                    break;
                }
                if (const auto* ping = std::get_if<ipc::Ping>(&**message)) {
                    send(ipc::Pong{ping->sequence, 0});
                } else if (std::holds_alternative<ipc::Shutdown>(**message)) {
                    _exit(0);
                } else if (const auto* generate = std::get_if<ipc::Generate>(&**message)) {
                    m_pending = *generate;
                    m_cancelled = 0;
                } else if (const auto* cancel = std::get_if<ipc::Cancel>(&**message)) {
                    m_cancelled = cancel->jobId;
                    m_keep = cancel->keepEstimate;
                }
            }
            waitMs = 0;
        }
    }
    void run(const ipc::Generate& job) {
        const std::filesystem::path staging = job.stagingFolder;
        const std::filesystem::path checkpoint = staging / "checkpoint";
        const std::string& prompt = job.request.prompt;
        std::string state;
        if (!job.checkpointFile.empty()) {
            std::ifstream(job.checkpointFile) >> state;
        }
        const int crashAt = prompt.starts_with("crash at ") ? std::stoi(prompt.substr(9)) : -1;
        auto ring = ipc::PreviewRing::open(job.previewMemory);
        bool partial = false;
        for (int step = static_cast<int>(state.size()); step < kSteps && !partial; ++step) {
            std::this_thread::sleep_for(std::chrono::milliseconds(prompt.starts_with("slow") ? 60 : 8));
            handleMessages(0);
            if (m_cancelled == job.jobId) {
                if (prompt == "slow to die of the first cancel" && job.checkpointFile.empty()) {
                    kill(getpid(), SIGKILL);
                }
                if (!m_keep) {
                    send(ipc::Failed{job.jobId, "cancelled", "", false});
                    return;
                }
                partial = true;
            }
            if (prompt == "babble once" && step == 4 && job.checkpointFile.empty()) {
                const std::string noise("\x08\0\0\0notjson!", 12);
                (void)!write(m_file, noise.data(), noise.size());
            }
            if (step == crashAt) {
                kill(getpid(), SIGKILL);
            }
            if (prompt == "fail" && step == 3) {
                send(ipc::Failed{job.jobId, "out_of_memory", "asked 3 GiB, 1 GiB free", false});
                return;
            }
            state += static_cast<char>('a' + step);
            std::ofstream(staging / "checkpoint.part") << state;
            std::filesystem::rename(staging / "checkpoint.part", checkpoint);
            send(ipc::Checkpoint{job.jobId, step + 1,
                                 prompt == "checkpoint elsewhere" ? "/etc/hostname" : checkpoint.string()});
            send(ipc::Progress{job.jobId, "denoise", step + 1, kSteps, (step + 1.0) / kSteps, 0.1});
            if (ring) {
                const int side = prompt == "large previews" ? 418 : 4;
                std::vector<std::uint8_t> frame(static_cast<std::size_t>(2 * side * side * 3),
                                                static_cast<std::uint8_t>(step));
                // For who measures how late it is.
                const std::int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::steady_clock::now().time_since_epoch())
                                             .count();
                std::memcpy(frame.data(), &now, sizeof(now));
                const auto written = (*ring)->write(frame.data(), static_cast<std::int64_t>(frame.size()));
                send(ipc::PreviewReady{job.jobId, step + 1, kSteps, written->slot, written->sequence, 2, side, side,
                                       false});
            }
        }
        if (prompt == "fail to decode once" && job.checkpointFile.empty()) {
            send(ipc::Failed{job.jobId, "out_of_memory", "the decoder asked 3 GiB, 1 GiB free", false});
            return;
        }
        std::filesystem::path file = staging / "clip.mp4";
        std::ofstream(file.string() + ".part") << state << ' ' << prompt;
        std::filesystem::rename(file.string() + ".part", file);
        if (prompt == "clip elsewhere") {
            file = job.request.negativePrompt;
        } else if (prompt == "clip above") {
            file = staging / ".." / ".." / "library.sqlite3";
        } else if (prompt == "clip is a link") {
            file = staging / "link.mp4";
            std::filesystem::create_symlink(job.request.negativePrompt, file);
        }
        ipc::ClipReady ready;
        ready.jobId = job.jobId;
        ready.file = file.string();
        ready.sha256 = "00";
        ready.report = {{"request", Json(job::toJson(job.request))}, {"model", "none"}};
        ready.partial = partial;
        send(ready);
    }

    int m_file;
    ipc::Decoder m_decoder;
    ipc::Generate m_pending;
    std::int64_t m_cancelled = 0;
    bool m_keep = false;
};

}  // namespace

int main(int argc, char** argv) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // as the engine does
    Worker(argc > 2 ? argv[2] : "").serve();
}
