// Device time between a queue's first and last work since it was waited for.
#pragma once

#include <cuda_runtime.h>

namespace fw::kernels::cuda {

class BusyClock {
 public:
    BusyClock() = default;
    ~BusyClock() {
        for (const cudaEvent_t event : {m_first, m_last}) {
            if (event != nullptr) {
                cudaEventDestroy(event);
            }
        }
    }
    BusyClock(const BusyClock&) = delete;
    BusyClock& operator=(const BusyClock&) = delete;

    cudaError_t start() {
        m_microseconds = 0.0;
        m_runs = m_ends = false;
        for (cudaEvent_t* event : {&m_first, &m_last}) {
            if (*event == nullptr) {
                if (const auto status = cudaEventCreateWithFlags(event, cudaEventDefault); status != cudaSuccess) {
                    *event = nullptr;
                    return status;
                }
            }
        }
        m_isOn = true;
        return cudaSuccess;
    }
    [[nodiscard]] double microseconds() const { return m_microseconds; }

    // Before work is queued.
    void working(cudaStream_t stream) {
        if (m_isOn && !m_runs) {
            m_runs = cudaEventRecord(m_first, stream) == cudaSuccess;
        }
        m_ends = false;
    }
    // Before what is not work, or before waiting.
    void resting(cudaStream_t stream) {
        if (m_runs && !m_ends) {
            m_ends = cudaEventRecord(m_last, stream) == cudaSuccess;
        }
    }
    // After the stream was waited for.
    void waited() {
        float milliseconds = 0.0F;
        if (m_runs && m_ends && cudaEventElapsedTime(&milliseconds, m_first, m_last) == cudaSuccess) {
            constexpr double kMicroseconds = 1000.0;
            m_microseconds += kMicroseconds * static_cast<double>(milliseconds);
        }
        m_runs = m_ends = false;
    }

 private:
    cudaEvent_t m_first = nullptr, m_last = nullptr;
    bool m_isOn = false;
    bool m_runs = false;  // m_first was recorded since the last wait
    bool m_ends = false;  // m_last was recorded behind all work
    double m_microseconds = 0.0;
};

}  // namespace fw::kernels::cuda
