#include "core/cache/decisions.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fw::cache {

std::string_view siteKindName(SiteKind kind) {
    static constexpr std::array<std::string_view, kSiteKinds> kNames{"self", "temporal", "cross", "mlp"};
    return kNames[static_cast<std::size_t>(kind)];
}

int countOf(const DecisionRow& row, Decision decision) {
    return static_cast<int>(std::count(row.begin(), row.end(), decision));
}

std::vector<int> skippedSteps(const DecisionRow& row) {
    std::vector<int> steps;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] != Decision::Compute) {
            steps.push_back(static_cast<int>(i));
        }
    }
    return steps;
}

int lastComputed(const DecisionRow& row, int step) {
    int last = std::min(step, static_cast<int>(row.size())) - 1;
    while (last >= 0 && row[static_cast<std::size_t>(last)] != Decision::Compute) {
        --last;
    }
    return last;
}

bool mayServe(const DecisionRow& row, int step, int kept) {
    return kept >= 0 && kept >= lastComputed(row, step);
}

job::CacheRow describeRow(std::string what, const DecisionRow& row) {
    job::CacheRow described{std::move(what), {}};
    for (const Decision decision : row) {
        described.steps += "crp"[static_cast<std::size_t>(decision)];
    }
    return described;
}

double savedFlops(const DecisionRow& row, const SiteCost& cost) {
    return static_cast<double>(skippedSteps(row).size()) * static_cast<double>(cost.sites) * cost.flops;
}

StepWindow stepWindow(double from, double to, int steps) {
    constexpr double kRounding = 1e-9;  // 0.85 · 20 is 17, whatever the last bit says
    return {static_cast<int>(std::ceil(from * steps - kRounding)),
            static_cast<int>(std::floor(to * steps + kRounding))};
}

}  // namespace fw::cache
