// The part of ProbeRecorder that looks at LinGen's scans, and at what step caches put in the place of modules.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/pipeline/probe_recorder.h"

namespace fw::pipeline {

using job::Probe;
using method::RunContext;
using trace::ProbeKind;

namespace {

constexpr double kLargestHalf = 65504.0;

double softplus(double x) {
    return x > 30.0 ? x : std::log1p(std::exp(x));
}

// The dynamics of one direction on the host.
struct Dynamics {
    std::vector<float> steps;  // [N, S], before bias and softplus
    std::vector<float> bias, decay;
    [[nodiscard]] std::size_t heads() const { return bias.size(); }
    [[nodiscard]] double step(std::size_t token, std::size_t head) const {
        return softplus(static_cast<double>(steps[token * heads() + head]) + static_cast<double>(bias[head]));
    }
    // What the state loses at this token: it shrinks by exp(-loss).
    [[nodiscard]] double loss(std::size_t token, std::size_t head) const {
        return step(token, head) * std::exp(static_cast<double>(decay[head]));
    }
};

// [S, B]: geometric means over the sampled tokens of each block.
std::vector<float> halfLives(const Dynamics& dynamics, const trace::ProbeInfo& info,
                             std::span<const std::int32_t> samples) {
    const auto blocks = static_cast<std::size_t>(info.blockCount());
    std::vector<double> sums(dynamics.heads() * blocks);
    std::vector<double> counts(blocks);
    for (const std::int32_t token : samples) {
        const auto block = static_cast<std::size_t>(info.blockOf(token));
        counts[block] += 1.0;
        for (std::size_t head = 0; head < dynamics.heads(); ++head) {
            sums[head * blocks + block] += std::log(dynamics.loss(static_cast<std::size_t>(token), head));
        }
    }
    std::vector<float> lives(sums.size());
    for (std::size_t i = 0; i < lives.size(); ++i) {
        const double life = std::numbers::ln2 * std::exp(-sums[i] / counts[i % blocks]);
        lives[i] = static_cast<float>(std::isnan(life) ? life : std::min(life, kLargestHalf));
    }
    return lives;
}

// [S, R]: what is left of each review token behind the last one, as shares.
std::vector<float> reviewShares(const Dynamics& dynamics, std::span<const std::int32_t> order) {
    std::vector<float> shares(dynamics.heads() * order.size());
    std::vector<double> left(order.size());
    for (std::size_t head = 0; head < dynamics.heads(); ++head) {
        double lost = 0.0, sum = 0.0;
        for (std::size_t i = order.size(); i-- > 0;) {
            const auto token = static_cast<std::size_t>(order[i]);
            left[token] = dynamics.step(token, head) * std::exp(-lost);
            sum += left[token];
            lost += dynamics.loss(token, head);
        }
        for (std::size_t token = 0; token < left.size(); ++token) {
            shares[head * left.size() + token] = static_cast<float>(sum > 0.0 ? left[token] / sum : 0.0);
        }
    }
    return shares;
}

}  // namespace

Status ProbeRecorder::scanReady(RunContext& context, const method::ScanSeen& scan) {
    if (!wants(Probe::Scan) || !isChosen(context, scan.layer)) {
        return {};
    }
    constexpr std::int64_t kDirections = 2;
    const bool reviews = scan.reviewGrid.tokens() > 0;
    m_setup.info.scan = {
        scan.heads, kDirections, {scan.reviewGrid.frames, scan.reviewGrid.height, scan.reviewGrid.width}};
    if (m_isDry) {
        count(ProbeKind::ScanMemory, 1);
        count(ProbeKind::ReviewWeight, reviews ? 1 : 0);
        return {};
    }
    const method::ProbeScope scope(context, scan.layer);
    std::vector<float> lives, shares;
    for (std::size_t direction = 0; direction < kDirections; ++direction) {
        Dynamics dynamics;
        FW_ASSIGN(dynamics.bias, onHost(scan.stepBias[direction]));
        FW_ASSIGN(dynamics.decay, onHost(scan.decay[direction]));
        FW_ASSIGN(dynamics.steps, onHost(scan.steps[direction]));
        const auto own = halfLives(dynamics, m_setup.info, m_samples);
        lives.insert(lives.end(), own.begin(), own.end());
        if (!reviews) {
            continue;
        }
        if (direction > 0 && !scan.reviewBothWays) {
            shares.resize(2 * shares.size(), 0.0F);
            continue;
        }
        FW_ASSIGN(dynamics.steps, onHost(scan.reviewSteps[direction]));
        std::vector<std::int32_t> order = backend::makeScan(scan.reviewGrid, scan.order);
        if (direction > 0) {
            std::reverse(order.begin(), order.end());
        }
        const auto left = reviewShares(dynamics, order);
        shares.insert(shares.end(), left.begin(), left.end());
    }
    table(ProbeKind::ScanMemory).append(siteOf(context, scan.layer), static_cast<std::int32_t>(scan.order), lives);
    if (reviews) {
        table(ProbeKind::ReviewWeight).append(siteOf(context, scan.layer), 0, shares);
    }
    return {};
}

// At every step: a cache's reuses rarely fall on the few that others look at.
bool ProbeRecorder::wantsStandIns(const RunContext& context, int layer) const {
    return wants(Probe::Error) && !m_isSearching && context.branch == 0 && context.step >= 0 &&
           (layer < 0 || m_layers[static_cast<std::size_t>(layer)]);
}

Status ProbeRecorder::standInSeen(RunContext& context, trace::Module module, int layer,
                                  const ConstTensorView& standIn, const ConstTensorView& computed) {
    if (m_isDry) {
        count(ProbeKind::CacheError, 1);
        return {};
    }
    const auto flat = [](const ConstTensorView& view) {  // latents have an axis more
        return view.rank() == 3 ? view : view.reshape({1, view.dim(0), view.count() / view.dim(0)});
    };
    FW_ASSIGN(const auto values, relativeDifference(flat(standIn), flat(computed)));
    table(ProbeKind::CacheError).append(siteOf(context, layer), static_cast<std::int32_t>(module), values);
    return {};
}

}  // namespace fw::pipeline
