// Scratch memory of a run: one block, taken from and given back like a stack. No allocation inside a step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "core/backend/device.h"

namespace fw::backend {

// Not thread-safe. Views taken stay valid until the mark they were taken after is rewound to.
class Arena {
 public:
    // The capacity comes from a dry run (`highWater()` of an arena on a Meta device after the same calls).
    [[nodiscard]] static Result<std::unique_ptr<Arena>> create(Device& device, std::int64_t capacityBytes);
    // A Meta arena never runs out; it only measures.
    [[nodiscard]] static std::unique_ptr<Arena> createMeta();

    // Gives the block back and takes one of this capacity; nothing of the arena may be in use. On failure the arena
    // has no capacity. OutOfMemory as Device::allocate().
    [[nodiscard]] Status resize(Device& device, std::int64_t capacityBytes);

    // Contiguous, 256-byte aligned, uninitialised. Running out is a defect of the plan and ends the program.
    [[nodiscard]] TensorView take(DType dtype, const Shape& shape);

    [[nodiscard]] std::int64_t mark() const { return m_used; }
    void rewind(std::int64_t mark) { m_used = mark; }

    [[nodiscard]] std::int64_t highWater() const { return m_highWater; }
    [[nodiscard]] std::int64_t capacity() const { return m_capacity; }

 private:
    Arena(std::unique_ptr<Buffer> buffer, std::int64_t capacity, DeviceKind device)
        : m_buffer(std::move(buffer)), m_capacity(capacity), m_device(device) {}

    std::unique_ptr<Buffer> m_buffer;
    std::int64_t m_capacity;
    DeviceKind m_device;
    std::int64_t m_used = 0;
    std::int64_t m_highWater = 0;
};

// Rewinds to where the arena stood when the scope was opened.
class ArenaScope {
 public:
    explicit ArenaScope(Arena& arena) : m_arena(arena), m_mark(arena.mark()) {}
    ~ArenaScope() { m_arena.rewind(m_mark); }
    ArenaScope(const ArenaScope&) = delete;
    ArenaScope& operator=(const ArenaScope&) = delete;

 private:
    Arena& m_arena;
    std::int64_t m_mark;
};

}  // namespace fw::backend
