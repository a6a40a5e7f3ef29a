#include "app/supervisor/progress_patience.h"

#include <algorithm>

namespace fw::app {

void ProgressPatience::jobBegins() {
    m_slowest.reset();
    m_stepEnd.reset();
}

void ProgressPatience::progressed(const ipc::Progress& progress, std::chrono::milliseconds now) {
    if (progress.phase != "denoise") {
        jobBegins();  // a phase of another kind says nothing about steps, and steps nothing about it
        return;
    }
    if (m_stepEnd && progress.step > m_step) {
        m_slowest = std::max(m_slowest.value_or(now - *m_stepEnd), now - *m_stepEnd);
    }
    if (!m_stepEnd || progress.step > m_step) {
        m_stepEnd = now;
        m_step = progress.step;
    }
}

std::chrono::milliseconds ProgressPatience::limit() const {
    if (!m_slowest || m_longest.count() == 0) {
        return m_longest;
    }
    return std::min(m_longest, std::max(m_least, kSteps * *m_slowest));
}

}  // namespace fw::app
