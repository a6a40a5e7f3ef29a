#include "core/cache/pab.h"

#include <algorithm>
#include <cmath>

#include "core/cache/parameters.h"
#include "core/cache/site_store.h"

namespace fw::cache {

namespace {

constexpr std::array kKeepOrder{SiteKind::SelfAttention, SiteKind::TemporalAttention, SiteKind::CrossAttention,
                                SiteKind::FeedForward};

std::size_t index(SiteKind kind) {
    return static_cast<std::size_t>(kind);
}

bool inWindow(const PabRule& rule, const std::vector<double>& timesteps, std::size_t step) {
    if (!rule.byTimestep) {
        const auto steps = static_cast<int>(timesteps.size());
        return stepWindow(rule.from, rule.to, steps).holds(static_cast<int>(step));
    }
    const double timestep = std::trunc(timesteps[step]);
    return timestep > rule.timestepLow && timestep < rule.timestepHigh;
}

DecisionRow listedDecisions(const PabRule& rule, std::size_t steps) {
    DecisionRow row(steps, Decision::Compute);
    for (const int listed : rule.feedForwardSteps) {
        for (int i = 1; i <= rule.feedForwardReuse; ++i) {
            if (const auto step = static_cast<std::size_t>(listed + i); step < steps) {
                row[step] = Decision::Reuse;
            }
        }
    }
    return row;
}

class Pab final : public StepCache {
 public:
    [[nodiscard]] static Result<std::unique_ptr<StepCache>> create(const Json& parameters,
                                                                   const CacheSetup& setup) {
        auto cache = std::make_unique<Pab>();
        const PabRule rule = ruleOf(parameters);
        SiteBudget budget{storeType(parameters), 1, storeLimit(parameters), {}, {}};
        for (const SiteKind kind : kKeepOrder) {
            const auto& kinds = setup.shape.kinds;
            if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
                continue;
            }
            const bool all = kind != SiteKind::FeedForward;
            const int layers = all ? setup.shape.layers : parameters.at("mlp_blocks").get<int>();
            DecisionRow row = pabDecisions(rule, kind, setup.shape.timesteps);
            if (layers > 0 && !skippedSteps(row).empty()) {
                budget.kinds.push_back(kind);
                budget.layers[index(kind)] = layers;
                cache->m_rows[index(kind)] = std::move(row);
            }
        }
        FW_ASSIGN(cache->m_store,
                  SiteStore::create(budget, setup.shape, setup.ops, [&](DType dtype, const Shape& shape) {
                      return cache->keep(setup.device, dtype, shape);
                  }));
        return cache;
    }

    [[nodiscard]] Replacement replaceSite(method::RunContext& context, const Site& site) override {
        if (!reuses(site.kind, context.step)) {
            return {};
        }
        const SiteSlot* slot = m_store.find(site, context.branch);
        return slot != nullptr && mayServe(m_rows[index(site.kind)], context.step, slot->steps.front())
                   ? Replacement{slot->outputs.front().load(context)}
                   : Replacement{};
    }

    [[nodiscard]] Status siteDone(method::RunContext& context, const Site& site,
                                  const ConstTensorView& output) override {
        if (reuses(site.kind, context.step + 1) && m_store.find(site, context.branch) != nullptr) {
            m_store.push(context, site, output);
        }
        return {};
    }

    [[nodiscard]] std::vector<job::CacheRow> table() const override {
        std::vector<job::CacheRow> rows;
        for (const SiteKind kind : kKeepOrder) {
            if (!m_rows[index(kind)].empty()) {
                rows.push_back(describeRow(std::string(siteKindName(kind)), m_rows[index(kind)]));
            }
        }
        return rows;
    }
    [[nodiscard]] std::string note() const override {
        return m_store.wanted() == 0 ? "no step lies in the window with these ranges: nothing is reused"
                                     : m_store.note();
    }

    // A reuse reads what the step before the first reuse in its row computed.
    [[nodiscard]] bool cleanBefore(int step) const override {
        return std::none_of(kKeepOrder.begin(), kKeepOrder.end(),
                            [&](SiteKind kind) { return reuses(kind, step); });
    }
    [[nodiscard]] SavedState state() override {
        SavedState state;
        m_store.save(state);
        return state;
    }
    [[nodiscard]] Status restore(const Json& numbers) override { return m_store.restore(numbers); }

 private:
    [[nodiscard]] static PabRule ruleOf(const Json& parameters) {
        PabRule rule;
        rule.ranges = {parameters.at("self_range").get<int>(), parameters.at("temporal_range").get<int>(),
                       parameters.at("cross_range").get<int>(), parameters.at("mlp_range").get<int>()};
        rule.byTimestep = parameters.at("window") == "timesteps";
        rule.from = parameters.at("from").get<double>();
        rule.to = parameters.at("to").get<double>();
        rule.timestepLow = parameters.at("timestep_low").get<double>();
        rule.timestepHigh = parameters.at("timestep_high").get<double>();
        return rule;
    }
    [[nodiscard]] bool reuses(SiteKind kind, int step) const {
        const DecisionRow& row = m_rows[index(kind)];
        const auto at = static_cast<std::size_t>(step);
        return step >= 0 && at < row.size() && row[at] == Decision::Reuse;
    }

    std::array<DecisionRow, kSiteKinds> m_rows;  // empty: never reused
    SiteStore m_store;
};

Result<std::unique_ptr<StepCache>> createPab(const Json& parameters, const CacheSetup& setup) {
    const bool byTimestep = parameters.at("window") == "timesteps";
    const char* const names[] = {byTimestep ? "timestep_low" : "from", byTimestep ? "timestep_high" : "to"};
    const double low = parameters.at(names[0]).get<double>();
    const double high = parameters.at(names[1]).get<double>();
    if (low >= high) {
        return fail(ErrorCode::InvalidArgument,
                    "{} is {} and {} is {}: the window is empty; the first must be smaller", names[0], low,
                    names[1], high);
    }
    return Pab::create(parameters, setup);
}

}  // namespace

DecisionRow pabDecisions(const PabRule& rule, SiteKind kind, const std::vector<double>& timesteps) {
    if (kind == SiteKind::FeedForward && !rule.feedForwardSteps.empty()) {
        return listedDecisions(rule, timesteps.size());
    }
    DecisionRow row(timesteps.size(), Decision::Compute);
    const auto range = static_cast<std::size_t>(rule.ranges[index(kind)]);
    for (std::size_t step = 0; step < row.size(); ++step) {
        if (step % range != 0 && inWindow(rule, timesteps, step)) {
            row[step] = Decision::Reuse;
        }
    }
    return row;
}

std::vector<int> stepsOfTimesteps(const std::vector<int>& keys, const std::vector<double>& timesteps) {
    std::vector<int> steps;
    for (std::size_t step = 0; step < timesteps.size(); ++step) {
        if (std::find(keys.begin(), keys.end(), static_cast<int>(timesteps[step])) != keys.end()) {
            steps.push_back(static_cast<int>(step));
        }
    }
    return steps;
}

CacheEntry pyramidAttentionBroadcast() {
    CacheEntry entry;
    entry.description = {
        .id = "pab",
        .name = "Pyramid Attention Broadcast",
        .summary =
            "Computes attention at every n-th step in the middle of the run and reuses it between: what it "
            "saves is known beforehand.",
        .paper = "arXiv:2408.12588",
        .parameters = {
            wholeNumber("self_range", "steps", 1, 50, 2,
                        "Self-attention is computed at every so many-th step (within a frame, where space and time "
                        "are apart)."),
            wholeNumber("cross_range", "steps", 1, 50, 6, "Attention to the text, likewise; it changes least."),
            wholeNumber("temporal_range", "steps", 1, 50, 4,
                        "Attention over time, likewise; only in models where space and time are apart."),
            wholeNumber("mlp_blocks", "blocks", 0, 1000, 0,
                        "Feed-forward layers of the first so many blocks as well."),
            wholeNumber("mlp_range", "steps", 1, 50, 3, "Those layers are computed at every so many-th step."),
            choice("window", {"steps", "timesteps"}, "steps",
                   "Whether the window is a part of the steps or a range of the scheduler's timesteps."),
            fraction("from", 0.15, "Part of the steps after which outputs are reused."),
            fraction("to", 0.85, "Part of the steps after which everything is computed again."),
            number("timestep_low", 0, 1000, 100, "Outputs are reused above this timestep, with window=timesteps."),
            number("timestep_high", 0, 1000, 850, "Outputs are reused below this timestep, with window=timesteps."),
        }};
    append(entry.description.parameters, storeParameters());
    entry.create = createPab;
    return entry;
}

}  // namespace fw::cache
