// The clip writer on a thread of its own, so that encoding runs beside decoding.
#pragma once

#include <cstdint>
#include <thread>
#include <vector>

#include "core/base/bounded_queue.h"
#include "core/base/result.h"
#include "core/media/clip_writer.h"
#include "core/tensor/tensor_view.h"

namespace fw::app {

// push() and finish() are called by one thread. The writer is borrowed and used by this object's thread only until
// finish() or the destructor returns.
class EncoderThread {
 public:
    explicit EncoderThread(media::ClipWriter& writer);
    // Drops what is queued and joins.
    ~EncoderThread();
    EncoderThread(const EncoderThread&) = delete;
    EncoderThread& operator=(const EncoderThread&) = delete;

    // Copies `frames` (u8 [n, H, W, 3]) and queues them; waits while the queue is full. The writer's error once it
    // has failed.
    [[nodiscard]] Status push(const ConstTensorView& frames);
    // Waits for everything queued, then finishes the file. The writer's first error.
    [[nodiscard]] Status finish();
    // Seconds the writer was busy. After finish().
    [[nodiscard]] double busySeconds() const { return m_busySeconds; }

 private:
    struct Chunk {
        std::vector<std::uint8_t> bytes;
        Shape shape;
    };
    void work();

    media::ClipWriter& m_writer;
    BoundedQueue<Chunk> m_queue;
    Status m_status;  // the thread's until joined
    double m_busySeconds = 0.0;
    std::thread m_thread;  // last: starts when everything else is there
};

}  // namespace fw::app
