// How long the window's thread was kept from its events.
#pragma once

#include <QElapsedTimer>
#include <QThread>
#include <QTimer>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

namespace fw::test {

// A timer of 5 ms on the thread that makes it, and a second thread that sleeps as long. When both are late at once
// it was the machine, which has other things to do; when only the timer is, its thread was blocked.
class LatencyWatch {
 public:
    LatencyWatch() {
        m_clock.start();
        m_timer.setTimerType(Qt::PreciseTimer);
        m_last = m_clock.elapsed();
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { beat(); });
        m_timer.start(kBeatMs);
        m_control.reset(QThread::create([this] { control(); }));
        m_control->start();
    }
    ~LatencyWatch() {
        m_end = true;
        m_control->wait();
    }
    LatencyWatch(const LatencyWatch&) = delete;
    LatencyWatch& operator=(const LatencyWatch&) = delete;

    // The longest time in ms that this thread alone was late.
    [[nodiscard]] qint64 worst() const { return m_worst; }

 private:
    static constexpr int kBeatMs = 5;
    static constexpr qint64 kLateMs = 25;
    struct Span {
        qint64 from = 0, to = 0;
    };

    void beat() {
        const qint64 now = m_clock.elapsed();
        const Span late{std::exchange(m_last, now), now};
        if (late.to - late.from > kLateMs) {
            m_worst = std::max(m_worst, late.to - late.from - kBeatMs - machineLate(late));
        }
    }
    // How much of `span` the control thread could not run either.
    qint64 machineLate(const Span& span) {
        const std::scoped_lock lock(m_lock);
        qint64 sum = 0;
        for (const Span& other : m_late) {
            sum += std::max<qint64>(0, std::min(span.to, other.to) - std::max(span.from, other.from));
        }
        // A control that has not woken since is late as well.
        return sum + std::max<qint64>(0, span.to - std::max(span.from, m_controlSeen.load()) - 2 * kBeatMs);
    }
    void control() {
        while (!m_end) {
            const qint64 before = m_clock.elapsed();
            QThread::msleep(kBeatMs);
            const qint64 now = m_clock.elapsed();
            if (now - before > 2 * kBeatMs) {
                const std::scoped_lock lock(m_lock);
                m_late.push_back({before, now});
            }
            m_controlSeen = now;
        }
    }

    QElapsedTimer m_clock;
    QTimer m_timer;
    qint64 m_last = 0, m_worst = 0;
    std::unique_ptr<QThread> m_control;
    std::atomic<bool> m_end = false;
    std::atomic<qint64> m_controlSeen = 0;
    std::mutex m_lock;
    std::vector<Span> m_late;
};

}  // namespace fw::test
