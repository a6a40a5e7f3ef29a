// Any bytes from the other end of the socket, in any portions: messages or one error, and what was understood can
// be sent again.
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/check.h"
#include "core/ipc/messages.h"

namespace {

// Everything the stream holds, fed in portions of `portion` bytes. Encoded again, one after another.
std::string readAll(std::span<const std::byte> bytes, std::size_t portion) {
    fw::ipc::Decoder decoder;
    std::string again;
    while (!bytes.empty()) {
        const std::size_t size = std::min(portion, bytes.size());
        decoder.feed(bytes.first(size));
        bytes = bytes.subspan(size);
        for (auto message = decoder.next(); !message || *message; message = decoder.next()) {
            if (!message) {
                FW_CHECK(message.error().code == fw::ErrorCode::InvalidArgument &&
                         !message.error().message.empty());
                return again;
            }
            again += fw::ipc::encode(**message);
        }
    }
    return again;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
    const std::string whole = readAll(bytes, size + 1);
    FW_CHECK(readAll(bytes, 7) == whole);
    const std::string again = readAll(std::as_bytes(std::span(whole.data(), whole.size())), whole.size() + 1);
    FW_CHECK(again == whole, "{} bytes became {}", whole.size(), again.size());
    return 0;
}
