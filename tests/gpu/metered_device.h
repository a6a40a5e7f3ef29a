// A device that also tells how busy it is and how much of its memory was ever in use, for benchmarks.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "core/backend/cuda_ops.h"
#include "core/backend/device.h"
#include "core/backend/weight_stream.h"

namespace fw::gpu {

// What is free on a device at the worst moment: asked for by a thread of its own every few milliseconds.
class MemoryWatch {
 public:
    explicit MemoryWatch(const backend::Device& device);
    ~MemoryWatch();
    MemoryWatch(const MemoryWatch&) = delete;
    MemoryWatch& operator=(const MemoryWatch&) = delete;

    // Forgets what was seen.
    void restart();
    // Since restart().
    [[nodiscard]] std::int64_t leastFreeBytes() const { return m_least; }

 private:
    void look();

    const backend::Device& m_device;
    std::atomic<std::int64_t> m_least;
    std::atomic<bool> m_stops{false};
    std::thread m_thread;
};

// What a device measured of itself; shared with whoever gave the device away.
struct Meter {
    std::shared_ptr<const backend::CudaLibrary> library;
    kernels::cuda::Queue* queue = nullptr;  // of the device's last queue; null: none yet, or not a GPU
    std::unique_ptr<MemoryWatch> memory;    // from the first queue on; gone with the device
    std::int64_t totalBytes = 0;
    std::int64_t freeAtFirst = 0;  // with the queue's libraries at hand and nothing else

    // Seconds between first and last work of every stretch between two waits; 0 on a processor.
    [[nodiscard]] double busySeconds() const;
    // The most that was in use at once beyond freeAtFirst, since the watch was restarted.
    [[nodiscard]] std::int64_t peakBytes() const;
};

// `choice` as for createDevice(). `meter` outlives the device.
[[nodiscard]] Result<std::unique_ptr<backend::Device>> createMeteredDevice(const std::string& choice, Meter& meter);

}  // namespace fw::gpu
