#include "app/worker/studio_connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

namespace fw::app {

Result<std::unique_ptr<StudioConnection>> StudioConnection::open(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        return fail(ErrorCode::InvalidArgument, "the socket path '{}' is empty or too long", path);
    }
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0) {
        return fail(ErrorCode::Io, "cannot make a socket: {}", std::strerror(errno));
    }
    auto connection = std::unique_ptr<StudioConnection>(new StudioConnection(file));
    if (connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fail(ErrorCode::Io, "cannot reach the studio at {}: {}", path, std::strerror(errno));
    }
    return connection;
}

StudioConnection::~StudioConnection() {
    close(m_file);
}

Result<std::optional<ipc::Message>> StudioConnection::read() {
    std::array<std::byte, 64 * 1024> buffer{};
    for (;;) {
        FW_ASSIGN(auto message, m_decoder.next());
        if (message) {
            return message;
        }
        const ssize_t count = recv(m_file, buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return std::optional<ipc::Message>{};
        }
        m_decoder.feed(std::span(buffer).first(static_cast<std::size_t>(count)));
    }
}

void StudioConnection::send(const ipc::Message& message) {
    const std::string bytes = ipc::encode(message);
    const std::scoped_lock lock(m_writing);
    std::string_view left = bytes;
    while (!left.empty()) {
        const ssize_t count = ::send(m_file, left.data(), left.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return;
        }
        left.remove_prefix(static_cast<std::size_t>(count));
    }
}

void StudioConnection::shutDown() {
    shutdown(m_file, SHUT_RDWR);
}

}  // namespace fw::app
