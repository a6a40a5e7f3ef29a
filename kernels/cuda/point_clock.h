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

    cudaError_t mark(cudaStream_t stream) {
        if (m_used == m_events.size()) {
            cudaEvent_t event = nullptr;
            if (const auto status = cudaEventCreateWithFlags(&event, cudaEventDefault); status != cudaSuccess) {
                return status;
            }
            m_events.push_back(event);
        }
        const auto status = cudaEventRecord(m_events[m_used], stream);
        m_used += status == cudaSuccess ? 1 : 0;
        return status;
    }
    [[nodiscard]] std::size_t points() const { return m_used; }

    // After the queue was waited for: of every point, since the first; the last one stays, as the first of the
    // next.
    cudaError_t take(double* microseconds) {
        constexpr double kMicroseconds = 1000.0;
        for (std::size_t i = 0; i < m_used; ++i) {
            float milliseconds = 0.0F;
            if (const auto status = cudaEventElapsedTime(&milliseconds, m_events.front(), m_events[i]);
                status != cudaSuccess) {
                return status;
            }
            microseconds[i] = kMicroseconds * static_cast<double>(milliseconds);
        }
        if (m_used > 0) {
            std::swap(m_events.front(), m_events[m_used - 1]);
            m_used = 1;
        }
        return cudaSuccess;
    }

 private:
    std::vector<cudaEvent_t> m_events;
    std::size_t m_used = 0;
};

}  // namespace fw::kernels::cuda
