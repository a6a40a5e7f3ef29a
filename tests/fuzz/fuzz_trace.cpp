// Any bytes as a trace: either refused with a message, or every row and every record can be read to its last byte.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/check.h"
#include "core/trace/trace_file.h"
#include "core/weights/text.h"

namespace {

// A file in memory with a name to open it by.
class MemoryFile {
 public:
    MemoryFile(const std::uint8_t* data, std::size_t size) : m_descriptor(::memfd_create("trace", MFD_CLOEXEC)) {
        FW_CHECK(m_descriptor >= 0 && ::write(m_descriptor, data, size) == static_cast<ssize_t>(size));
    }
    ~MemoryFile() { ::close(m_descriptor); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    [[nodiscard]] std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(m_descriptor); }

 private:
    int m_descriptor;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const MemoryFile file(data, size);
    const auto trace = fw::trace::readTrace(file.path());
    if (!trace) {
        FW_CHECK(!trace.error().message.empty());
        FW_CHECK(!fw::weights::firstInvalidUtf8(trace.error().message), "a message that is no text");
        return 0;
    }
    volatile double sum = 0.0;
    for (const auto& row : trace->rows()) {
        FW_CHECK(!fw::trace::moduleName(row.module).empty());
    }
    for (const auto& [kind, table] : trace->probes.tables) {
        for (std::int64_t i = 0; i < table.size(); ++i) {
            const fw::ConstTensorView record = table.record(i);
            FW_CHECK(table.find(table.site(i), table.item(i)) >= 0);
            if (kind == fw::trace::ProbeKind::Mask) {
                const auto tiles = trace->probes.info.maskTileCount();
                sum = sum + (fw::trace::maskBit(record, tiles, tiles - 1, tiles - 1) ? 1.0 : 0.0);
            } else {
                for (const float value : table.values(i)) {
                    sum = sum + static_cast<double>(value);
                }
            }
        }
    }
    const auto *queries = trace->probes.find(fw::trace::ProbeKind::AttentionQuery),
               *keys = trace->probes.find(fw::trace::ProbeKind::AttentionKey);
    for (std::int64_t i = 0; queries != nullptr && keys != nullptr && i < queries->size(); ++i) {
        if (const std::int64_t key = keys->find(queries->site(i)); key >= 0) {
            const std::int64_t last = trace->probes.info.tokens() - 1;
            for (const float value : fw::trace::attentionRow(queries->record(i), keys->record(key), last)) {
                sum = sum + static_cast<double>(value);
            }
        }
    }
    return 0;
}
