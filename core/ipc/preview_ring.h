// Preview frames in POSIX shared memory: a ring of slots written by the worker and copied out by the studio.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace fw::ipc {

// The studio creates the ring under a random name, every worker it starts opens it, and the studio unlinks it at
// its end. The creator keeps the file locked (flock), so that sweep() can tell what a studio that was killed left
// behind from what a living one uses. A slot is [sequence, bytes, pixels …]; the reader checks the sequence before
// and after copying and drops the preview when the writer was faster.
class PreviewRing {
 public:
    // slotBytes: largest preview, frames·H·W·3.
    [[nodiscard]] static Result<std::unique_ptr<PreviewRing>> create(const std::string& name, int slotCount,
                                                                     std::int64_t slotBytes);
    [[nodiscard]] static Result<std::unique_ptr<PreviewRing>> open(const std::string& name);
    ~PreviewRing();
    PreviewRing(const PreviewRing&) = delete;
    PreviewRing& operator=(const PreviewRing&) = delete;

    [[nodiscard]] std::int64_t slotBytes() const { return m_layout.slotBytes; }
    void unlink();
    // Unlinks this user's rings whose names begin with `prefix` and whose creator is gone. A file younger than
    // `minimumAge` is left alone: its creator may not have locked it yet.
    static void sweep(const std::string& prefix, std::chrono::seconds minimumAge = std::chrono::seconds(10));
    // Writer: copies `bytes` into the next slot; its number and sequence go into PreviewReady. InvalidArgument if
    // too big.
    struct Written {
        int slot = 0;
        std::uint64_t sequence = 0;
    };
    [[nodiscard]] Result<Written> write(const void* data, std::int64_t bytes);
    // Reader: empty when the slot was overwritten meanwhile.
    [[nodiscard]] std::vector<std::uint8_t> read(int slot, std::uint64_t sequence);

 private:
    struct Header;
    // What this side trusts: read from the shared header once, because the other process could change it later.
    struct Layout {
        int slotCount = 0;
        std::int64_t slotBytes = 0;
    };
    PreviewRing(std::string name, int file, void* memory, std::size_t size, const Layout& layout);

    std::string m_name;
    int m_file;  // the creator's, locked; -1 elsewhere
    void* m_memory;
    std::size_t m_size;
    Layout m_layout;
    int m_next = 0;
};

}  // namespace fw::ipc
