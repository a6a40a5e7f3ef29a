// Whole runs of the embedded model: FLOPs in the trace against the plan's and against products counted by hand;
// masks, kept mass and rows of SALAD against double precision of the queries and keys that were kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/trace/trace_file.h"
#include "mini_runs.h"

namespace fw::pipeline {
namespace {

using trace::Module;
using trace::ProbeKind;

// The embedded model's transformer.
constexpr std::int64_t kMiniWidth = 256, kMiniHeads = 4, kMiniHeadWidth = 64, kMiniInner = 1024, kMiniLayers = 8;
constexpr std::int64_t kClipTokens = 3 * 8 * 8;

struct Counted {
    std::string name, method, cache;
    Json settings = Json::object();
};

job::GenerationRequest countedRequest(const Counted& wanted) {
    job::GenerationRequest request = miniRequest(4);
    request.prompt = "a fox, seen by " + wanted.name;  // texts that were encoded before cost nothing
    request.negativePrompt = "no " + wanted.name;
    request.width = request.height = 128;
    request.frames = 9;
    request.method = wanted.method;
    request.methodParameters = wanted.settings;
    request.cache = wanted.cache;
    if (wanted.method == "salad") {
        request.adapters = {{request.model + "/adapters/salad.safetensors", 1.0}};
    }
    return request;
}

class TracedRuns : public MiniRuns, public testing::WithParamInterface<Counted> {};
INSTANTIATE_TEST_SUITE_P(Methods, TracedRuns,
                         testing::Values(Counted{"dense", "dense", "none"}, Counted{"pab", "dense", "pab"},
                                         Counted{"window", "sliding_window", "none", {{"sparsity", 0.6}}},
                                         Counted{"blocks", "top_k", "none", {{"sparsity", 0.5}}},
                                         Counted{"salad", "salad", "none", {{"sparsity", 0.6}}}),
                         [](const auto& made) { return made.param.name; });

TEST_P(TracedRuns, FlopsAreThePlansAndThoseOfTheProducts) {
    const MiniRun made = make(countedRequest(GetParam()));
    ASSERT_TRUE(made.report) << made.report.error().message;
    std::map<std::string, std::int64_t> phases;
    std::map<std::pair<Module, int>, std::int64_t>
        layers;  // of one pass of the first step, which computes everything
    std::vector<std::int64_t> steps(static_cast<std::size_t>(made.report->plan.steps));
    std::int64_t pairs = 0;
    for (const trace::Row& row : made.trace.rows()) {
        if (row.module != Module::AttentionCore) {  // lies inside self_attention
            if (row.step >= 0) {
                steps[static_cast<std::size_t>(row.step)] += row.flops;
            }
            phases[row.step >= 0 ? "denoise" : row.module == Module::TextEncoder ? "text" : "decode"] += row.flops;
        }
        if (row.step == 0 && row.branch == 0) {
            layers[{row.module, row.layer}] += row.flops;
            pairs += row.module == Module::AttentionCore && row.layer == 3 ? row.pairs : 0;
        }
    }
    std::int64_t all = 0;
    for (const job::PhaseCost& phase : made.report->plan.phases) {
        EXPECT_EQ(phases[phase.phase], phase.flops) << phase.phase;
        all += phase.flops;
    }
    EXPECT_EQ(made.report->plan.totalFlops(), all);
    EXPECT_EQ(made.report->plan.stepFlops, steps);

    // Products by hand, two FLOPs a multiply-add; norms, turns and sums are the few percent beside them.
    const std::int64_t square = 2 * kClipTokens * kMiniWidth * kMiniWidth;
    const std::int64_t text = made.report->plan.promptTokens + 1;  // and one key for all of the padding
    EXPECT_LT(text, made.report->plan.textTokens);
    EXPECT_EQ(made.report->plan.tokens, kClipTokens);
    const auto expectNear = [&](Module module, std::int64_t products, double most) {
        const std::int64_t counted = layers[{module, 3}];
        EXPECT_GE(counted, products) << trace::moduleName(module);
        EXPECT_LE(static_cast<double>(counted), most * static_cast<double>(products)) << trace::moduleName(module);
    };
    const std::int64_t core = layers[{Module::AttentionCore, 3}];
    if (GetParam().method == "dense") {
        EXPECT_EQ(pairs, kMiniHeads * kClipTokens * kClipTokens);
        EXPECT_EQ(core, 4 * pairs * kMiniHeadWidth) << "q kᵀ and p v";
    } else {
        EXPECT_LT(pairs, kMiniHeads * kClipTokens * kClipTokens);
        EXPECT_GE(core, 4 * pairs * kMiniHeadWidth);
    }
    expectNear(Module::SelfAttention, 4 * square + core, 1.05);
    expectNear(Module::CrossAttention, 2 * square + 4 * kMiniHeads * kClipTokens * text * kMiniHeadWidth, 1.05);
    expectNear(Module::FeedForward, 2 * 2 * kClipTokens * kMiniWidth * kMiniInner, 1.05);
}

// softmax(q kᵀ / √C) of one head in double precision, of queries and keys [N, C] as they were kept.
std::vector<double> softmaxOf(const std::vector<float>& q, const std::vector<float>& k) {
    const auto width = static_cast<std::size_t>(kMiniHeadWidth), n = q.size() / width;
    std::vector<double> rows(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        const auto row = rows.begin() + static_cast<std::ptrdiff_t>(i * n);
        for (std::size_t j = 0; j < n; ++j) {
            double dot = 0.0;
            for (std::size_t d = 0; d < width; ++d) {
                dot += double{q[i * width + d]} * double{k[j * width + d]};
            }
            rows[i * n + j] = std::exp(dot / std::sqrt(static_cast<double>(width)));
        }
        const double sum = std::accumulate(row, row + static_cast<std::ptrdiff_t>(n), 0.0);
        std::for_each(row, row + static_cast<std::ptrdiff_t>(n), [&](double& value) { value /= sum; });
    }
    return rows;
}

// How far a window of `pairs` (query, key) pairs reaches to either side.
std::int64_t reachOf(std::int64_t pairs) {
    std::int64_t reach = 0;
    while (reach < kClipTokens && kClipTokens * (2 * reach + 1) - reach * (reach + 1) < pairs) {
        ++reach;
    }
    return reach;
}

// A token's place in the order its tiles are cut from.
std::size_t placeIn(trace::TileOrder order, std::size_t token) {
    return order == trace::TileOrder::TokenMajor ? token % 64 * 3 + token / 64 : token;
}

class ProbedSalad : public MiniRuns, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Branches, ProbedSalad, testing::Values("window", "top_k"),
                         [](const auto& made) { return std::string(made.param); });

TEST_P(ProbedSalad, MasksKeptMassAndRowsAreWhatItComputed) {
    job::GenerationRequest request =
        countedRequest({"probes", "salad", "none", {{"sparsity", 0.6}, {"sparse", GetParam()}}});
    request.steps = 1;
    constexpr std::int32_t kAsked = 101;
    request.probes = Json{{"kinds", {"mask", "kept", "row", "qk"}},
                          {"steps", "all"},
                          {"layers", {0, 5}},
                          {"queries", {kAsked}},
                          {"samples", 0}};
    const MiniRun made = make(request);
    ASSERT_TRUE(made.report) << made.report.error().message;
    const trace::ProbeData& probes = made.trace.probes;
    const auto &masks = *probes.find(ProbeKind::Mask), &kept = *probes.find(ProbeKind::KeptMass),
               &asked = *probes.find(ProbeKind::AttentionRow), &queries = *probes.find(ProbeKind::AttentionQuery),
               &keys = *probes.find(ProbeKind::AttentionKey);
    const std::int64_t tiles = probes.info.maskTileCount(), size = probes.info.mask.size;
    ASSERT_EQ(probes.info.mask.box[0], 0);
    std::map<int, std::int64_t> counted;  // pairs of a layer
    for (const trace::Row& row : made.trace.rows()) {
        if (row.module == Module::AttentionCore && row.branch == 0) {
            counted[row.layer] = row.pairs;
        }
    }
    const bool isWindow = GetParam() == std::string("window");
    for (const std::int32_t layer : {0, 5}) {
        // A window is finer than its tiles, and as wide in every head.
        const std::int64_t reach = isWindow ? reachOf(counted[layer] / kMiniHeads) : kClipTokens;
        std::int64_t computed = 0;
        for (std::int32_t head = 0; head < kMiniHeads; ++head) {
            const trace::ProbeSite site{0, 0, layer, head};
            const std::int64_t mask = std::max(masks.find(site), masks.find({0, 0, layer, -1}));
            ASSERT_GE(mask, 0);
            const auto order = static_cast<trace::TileOrder>(masks.item(mask));
            const auto isSeen = [&](std::size_t query, std::size_t key) {
                const auto a = static_cast<std::int64_t>(placeIn(order, query)),
                           b = static_cast<std::int64_t>(placeIn(order, key));
                const bool bit = trace::maskBit(masks.record(mask), tiles, a / size, b / size);
                const bool near = std::abs(a - b) <= reach;
                EXPECT_TRUE(bit || !isWindow || !near) << "a tile of the window is missing";
                return bit && near;
            };
            const auto rows = softmaxOf(queries.values(queries.find(site)), keys.values(keys.find(site)));
            const auto n = static_cast<std::size_t>(kClipTokens);
            std::vector<double> mass(static_cast<std::size_t>(tiles)), members(static_cast<std::size_t>(tiles));
            for (std::size_t query = 0; query < n; ++query) {
                const std::size_t tile = placeIn(order, query) / static_cast<std::size_t>(size);
                members[tile] += 1.0;
                for (std::size_t key = 0; key < n; ++key) {
                    const bool seen = isSeen(query, key);
                    computed += seen ? 1 : 0;
                    mass[tile] += seen ? rows[query * n + key] : 0.0;
                }
            }
            const std::vector<float> share = kept.values(kept.find(site));
            ASSERT_EQ(share.size(), mass.size());
            for (std::size_t tile = 0; tile < mass.size(); ++tile) {
                EXPECT_NEAR(double{share[tile]}, mass[tile] / members[tile], 5e-3) << "tile " << tile;
            }
            const std::vector<float> row = asked.values(asked.find(site, kAsked));
            EXPECT_NEAR(std::accumulate(row.begin(), row.end(), 0.0), 1.0, 2e-3);
            for (std::size_t key = 0; key < n; ++key) {
                EXPECT_NEAR(double{row[key]}, rows[kAsked * n + key], 2e-3);
            }
        }
        EXPECT_EQ(counted[layer], computed) << "the pairs of the mask are those the method counted";
    }
}

}  // namespace
}  // namespace fw::pipeline
