// How long an engine at work may show no progress before it counts as hanging.
#pragma once

#include <chrono>
#include <optional>

#include "core/ipc/messages.h"

namespace fw::app {

// Before the first step nobody knows how fast this machine is: the longest time holds. While steps are made, a
// multiple of the slowest one does.
class ProgressPatience {
 public:
    static constexpr int kSteps = 20;  // of the slowest step's time without any progress

    // `longest` 0: patient for ever.
    ProgressPatience(std::chrono::milliseconds longest, std::chrono::milliseconds least)
        : m_longest(longest), m_least(least) {}

    void jobBegins();
    // `now`: of any steady clock, the same for all calls.
    void progressed(const ipc::Progress& progress, std::chrono::milliseconds now);
    [[nodiscard]] std::chrono::milliseconds limit() const;

 private:
    std::chrono::milliseconds m_longest, m_least;
    std::optional<std::chrono::milliseconds> m_slowest;
    std::optional<std::chrono::milliseconds> m_stepEnd;  // of the last step
    int m_step = 0;
};

}  // namespace fw::app
