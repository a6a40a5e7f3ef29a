#include "core/pipeline/progress_meter.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace fw::pipeline {

namespace {

constexpr std::array<Phase, 3> kPhases{Phase::Text, Phase::Denoise, Phase::Decode};

template <class Rates>
auto& rateOf(Rates& rates, Phase phase) {
    switch (phase) {
        case Phase::Text:
            return rates.text;
        case Phase::Denoise:
            return rates.denoise;
        default:
            return rates.decode;
    }
}

}  // namespace

std::string_view phaseName(Phase phase) {
    switch (phase) {
        case Phase::Load:
            return "load";
        case Phase::Text:
            return "text";
        case Phase::Denoise:
            return "denoise";
        case Phase::Decode:
            return "decode";
        case Phase::Encode:
            return "encode";
    }
    return "?";
}

ProgressMeter::Clock ProgressMeter::steadyClock() {
    return
        [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
}

ProgressMeter::ProgressMeter(const job::Plan& plan, PhaseRates& rates,
                             const std::function<void(const Progress&)>& sink, Clock clock)
    : m_plan(plan),
      m_rates(rates),
      m_sink(sink),
      m_clock(std::move(clock)),
      m_start(m_clock()),
      m_phaseStart(m_start) {}

double ProgressMeter::flops(Phase phase) const {
    for (const job::PhaseCost& cost : m_plan.phases) {
        if (cost.phase == phaseName(phase)) {
            return static_cast<double>(cost.flops);
        }
    }
    return 0.0;
}

double ProgressMeter::rate(Phase phase) const {
    if (const double own = rateOf(m_rates, phase); own >= 0.0) {
        return own;
    }
    // Denoising is the best stand-in: its products are the largest.
    for (const Phase other : {Phase::Denoise, Phase::Decode}) {
        if (const double known = rateOf(m_rates, other); known >= 0.0) {
            return known;
        }
    }
    return -1.0;
}

void ProgressMeter::begin(Phase phase, int steps, int already) {
    m_phase = phase;
    m_steps = std::max(steps, 1);
    m_already = already;
    m_phaseStart = m_clock();
    emit(already);
}

void ProgressMeter::report(int done) {
    const double work = flops(m_phase) * std::min(1.0, static_cast<double>(done - m_already) / m_steps);
    if (work > 0.0) {
        rateOf(m_rates, m_phase) = (m_clock() - m_phaseStart) / work;
    }
    emit(done);
}

double ProgressMeter::phaseSeconds() const {
    return m_clock() - m_phaseStart;
}

void ProgressMeter::emit(int done) {
    if (!m_sink) {
        return;
    }
    const double share = std::min(1.0, static_cast<double>(done) / m_steps);
    double doneFlops = 0.0;
    double allFlops = 0.0;
    double left = 0.0;
    bool known = true;
    for (const Phase phase : kPhases) {
        const double work = flops(phase);
        const double finished = phase < m_phase ? 1.0 : phase == m_phase ? share : 0.0;
        doneFlops += work * finished;
        allFlops += work;
        const double seconds = rate(phase);
        known = known && seconds >= 0.0;
        left += work * (1.0 - finished) * seconds;
    }
    const double elapsed = m_clock() - m_start;
    Progress progress;
    progress.phase = m_phase;
    progress.step = done;
    progress.steps = m_steps;
    progress.secondsLeft = known ? left : -1.0;
    const double byWork = allFlops > 0.0 ? doneFlops / allFlops : 0.0;
    const double fraction = known && elapsed + left > 0.0 ? elapsed / (elapsed + left) : byWork;
    m_fraction = std::max(m_fraction, std::min(1.0, fraction));
    progress.fraction = m_fraction;
    m_sink(progress);
}

}  // namespace fw::pipeline
