// Any bytes as a safetensors file: either refused with a message, or every tensor can be read to its last byte.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/weights/safetensors.h"
#include "core/weights/safetensors_header.h"
#include "core/weights/text.h"

namespace {

// Sums all bytes, so that the address sanitizer sees each of them read.
std::uint64_t readAll(const fw::ConstTensorView& view) {
    const auto* bytes = static_cast<const std::uint8_t*>(view.data());
    std::uint64_t sum = 0;
    for (std::int64_t i = 0; i < view.bytes(); ++i) {
        sum += bytes[i];
    }
    return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A mapping is aligned to a page; libFuzzer's buffer need not be aligned at all. 64-bit words align any
    // element.
    std::vector<std::uint64_t> words(size / 8 + 1);
    const auto bytes = std::as_writable_bytes(std::span(words)).first(size);
    std::copy_n(reinterpret_cast<const std::byte*>(data), size, bytes.begin());

    const auto header = fw::weights::parseSafetensorsHeader(bytes);
    if (!header) {
        FW_CHECK(header.error().code == fw::ErrorCode::BadModel && !header.error().message.empty());
        FW_CHECK(!fw::weights::firstInvalidUtf8(header.error().message), "a message that is no text");
        return 0;
    }
    std::uint64_t covered = 0;
    volatile std::uint64_t sum = 0;
    for (const auto& entry : header->entries) {
        const fw::ConstTensorView view(bytes.data() + header->dataStart + entry.begin, entry.dtype, entry.shape);
        covered += static_cast<std::uint64_t>(view.bytes());
        sum = sum + readAll(view);
        (void)fw::weights::checkFinite(view, entry.name);
    }
    FW_CHECK(header->dataStart + covered == size, "{} + {} of {} bytes", header->dataStart, covered, size);
    return 0;
}
