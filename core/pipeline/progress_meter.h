// From work done to time left.
#pragma once

#include <cstdint>
#include <functional>

#include "core/job/plan.h"
#include "core/pipeline/generator.h"

namespace fw::pipeline {

// Seconds per FLOP of each phase, as last measured; negative: not known. Kept by a generator from clip to clip.
struct PhaseRates {
    double text = -1.0, denoise = -1.0, decode = -1.0;
};

// Reports progress of one clip. Time left is the plan's FLOPs at the rates measured so far; a phase never measured
// is taken to run at the rate of another one that was, and before any measurement the time left is unknown.
class ProgressMeter {
 public:
    // Seconds on a monotonic clock; a parameter so that tests need not wait.
    using Clock = std::function<double()>;
    [[nodiscard]] static Clock steadyClock();

    // `rates` and `sink` outlive the meter; `sink` may be empty.
    ProgressMeter(const job::Plan& plan, PhaseRates& rates, const std::function<void(const Progress&)>& sink,
                  Clock clock = steadyClock());

    // Enters a phase (Text, Denoise or Decode, in this order) of `steps` steps and reports it. `already` of them
    // were done in an earlier run: they count as progress, not as speed.
    void begin(Phase phase, int steps, int already = 0);
    // `done` of the phase's steps are finished, those of earlier runs included.
    void report(int done);
    // Seconds since begin().
    [[nodiscard]] double phaseSeconds() const;

 private:
    [[nodiscard]] double rate(Phase phase) const;
    [[nodiscard]] double flops(Phase phase) const;
    void emit(int done);

    const job::Plan& m_plan;
    PhaseRates& m_rates;
    const std::function<void(const Progress&)>& m_sink;
    Clock m_clock;
    double m_start;
    double m_phaseStart;
    Phase m_phase = Phase::Text;
    int m_steps = 1;
    int m_already = 0;
    double m_fraction = 0.0;  // never falls
};

}  // namespace fw::pipeline
