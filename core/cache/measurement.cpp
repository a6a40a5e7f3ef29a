#include "core/cache/measurement.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/cache/mean_change.h"

namespace fw::cache {

namespace {

std::vector<float> download(method::RunContext& context, const ConstTensorView& view) {
    std::vector<float> host(static_cast<std::size_t>(view.count()));
    context.ops.download(view, TensorView(host.data(), DType::F32, view.shape()));
    return host;
}

// Mean over rows of `width` values of ‖a‖ / ‖b‖.
double meanNormRatio(const std::vector<float>& a, const std::vector<float>& b, std::size_t width) {
    double sum = 0.0;
    for (std::size_t row = 0; row < a.size(); row += width) {
        double above = 0.0;
        double below = 0.0;
        for (std::size_t i = row; i < row + width; ++i) {
            above += static_cast<double>(a[i]) * static_cast<double>(a[i]);
            below += static_cast<double>(b[i]) * static_cast<double>(b[i]);
        }
        sum += below > 0.0 ? std::sqrt(above / below) : 1.0;
    }
    return sum / static_cast<double>(a.size() / width);
}

}  // namespace

void Measurement::nextRun() {
    for (Branch& branch : m_branches) {
        branch.embedding.clear();
        branch.modulation.clear();
        branch.residual.clear();
    }
    for (auto& [key, site] : m_sites) {
        site.filled = false;
    }
}

Result<bool> Measurement::replaceBlocks(method::RunContext& context, const BlockInput& input) {
    m_input = download(context, input.x);
    m_embedding = download(context, input.timeEmbedding);
    m_modulation = download(context, input.modulation);
    FW_TRY(context.ops.synchronize());
    return false;
}

Status Measurement::blocksDone(method::RunContext& context, const TensorView& x) {
    std::vector<float> residual = download(context, x);
    FW_TRY(context.ops.synchronize());
    std::transform(residual.begin(), residual.end(), m_input.begin(), residual.begin(), std::minus<>());
    Branch& branch = m_branches[static_cast<std::size_t>(context.branch)];
    const auto step = static_cast<std::size_t>(context.step);
    branch.ratios.resize(static_cast<std::size_t>(m_steps), 0.0);
    branch.runs.resize(static_cast<std::size_t>(m_steps), 0);
    if (!branch.residual.empty()) {
        branch.ratios[step] += meanNormRatio(residual, branch.residual, static_cast<std::size_t>(x.dim(2)));
        ++branch.runs[step];
        const double change = relativeChange(residual, branch.residual);
        m_embeddingPoints.emplace_back(relativeChange(m_embedding, branch.embedding), change);
        m_modulationPoints.emplace_back(relativeChange(m_modulation, branch.modulation), change);
    }
    branch.residual = std::move(residual);
    branch.embedding = m_embedding;
    branch.modulation = m_modulation;
    return {};
}

Status Measurement::siteDone(method::RunContext& context, const Site& site, const ConstTensorView& output) {
    SiteData& data = m_sites[{static_cast<int>(site.kind), site.layer, context.branch}];
    if (m_means.isNone()) {
        FW_ASSIGN(m_means, keep(m_device, DType::F32, {4}));
    }
    if (data.last.isNone()) {
        FW_ASSIGN(data.last, keep(m_device, DType::F32, output.shape()));
        data.sums.resize(static_cast<std::size_t>(m_steps));
        data.runs.resize(static_cast<std::size_t>(m_steps), 0);
    }
    if (data.filled) {
        std::array<float, 4> means{};
        context.ops.difference(output, data.last, m_means);
        context.ops.download(m_means, TensorView(means.data(), DType::F32, m_means.shape()));
        FW_TRY(context.ops.synchronize());
        const auto step = static_cast<std::size_t>(context.step);
        const auto squared = static_cast<double>(means[2]);
        const auto size = static_cast<double>(means[3]);
        data.sums[step].absolute += squared;
        data.sums[step].relative += size > 0.0 ? squared / size : 0.0;
        ++data.runs[step];
    }
    context.ops.copy(output, data.last);
    data.filled = true;
    return {};
}

Constants Measurement::constants() const {
    Constants constants;
    constants.source = "this run";
    constants.embedding = fitPolynomial(m_embeddingPoints);
    constants.modulation = fitPolynomial(m_modulationPoints);
    for (const Branch& branch : m_branches) {
        if (branch.ratios.empty()) {
            continue;
        }
        std::vector<double> means(branch.ratios.size(), 1.0);
        for (std::size_t step = 0; step < means.size(); ++step) {
            means[step] = branch.runs[step] > 0 ? branch.ratios[step] / branch.runs[step] : 1.0;
        }
        constants.magnitudes.push_back(std::move(means));
    }
    return constants;
}

std::vector<std::vector<SiteChange>> Measurement::changes(SiteKind kind, int branch) const {
    std::vector<std::vector<SiteChange>> table;
    for (const auto& [key, data] : m_sites) {
        if (key[0] != static_cast<int>(kind) || key[2] != branch) {
            continue;
        }
        table.resize(static_cast<std::size_t>(m_steps));
        for (std::size_t step = 0; step < table.size(); ++step) {
            const double runs = std::max(data.runs[step], 1);
            table[step].push_back({data.sums[step].absolute / runs, data.sums[step].relative / runs});
        }
    }
    return table;
}

}  // namespace fw::cache
