// The worker's end of the socket: blocking reads on one thread, writes from any.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/ipc/messages.h"

namespace fw::app {

// A connected UNIX stream socket. read() is for one thread; send() may be called from several.
class StudioConnection {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StudioConnection>> open(const std::string& path);
    ~StudioConnection();
    StudioConnection(const StudioConnection&) = delete;
    StudioConnection& operator=(const StudioConnection&) = delete;

    // Waits for the next message; nothing when the studio is gone.
    [[nodiscard]] Result<std::optional<ipc::Message>> read();
    // Failures are not reported: read() will say that the studio is gone.
    void send(const ipc::Message& message);
    // Ends a waiting read() from another thread.
    void shutDown();

 private:
    explicit StudioConnection(int file) : m_file(file) {}

    int m_file;
    ipc::Decoder m_decoder;
    std::mutex m_writing;
};

}  // namespace fw::app
