#include "app/engine/encoder_thread.h"

#include <chrono>
#include <utility>

namespace fw::app {

namespace {

constexpr std::size_t kQueuedChunks = 4;

double secondsNow() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

EncoderThread::EncoderThread(media::ClipWriter& writer)
    : m_writer(writer), m_queue(kQueuedChunks), m_thread([this] { work(); }) {}

EncoderThread::~EncoderThread() {
    m_queue.abort();
    if (m_thread.joinable()) {
        m_thread.join();
    }
}

void EncoderThread::work() {
    while (auto chunk = m_queue.pop()) {
        const double start = secondsNow();
        m_status = m_writer.write(ConstTensorView(chunk->bytes.data(), DType::U8, chunk->shape));
        m_busySeconds += secondsNow() - start;
        if (!m_status) {
            m_queue.abort();  // wakes a waiting push()
            return;
        }
    }
}

Status EncoderThread::push(const ConstTensorView& frames) {
    const auto* bytes = static_cast<const std::uint8_t*>(frames.data());
    Chunk chunk{{bytes, bytes + frames.bytes()}, frames.shape()};
    if (m_queue.push(std::move(chunk))) {
        return {};
    }
    if (m_thread.joinable()) {
        m_thread.join();
    }
    return m_status;
}

Status EncoderThread::finish() {
    m_queue.close();
    if (m_thread.joinable()) {
        m_thread.join();
    }
    FW_TRY(std::exchange(m_status, Status{}));
    const double start = secondsNow();
    Status finished = m_writer.finish();
    m_busySeconds += secondsNow() - start;
    return finished;
}

}  // namespace fw::app
