// Times of points of a queue, measured on the device without waiting for it.
#pragma once

#include <cuda_runtime.h>

#include <utility>
#include <vector>

namespace fw::kernels::cuda {

class PointClock {
 public:
    PointClock() = default;
    ~PointClock() {
        for (const cudaEvent_t event : m_events) {
            cudaEventDestroy(event);
        }
    }
    PointClock(const PointClock&) = delete;
    PointClock& operator=(const PointClock&) = delete;

    // Points with nothing queued between them, where one module ends and the next begins, share an event: each
    // keeps the device from its next kernel for some microseconds.
    cudaError_t mark(cudaStream_t stream) {
        if (m_hasWorkSince || m_points.empty()) {
            if (m_used == m_events.size()) {
                cudaEvent_t event = nullptr;
                if (const auto status = cudaEventCreateWithFlags(&event, cudaEventDefault); status != cudaSuccess) {
                    return status;
                }
                m_events.push_back(event);
            }
            if (const auto status = cudaEventRecord(m_events[m_used], stream); status != cudaSuccess) {
                return status;
            }
            ++m_used;
            m_hasWorkSince = false;
        }
        m_points.push_back(m_used - 1);
        return cudaSuccess;
    }
    // Something is queued, or waits to be.
    void working() { m_hasWorkSince = true; }
    [[nodiscard]] std::size_t points() const { return m_points.size(); }

    // After the queue was waited for: of every point, since the first; the last one stays, as the first of the
    // next.
    cudaError_t take(double* microseconds) {
        constexpr double kMicroseconds = 1000.0;
        for (const std::size_t event : m_points) {
            float milliseconds = 0.0F;
            if (const auto status = cudaEventElapsedTime(&milliseconds, m_events.front(), m_events[event]);
                status != cudaSuccess) {
                return status;
            }
            *microseconds++ = kMicroseconds * static_cast<double>(milliseconds);
        }
        if (m_used > 0) {
            std::swap(m_events.front(), m_events[m_used - 1]);
            m_used = 1;
            m_points.assign(1, 0);
        }
        return cudaSuccess;
    }

 private:
    std::vector<cudaEvent_t> m_events;
    std::size_t m_used = 0;
    std::vector<std::size_t> m_points;  // indices of their events
    bool m_hasWorkSince = false;
};

}  // namespace fw::kernels::cuda
