// Compiled with -ffp-contract=off: timesteps are truncated, so their last bit matters.
#include "core/pipeline/sampler.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fw::pipeline {

namespace {

using Terms = std::vector<backend::Ops::Term>;

double toFloatPrecision(double value) {
    return static_cast<double>(static_cast<float>(value));
}

// numpy.linspace(start, stop, count)[i], operation for operation; `last` is the index that gives `stop` exactly.
double linspace(double start, double stop, int last, int i) {
    if (last == 0) {
        return start;
    }
    const double step = (stop - start) / static_cast<double>(last);
    return i == last ? stop : static_cast<double>(i) * step + start;
}

double shifted(double shift, double sigma) {
    return shift * sigma / (1.0 + (shift - 1.0) * sigma);
}

SigmaSchedule uniPcSchedule(const SamplerOptions& options) {
    SigmaSchedule schedule{options, {}, {}};
    constexpr double kEpsilon = 1e-6;  // keeps ln(1 - sigma) finite at the first step
    for (int i = 0; i < options.steps; ++i) {
        double sigma = shifted(options.shift, linspace(1.0, 1.0 / options.trainTimesteps, options.steps, i));
        if (i == 0 && std::abs(sigma - 1.0) < kEpsilon) {
            sigma -= kEpsilon;
        }
        schedule.timesteps.push_back(std::trunc(sigma * options.trainTimesteps));
        schedule.sigmas.push_back(toFloatPrecision(sigma));
    }
    schedule.sigmas.push_back(0.0);
    return schedule;
}

SigmaSchedule eulerSchedule(const SamplerOptions& options) {
    SigmaSchedule schedule{options, {}, {}};
    // The reference takes the lower end from its already shifted float32 table and shifts again.
    const auto shift = static_cast<float>(options.shift);
    const float lowest = 1.0F / static_cast<float>(options.trainTimesteps);
    const auto sigmaMin = static_cast<double>(shift * lowest / (1.0F + (shift - 1.0F) * lowest));
    const double train = options.trainTimesteps;
    for (int i = 0; i < options.steps; ++i) {
        const double unshifted = linspace(train, sigmaMin * train, options.steps - 1, i) / train;
        const auto sigma = static_cast<float>(shifted(options.shift, unshifted));
        schedule.sigmas.push_back(static_cast<double>(sigma));
        schedule.timesteps.push_back(static_cast<double>(sigma * static_cast<float>(options.trainTimesteps)));
    }
    schedule.sigmas.push_back(0.0);
    return schedule;
}

// ln(alpha / sigma), half the log signal-to-noise ratio; infinite at sigma 0.
double lambda(double sigma) {
    return std::log(1.0 - sigma) - std::log(sigma);
}

// Numbers shared by predictor and corrector of one step from sigma s to sigma t.
struct BhStep {
    double ratio;  // sigma_t / sigma_s
    double alpha;  // 1 - sigma_t
    double h;      // lambda_t - lambda_s
    double hh;     // -h: the data-prediction form
    double phi1;   // expm1(hh), which is also B₂
};

BhStep bhStep(double from, double to) {
    const double h = to > 0.0 ? lambda(to) - lambda(from) : HUGE_VAL;
    return {to / from, 1.0 - to, h, -h, std::expm1(-h)};
}

// x at sigmas[i + 1] from the corrected sample and the estimates of steps i and i - 1.
Terms predictor(const SigmaSchedule& schedule, int i, int order, const SamplerState& state) {
    const auto at = [&](int k) { return schedule.sigmas[static_cast<std::size_t>(k)]; };
    const BhStep step = bhStep(at(i), at(i + 1));
    double current = -step.alpha * step.phi1;
    if (order == 1) {
        return {{step.ratio, state.corrected}, {current, state.estimate}};
    }
    const double rk = (lambda(at(i - 1)) - lambda(at(i))) / step.h;
    const double difference = -step.alpha * step.phi1 * 0.5 / rk;
    current -= difference;
    return {{step.ratio, state.corrected}, {current, state.estimate}, {difference, state.earlier[0]}};
}

// x at sigmas[i] again, now knowing the estimate made there.
Terms corrector(const SigmaSchedule& schedule, int i, int order, const SamplerState& state) {
    const auto at = [&](int k) { return schedule.sigmas[static_cast<std::size_t>(k)]; };
    const BhStep step = bhStep(at(i - 1), at(i));
    const double scale = -step.alpha * step.phi1;
    if (order == 1) {
        return {
            {step.ratio, state.corrected}, {scale - scale * 0.5, state.earlier[0]}, {scale * 0.5, state.estimate}};
    }
    const double rk = (lambda(at(i - 2)) - lambda(at(i - 1))) / step.h;
    const double p2 = step.phi1 / step.hh - 1.0;
    const double p3 = p2 / step.hh - 0.5;
    const double b1 = p2 / step.phi1;
    const double b2 = 2.0 * p3 / step.phi1;
    // [[1, 1], [rk, 1]] · (rho0, rho1) = (b1, b2)
    const double rho0 = (b2 - b1) / (rk - 1.0);
    const double rho1 = b1 - rho0;
    return {{step.ratio, state.corrected},
            {scale - scale * rho0 / rk - scale * rho1, state.earlier[0]},
            {scale * rho0 / rk, state.earlier[1]},
            {scale * rho1, state.estimate}};
}

void uniPcStep(const SigmaSchedule& schedule, SamplerState& state, backend::Ops& ops,
               const ConstTensorView& velocity) {
    const int i = state.step;
    const int steps = schedule.options.steps;
    const double sigma = schedule.sigmas[static_cast<std::size_t>(i)];
    // The oldest estimate makes room for the new one.
    const TensorView oldest = state.earlier[1];
    state.earlier[1] = state.earlier[0];
    state.earlier[0] = state.estimate;
    state.estimate = oldest;
    ops.linearCombination(Terms{{1.0, state.sample}, {-sigma, velocity}}, state.estimate);
    if (i == 0) {
        ops.linearCombination(Terms{{1.0, state.sample}}, state.corrected);
    } else {
        ops.linearCombination(corrector(schedule, i, state.lastOrder, state), state.corrected);
    }
    int order = schedule.options.solverOrder;
    if (schedule.options.lowerOrderFinal || i + 1 == steps) {  // sigma 0 has no second-order step
        order = std::min(order, steps - i);
    }
    order = std::min(order, i + 1);
    ops.linearCombination(predictor(schedule, i, order, state), state.sample);
    state.lastOrder = order;
}

void eulerStep(const SigmaSchedule& schedule, SamplerState& state, backend::Ops& ops,
               const ConstTensorView& velocity) {
    const double sigma = schedule.sigmas[static_cast<std::size_t>(state.step)];
    const double next = schedule.sigmas[static_cast<std::size_t>(state.step) + 1];
    ops.linearCombination(Terms{{1.0, state.sample}, {-sigma, velocity}}, state.estimate);
    ops.linearCombination(Terms{{1.0, state.sample}, {next - sigma, velocity}}, state.sample);
    state.lastOrder = 1;
}

}  // namespace

SigmaSchedule makeSchedule(const SamplerOptions& options) {
    FW_CHECK(options.steps >= 1 && options.shift > 0.0 && options.trainTimesteps >= 1, "{} steps, shift {}",
             options.steps, options.shift);
    FW_CHECK(options.solverOrder == 1 || options.solverOrder == 2, "solver order {}", options.solverOrder);
    return options.kind == job::SamplerKind::Euler ? eulerSchedule(options) : uniPcSchedule(options);
}

int stateTensorCount(job::SamplerKind kind) {
    return kind == job::SamplerKind::Euler ? 2 : 5;
}

SamplerState makeState(job::SamplerKind kind, const std::vector<TensorView>& tensors) {
    FW_CHECK(static_cast<int>(tensors.size()) == stateTensorCount(kind), "{} tensors", tensors.size());
    SamplerState state;
    state.sample = tensors[0];
    state.estimate = tensors[1];
    if (kind == job::SamplerKind::UniPc) {
        state.earlier = {tensors[2], tensors[3]};
        state.corrected = tensors[4];
    }
    return state;
}

void samplerStep(const SigmaSchedule& schedule, SamplerState& state, backend::Ops& ops,
                 const ConstTensorView& velocity) {
    FW_CHECK(state.step < schedule.options.steps, "step {} of {}", state.step, schedule.options.steps);
    if (schedule.options.kind == job::SamplerKind::Euler) {
        eulerStep(schedule, state, ops, velocity);
    } else {
        uniPcStep(schedule, state, ops, velocity);
    }
    ++state.step;
}

}  // namespace fw::pipeline
