// A worker that misbehaves on demand: what the supervisor is tested against. First argument: how.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "core/ipc/messages.h"

namespace {

using namespace std::chrono_literals;

int connectTo(const std::string& path) {
    const int file = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    if (connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        _exit(9);
    }
    return file;
}

void sendAll(int file, const std::string& bytes) {
    if (write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        _exit(9);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string how = argc > 1 ? argv[1] : "";
    const std::string path = argc > 3 ? argv[3] : "";
    if (how == "never-connects") {
        std::this_thread::sleep_for(60s);
    }
    if (how == "exits-at-once") {
        std::fputs("cannot load libdnnl\n", stderr);
        return 3;
    }
    const int file = connectTo(path);
    fw::ipc::Hello hello;
    hello.version = "test";
    hello.processId = getpid();
    if (how == "other-version") {
        hello.protocol = fw::ipc::kProtocolVersion + 1;
    }
    if (how == "garbage-first") {
        sendAll(file, "GET / HTTP/1.1\r\n\r\n");
        std::this_thread::sleep_for(60s);
    }
    if (how == "ignores-terminate") {
        std::signal(SIGTERM, SIG_IGN);
    }
    sendAll(file, fw::ipc::encode(hello));
    if (how == "talks") {
        std::puts("loading weights");
        std::fflush(stdout);
        std::fputs("one\n\ntwo lines, the second unfinished", stderr);
    }
    std::uint64_t work = 0;
    fw::ipc::Decoder decoder;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t count = read(file, buffer.data(), buffer.size());
        if (count <= 0) {
            return 0;
        }
        if (how == "silent" || how == "ignores-terminate") {
            continue;
        }
        decoder.feed(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(count))));
        for (;;) {
            const auto message = decoder.next();
            if (!message || !*message) {
                break;
            }
            if (const auto* ping = std::get_if<fw::ipc::Ping>(&**message)) {
                work += how == "long-step" ? 1U : 0U;
                sendAll(file, fw::ipc::encode(fw::ipc::Pong{ping->sequence, work}));
            } else if (std::holds_alternative<fw::ipc::Shutdown>(**message)) {
                return 0;
            } else if (how == "dies-when-asked") {
                _exit(4);
            } else if (const auto* generate = std::get_if<fw::ipc::Generate>(&**message)) {
                if (how == "crashes") {
                    std::abort();
                } else if (how == "babbles") {
                    sendAll(file, std::string("\x08\0\0\0notjson!", 12));
                } else if (how == "no-progress" || how == "long-step") {
                    continue;
                } else {
                    sendAll(file, fw::ipc::encode(fw::ipc::Progress{generate->jobId, "denoise", 1, 2, 0.5, 1.0}));
                    fw::ipc::ClipReady clip;
                    clip.jobId = generate->jobId;
                    clip.file = generate->stagingFolder + "/clip.mp4";
                    clip.report = fw::Json::object();
                    sendAll(file, fw::ipc::encode(clip));
                    if (how == "dies-after-clip") {
                        kill(getpid(), SIGKILL);
                    }
                }
            }
        }
    }
}
