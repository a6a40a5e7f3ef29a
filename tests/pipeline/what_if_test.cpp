// Changes made by hand, and what looks at a run while it goes on: against double precision and against other runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "core/backend/arena.h"
#include "core/job/what_if.h"
#include "core/method/painted_masks.h"
#include "core/pipeline/probe_recorder.h"
#include "mini_runs.h"

namespace fw::pipeline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using trace::ProbeKind;

constexpr std::int64_t kHeads = 2, kWidth = 16;
constexpr float kScale = 0.25F;
constexpr method::TokenGrid kGrid{3, 5, 7};  // 105 tokens: one run of 64 and a rest

std::vector<float> normals(std::int64_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0F, 1.5F);
    std::vector<float> values(static_cast<std::size_t>(count));
    std::generate(values.begin(), values.end(), [&] { return normal(generator); });
    return values;
}

// One call of attention on the CPU with random operands.
class OneCall : public testing::Test {
 protected:
    void SetUp() override {
        m_device = std::move(*backend::createDevice("cpu"));
        m_ops = std::move(*m_device->createOps({.threads = 1}));
        m_arena = std::move(*backend::Arena::create(*m_device, 1 << 22));
        const Shape shape{1, kGrid.tokens(), kHeads, kWidth};
        m_q = normals(shape.product(), 1);
        m_k = normals(shape.product(), 2);
        m_v = normals(shape.product(), 3);
        m_out.assign(m_q.size(), 0.0F);
        m_call.q = ConstTensorView(m_q.data(), DType::F32, shape);
        m_call.k = ConstTensorView(m_k.data(), DType::F32, shape);
        m_call.v = ConstTensorView(m_v.data(), DType::F32, shape);
        m_call.out = TensorView(m_out.data(), DType::F32, shape);
        m_call.grid = kGrid;
        m_call.scale = kScale;
    }

    std::unique_ptr<ProbeRecorder> recorder(std::vector<job::Probe> kinds, std::int64_t headDim = kWidth) {
        ProbeSetup setup;
        setup.selection.kinds = std::move(kinds);
        setup.info.grid = {kGrid.frames, kGrid.height, kGrid.width};
        setup.info.pool = {2, 3, 3};
        setup.info.heads = kHeads;
        setup.info.layers = 1;
        setup.info.headDim = headDim;
        setup.info.steps = {0, 1};
        setup.info.probedLayers = {0};
        setup.steps = 2;
        setup.readsRows = true;
        auto made = ProbeRecorder::create(*m_device, *m_ops, std::move(setup));
        FW_CHECK(made.has_value(), "{}", made.error().message);
        return std::move(*made);
    }

    trace::ProbeData attend(const std::string& id, const Json& parameters, method::PaintedMasks& painted, int step,
                            std::vector<job::Probe> kinds) {
        auto method = method::createAttentionMethod(id, parameters);
        FW_CHECK(method.has_value(), "{}", method.error().message);
        const auto probes = recorder(std::move(kinds));
        method::RunContext context{.ops = *m_ops, .arena = *m_arena, .selfAttention = **method, .cancel = {}};
        context.step = step;
        context.probes = probes.get();
        context.painted = &painted;
        EXPECT_TRUE((*method)->attend(context, m_call));
        EXPECT_TRUE(probes->attentionDone(context, m_call));
        return probes->take();
    }

    // softmax over the keys `sees` allows, times v; with the share of the dense softmax it kept.
    template <class Sees>
    std::pair<std::vector<double>, double> reference(std::int64_t head, std::int64_t query,
                                                     const Sees& sees) const {
        const auto at = [&](const std::vector<float>& x, std::int64_t token, std::int64_t d) {
            return double{x[static_cast<std::size_t>((token * kHeads + head) * kWidth + d)]};
        };
        std::vector<double> out(kWidth);
        double kept = 0.0, all = 0.0;
        for (std::int64_t key = 0; key < kGrid.tokens(); ++key) {
            double dot = 0.0;
            for (std::int64_t d = 0; d < kWidth; ++d) {
                dot += at(m_q, query, d) * at(m_k, key, d);
            }
            const double weight = std::exp(double{kScale} * dot);
            all += weight;
            if (sees(key)) {
                kept += weight;
                for (std::int64_t d = 0; d < kWidth; ++d) {
                    out[static_cast<std::size_t>(d)] += weight * at(m_v, key, d);
                }
            }
        }
        for (double& value : out) {
            value /= kept;
        }
        return {out, kept / all};
    }

    [[nodiscard]] float outAt(std::int64_t head, std::int64_t query, std::int64_t d) const {
        return m_out[static_cast<std::size_t>((query * kHeads + head) * kWidth + d)];
    }

    std::unique_ptr<backend::Device> m_device;
    std::unique_ptr<backend::Ops> m_ops;
    std::unique_ptr<backend::Arena> m_arena;
    std::vector<float> m_q, m_k, m_v, m_out;
    method::SelfAttentionCall m_call;
};

TEST_F(OneCall, APaintedHeadComputesItsMaskAndTheOthersAreLeftAlone) {
    job::Change change;
    change.fromStep = 1;
    change.masks.push_back({0, 1, 64, {0, 0, 0}, {{1}, {0, 1}}});
    method::PaintedMasks painted({{change}, {}});
    ASSERT_TRUE(painted.prepare(*m_ops, kGrid, 1, kHeads));
    for (const char* id : {"dense", "top_k", "sliding_window"}) {
        const Json parameters = id == std::string("dense") ? Json::object() : Json{{"sparsity", 0.5}};
        const std::vector<job::Probe> kinds{job::Probe::Mask, job::Probe::Kept};
        const trace::ProbeData before = attend(id, parameters, painted, 0, kinds);
        const std::vector<float> plain = m_out;
        const trace::ProbeData probes = attend(id, parameters, painted, 1, kinds);
        const trace::ProbeTable& masks = *probes.find(ProbeKind::Mask);
        const std::int64_t record = masks.find({1, 0, 0, 1});
        ASSERT_GE(record, 0) << id;
        const bool bits[] = {false, true, true, true};
        for (std::int64_t bit = 0; bit < 4; ++bit) {
            EXPECT_EQ(trace::maskBit(masks.record(record), 2, bit / 2, bit % 2), bits[bit]) << id << " " << bit;
        }
        EXPECT_EQ(masks.find({1, 0, 0, 0}) >= 0, id != std::string("dense")) << "dense heads have no mask";
        const trace::ProbeTable& keptMass = *probes.find(ProbeKind::KeptMass);
        const auto kept = keptMass.values(keptMass.find({1, 0, 0, 1}));
        std::array<double, 2> expected{}, members{};
        for (std::int64_t query = 0; query < kGrid.tokens(); ++query) {
            const auto [out, share] =
                reference(1, query, [&](std::int64_t key) { return bits[query / 64 * 2 + key / 64]; });
            expected[static_cast<std::size_t>(query / 64)] += share;
            members[static_cast<std::size_t>(query / 64)] += 1.0;
            for (std::int64_t d = 0; d < kWidth; ++d) {
                EXPECT_NEAR(double{outAt(1, query, d)}, out[static_cast<std::size_t>(d)], 2e-4) << id;
                EXPECT_EQ(outAt(0, query, d), plain[static_cast<std::size_t>(query * kHeads * kWidth + d)]) << id;
            }
        }
        for (std::size_t tile = 0; tile < 2; ++tile) {
            EXPECT_NEAR(double{kept[tile]}, expected[tile] / members[tile], 2e-3) << id;
        }
        if (const auto* first = before.find(ProbeKind::Mask)) {
            EXPECT_LE(first->find({0, 0, 0, 1}), 1) << "before its step the method's own mask holds";
        }
    }
}

// One head from the first step on, again from the second on; another one all the while.
TEST_F(OneCall, AHeadPaintedTwiceIsAsItWasPaintedLast) {
    const Json json = Json::parse(
        R"({"changes":[{"from_step":0,"masks":[{"layer":0,"head":0,"rows":["0","0-1"]},
                                     {"layer":0,"head":1,"rows":["1","1"]}]},
            {"from_step":1,"masks":[{"layer":0,"head":0,"rows":["1","0"]}]}]})");
    const auto whatIf = job::whatIfFromJson(json);
    ASSERT_TRUE(whatIf) << whatIf.error().message;
    method::PaintedMasks painted(*whatIf);
    ASSERT_TRUE(painted.prepare(*m_ops, kGrid, 1, kHeads));
    const std::vector<job::Probe> kinds{job::Probe::Mask};
    for (const int step : {0, 1}) {
        const trace::ProbeData probes = attend("dense", Json::object(), painted, step, kinds);
        const trace::ProbeTable& masks = *probes.find(ProbeKind::Mask);
        ASSERT_EQ(masks.size(), 2) << step;
        const bool first[2][4] = {{true, false, true, true}, {false, true, true, false}};
        for (std::int64_t bit = 0; bit < 4; ++bit) {
            EXPECT_EQ(trace::maskBit(masks.record(masks.find({step, 0, 0, 0})), 2, bit / 2, bit % 2),
                      first[step][bit]);
            EXPECT_EQ(trace::maskBit(masks.record(masks.find({step, 0, 0, 1})), 2, bit / 2, bit % 2), bit % 2 == 1);
        }
    }
}

TEST_F(OneCall, MasksThatDoNotFitAreRefused) {
    const auto refusal = [&](int layer, int head, std::vector<std::vector<std::int32_t>> rows) {
        job::Change change;
        change.masks.push_back({layer, head, 64, {0, 0, 0}, std::move(rows)});
        method::PaintedMasks painted({{change}, {}});
        const Status status = painted.prepare(*m_ops, kGrid, 1, kHeads);
        return status ? std::string("taken") : status.error().message;
    };
    EXPECT_EQ(refusal(0, 0, {{0}, {1}}), "taken");
    EXPECT_THAT(refusal(1, 0, {{0}, {1}}), HasSubstr("layer 1, head 0"));
    EXPECT_THAT(refusal(0, 2, {{0}, {1}}), HasSubstr("heads 0 to 1"));
    EXPECT_THAT(refusal(0, 0, {{0}}), HasSubstr("has 1 rows, but this clip has 2"));
}

// Of queries and keys kept whole, the row of any query follows.
TEST_F(OneCall, RowsOfKeptQueriesAndKeysAreTheSoftmax) {
    method::PaintedMasks painted({});
    m_call.scale = 1.0F / std::sqrt(static_cast<float>(kWidth));
    const trace::ProbeData probes = attend("dense", Json::object(), painted, 0, {job::Probe::Qk});
    const trace::ProbeTable &queries = *probes.find(ProbeKind::AttentionQuery),
                            &keys = *probes.find(ProbeKind::AttentionKey);
    ASSERT_EQ(queries.size(), kHeads);
    for (std::int32_t head = 0; head < kHeads; ++head) {
        for (const std::int64_t query : {std::int64_t{0}, std::int64_t{64}, kGrid.tokens() - 1}) {
            const auto row = trace::attentionRow(queries.record(queries.find({0, 0, 0, head})),
                                                 keys.record(keys.find({0, 0, 0, head})), query);
            double sum = 0.0;
            for (std::int64_t key = 0; key < kGrid.tokens(); ++key) {
                const double expected =
                    reference(head, query, [&](std::int64_t seen) { return seen == key; }).second;
                EXPECT_NEAR(double{row[static_cast<std::size_t>(key)]}, expected, 3e-3);
                sum += double{row[static_cast<std::size_t>(key)]};
            }
            EXPECT_NEAR(sum, 1.0, 1e-5);
        }
    }
}

TEST_F(OneCall, ScansTellHowLongTheyRememberAndWhatTheyReview) {
    constexpr std::int64_t kScanHeads = 3;
    const method::TokenGrid review{1, 2, 3};
    const auto steps = normals(kGrid.tokens() * kScanHeads, 4), reviewed = normals(review.tokens() * kScanHeads, 5);
    const auto bias = normals(kScanHeads, 6), decay = normals(kScanHeads, 7);
    method::ScanSeen scan;
    scan.order = backend::ScanOrder::TCol;
    scan.grid = kGrid;
    scan.reviewGrid = review;
    scan.heads = kScanHeads;
    for (std::size_t direction = 0; direction < 2; ++direction) {
        scan.steps[direction] = ConstTensorView(steps.data(), DType::F32, {1, kGrid.tokens(), kScanHeads});
        scan.reviewSteps[direction] =
            ConstTensorView(reviewed.data(), DType::F32, {1, review.tokens(), kScanHeads});
        scan.stepBias[direction] = ConstTensorView(bias.data(), DType::F32, {kScanHeads});
        scan.decay[direction] = ConstTensorView(decay.data(), DType::F32, {kScanHeads});
    }
    const auto probes = recorder({job::Probe::Scan});
    const auto method = method::createAttentionMethod("dense", Json::object());
    method::RunContext context{.ops = *m_ops, .arena = *m_arena, .selfAttention = **method, .cancel = {}};
    context.step = 0;
    ASSERT_TRUE(probes->scanReady(context, scan));
    const trace::ProbeData data = probes->take();
    const trace::ProbeInfo& info = data.info;
    EXPECT_EQ(info.scan, (trace::ScanInfo{kScanHeads, 2, {1, 2, 3}}));
    const auto lives = data.find(ProbeKind::ScanMemory)->values(0);
    const auto shares = data.find(ProbeKind::ReviewWeight)->values(0);
    const auto dt = [&](const std::vector<float>& from, std::int64_t token, std::int64_t head) {
        const double x = double{from[static_cast<std::size_t>(token * kScanHeads + head)]} +
                         double{bias[static_cast<std::size_t>(head)]};
        return std::log(1.0 + std::exp(x));
    };
    const std::vector<std::int32_t> order = backend::makeScan(review, scan.order);
    for (std::int64_t head = 0; head < kScanHeads; ++head) {
        const double rate = std::exp(double{decay[static_cast<std::size_t>(head)]});
        std::vector<double> logs(static_cast<std::size_t>(info.blockCount())), counts(logs.size());
        for (std::int64_t token = 0; token < kGrid.tokens(); ++token) {
            const auto block = static_cast<std::size_t>(info.blockOf(token));
            logs[block] += std::log(std::log(2.0) / (dt(steps, token, head) * rate));
            counts[block] += 1.0;
        }
        for (std::size_t block = 0; block < logs.size(); ++block) {
            const double expected = std::min(65504.0, std::exp(logs[block] / counts[block]));
            const auto at = static_cast<std::size_t>(head) * logs.size() + block;
            EXPECT_NEAR(double{lives[at]} / expected, 1.0, 1e-3);
            EXPECT_EQ(lives[at], lives[at + kScanHeads * logs.size()]) << "tied directions";
        }
        // One review token after the other, as the recurrence h = exp(-Δ|A|)·h + Δ·x does it.
        std::vector<double> state(order.size());
        double sum = 0.0;
        for (const std::int32_t token : order) {
            for (double& value : state) {
                value *= std::exp(-dt(reviewed, token, head) * rate);
            }
            state[static_cast<std::size_t>(token)] = dt(reviewed, token, head);
        }
        for (const double value : state) {
            sum += value;
        }
        for (std::size_t token = 0; token < state.size(); ++token) {
            const auto at = static_cast<std::size_t>(head) * state.size() + token;
            EXPECT_NEAR(double{shares[at]}, state[token] / sum, 1e-3);
            EXPECT_EQ(shares[at + kScanHeads * state.size()], 0.0F) << "the backward scan reviews nothing";
        }
    }
}

TEST_F(OneCall, AStandInsErrorIsItsDifferenceFromTheTruth) {
    const auto probes = recorder({job::Probe::Error});
    const auto method = method::createAttentionMethod("dense", Json::object());
    method::RunContext context{.ops = *m_ops, .arena = *m_arena, .selfAttention = **method, .cancel = {}};
    context.step = 1;
    EXPECT_TRUE(probes->wantsStandIns(context, 0));
    EXPECT_TRUE(probes->wantsStandIns(context, -1));
    const ConstTensorView a(m_q.data(), DType::F32, {1, 10, 12}), b(m_k.data(), DType::F32, {1, 10, 12});
    ASSERT_TRUE(probes->standInSeen(context, trace::Module::CrossAttention, 0, a, b));
    // Latents have an axis more.
    ASSERT_TRUE(probes->standInSeen(context, trace::Module::Blocks, -1,
                                    ConstTensorView(m_q.data(), DType::F32, {2, 5, 3, 4}),
                                    ConstTensorView(m_k.data(), DType::F32, {2, 5, 3, 4})));
    double squares = 0.0, sizes = 0.0, moved = 0.0, size = 0.0;
    for (std::size_t i = 0; i < 120; ++i) {
        squares += std::pow(double{m_q[i]} - double{m_k[i]}, 2.0);
        moved += std::abs(double{m_q[i]} - double{m_k[i]});
        sizes += std::pow(double{m_k[i]}, 2.0);
        size += std::abs(double{m_k[i]});
    }
    const trace::ProbeData data = probes->take();
    const trace::ProbeTable& table = *data.find(ProbeKind::CacheError);
    for (const auto& [site, module] : {std::pair(trace::ProbeSite{1, 0, 0, -1}, trace::Module::CrossAttention),
                                       std::pair(trace::ProbeSite{1, 0, -1, -1}, trace::Module::Blocks)}) {
        const std::int64_t record = table.find(site, static_cast<std::int32_t>(module));
        ASSERT_GE(record, 0);
        EXPECT_NEAR(double{table.values(record)[0]}, squares / sizes, 1e-4);
        EXPECT_NEAR(double{table.values(record)[1]}, moved / size, 1e-4);
    }
}

job::GenerationRequest tinyRequest() {
    return miniRequest(5);
}

class WhatIfRuns : public MiniRuns {
 protected:
    // Where a step cache stood in: of the conditional pass.
    static std::set<int> reusedSteps(const trace::Trace& trace) {
        std::set<int> steps;
        for (const trace::Row& row : trace.rows()) {
            if (row.source != trace::Source::Computed) {
                steps.insert(row.step);
            }
        }
        return steps;
    }
};

TEST_F(WhatIfRuns, AMaskFromAStepOnIsTheBranchThatTurnsThere) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_what_if_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    job::GenerationRequest request = tinyRequest();
    GeneratorOptions options;
    options.stepFolder = folder;
    const MiniRun first = make(request, options);
    ASSERT_TRUE(first.report) << first.report.error().message;
    // 2 x 4 x 4 tokens in boxes of a frame's quarter each: every box sees itself alone.
    Json rows = Json::array();
    for (int tile = 0; tile < 8; ++tile) {
        rows.push_back(std::to_string(tile));
    }
    request.whatIf =
        Json{{"from_step", 3}, {"masks", {{{"layer", 2}, {"head", 1}, {"box", {1, 2, 2}}, {"rows", rows}}}}};
    request.probes = Json{{"kinds", {"mask"}}, {"steps", "all"}};
    const MiniRun painted = make(request);
    ASSERT_TRUE(painted.report) << painted.report.error().message;
    EXPECT_NE(painted.latents, first.latents);
    const trace::ProbeTable& masks = *painted.trace.probes.find(ProbeKind::Mask);
    ASSERT_EQ(masks.size(), 2) << "steps 3 and 4 of one head";
    EXPECT_EQ(masks.site(0), (trace::ProbeSite{3, 0, 2, 1}));

    GeneratorOptions branch;
    branch.branchFrom = folder / stepFileName(3);
    EXPECT_EQ(make(request, branch).latents, painted.latents);

    // The same from what is left of the run without the change: the first file that serves.
    GeneratorOptions rest;
    const std::filesystem::path damaged = folder / "damaged.safetensors";
    std::ofstream(damaged) << "no checkpoint";
    rest.unchangedSteps = {folder / "absent.safetensors", damaged, folder / stepFileName(2),
                           folder / stepFileName(1)};
    const MiniRun resumed = make(request, rest);
    ASSERT_TRUE(resumed.report) << resumed.report.error().message;
    EXPECT_EQ(resumed.latents, painted.latents);
    EXPECT_EQ(resumed.report->resumedSteps, 2);
    rest.unchangedSteps = {damaged};
    const MiniRun anew = make(request, rest);
    EXPECT_EQ(anew.latents, painted.latents);
    EXPECT_EQ(anew.report->resumedSteps, 0);
    job::GenerationRequest other = request;
    other.seed = 12;
    rest.unchangedSteps = {folder / stepFileName(2)};
    EXPECT_EQ(make(other, rest).report->resumedSteps, 0) << "of another run";
    std::filesystem::remove_all(folder);

    // Everything painted: the method's own result, up to the order of sums.
    (*request.whatIf)["masks"][0]["rows"] = Json(std::vector<std::string>(8, "0-7"));
    const MiniRun whole = make(request);
    ASSERT_EQ(whole.latents.size(), first.latents.size());
    for (std::size_t i = 0; i < first.latents.size(); ++i) {
        EXPECT_NEAR(whole.latents[i], first.latents[i], 1e-3F);
    }
    (*request.whatIf)["from_step"] = 5;
    EXPECT_FALSE(make(request).report) << "there are steps 0 to 4";
}

// All records of masks have one shape: of a run's tiles the method's, or those first painted in, are recorded.
TEST_F(WhatIfRuns, MasksInTilesOfSeveralKindsAreRecordedInOne) {
    const auto everything = [](int layer, int head, int size) {
        const int tiles = 32 / size;
        return Json{
            {"layer", layer},
            {"head", head},
            {"size", size},
            {"rows", std::vector<std::string>(static_cast<std::size_t>(tiles), "0-" + std::to_string(tiles - 1))}};
    };
    const auto made = [&](job::GenerationRequest request, const Json& masks) {
        request.whatIf = Json{{"from_step", 0}, {"masks", masks}};
        request.probes = Json{{"kinds", {"mask", "kept"}}, {"steps", "all"}};
        MiniRun run = make(request);
        EXPECT_TRUE(run.report) << run.report.error().message;
        std::int64_t bytes = 0;
        for (const auto& [kind, table] : run.trace.probes.tables) {
            bytes += table.data().bytes() + 5 * 4 * table.size();
        }
        EXPECT_EQ(bytes, run.report->plan.probes.bytes) << "the forecast";
        return std::move(run.trace.probes);
    };
    using Sites = std::set<std::pair<int, int>>;
    const auto sites = [](const trace::ProbeData& probes, ProbeKind kind) {
        Sites seen;
        const trace::ProbeTable* const table = probes.find(kind);
        for (std::int64_t i = 0; table != nullptr && i < table->size(); ++i) {
            seen.emplace(table->site(i).layer, table->site(i).head);
        }
        return seen;
    };
    const Json painted{everything(0, 0, 16), everything(1, 0, 2), everything(1, 1, 16)};

    const trace::ProbeData dense = made(tinyRequest(), painted);
    EXPECT_EQ(dense.info.mask, (trace::MaskTiles{16, {0, 0, 0}})) << "the first ones";
    for (const ProbeKind kind : {ProbeKind::Mask, ProbeKind::KeptMass}) {
        EXPECT_EQ(sites(dense, kind), (Sites{{0, 0}, {1, 1}}));
        EXPECT_EQ(dense.find(kind)->size(), 2 * 5);
    }

    // Layer 0 is dense but for what is painted, and is computed before the method's first layer.
    job::GenerationRequest sparse = tinyRequest();
    sparse.method = "sliding_window";
    sparse.methodParameters = {{"sparsity", 0.5}, {"dense_layers", 1}};
    const trace::ProbeData windows = made(sparse, painted);
    EXPECT_EQ(windows.info.mask, trace::MaskTiles{}) << "the method's";
    for (const ProbeKind kind : {ProbeKind::Mask, ProbeKind::KeptMass}) {
        const Sites seen = sites(windows, kind);
        EXPECT_TRUE(std::none_of(seen.begin(), seen.end(), [](const auto& site) { return site.first == 0; }));
        EXPECT_EQ(seen.count({1, 0}) + seen.count({1, 1}), 0U) << "painted over in other tiles";
        EXPECT_EQ(seen.count({1, 2}), 1U);
    }
}

// Another sparsity from a step on: what a branch with it makes, and the plan knows what each step costs.
TEST_F(WhatIfRuns, AParameterFromAStepOnIsTheBranchThatTurnsThere) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_what_if_set_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    job::GenerationRequest request = tinyRequest();
    request.method = "sliding_window";
    request.methodParameters = {{"sparsity", 0.8}};
    GeneratorOptions options;
    options.stepFolder = folder;
    const MiniRun first = make(request, options);
    ASSERT_TRUE(first.report) << first.report.error().message;
    job::GenerationRequest denser = request;
    denser.methodParameters["sparsity"] = 0.25;
    GeneratorOptions branch;
    branch.branchFrom = folder / stepFileName(3);
    const MiniRun turned = make(denser, branch);
    ASSERT_TRUE(turned.report) << turned.report.error().message;

    request.whatIf = Json{{"from_step", 3}, {"set", {{"sparsity", 0.25}}}};
    const MiniRun changed = make(request);
    ASSERT_TRUE(changed.report) << changed.report.error().message;
    EXPECT_NE(changed.latents, first.latents);
    EXPECT_EQ(changed.latents, turned.latents);
    const auto& steps = changed.report->plan.stepFlops;
    EXPECT_EQ(steps[2], first.report->plan.stepFlops[2]);
    EXPECT_EQ(steps[3], turned.report->plan.stepFlops[3]);
    EXPECT_GT(steps[3], steps[2]);
    GeneratorOptions rest;
    rest.unchangedSteps = {folder / stepFileName(3)};
    const MiniRun resumed = make(request, rest);
    EXPECT_EQ(resumed.latents, changed.latents);
    EXPECT_EQ(resumed.report->resumedSteps, 3);
    std::filesystem::remove_all(folder);

    const auto refusal = [&](const Json& set) {
        request.whatIf = Json{{"from_step", 3}, {"set", set}};
        const MiniRun run = make(request);
        return run.report ? std::string("taken") : run.report.error().message;
    };
    EXPECT_THAT(refusal({{"dense_steps", 2}}), HasSubstr("'dense_steps' cannot change on the way"));
    EXPECT_THAT(refusal({{"nonsense", 2}}), HasSubstr("sparsity can"));
    EXPECT_THAT(refusal({{"sparsity", 7}}), HasSubstr("sparsity"));
    EXPECT_THAT(refusal({{"sparsity", "much"}}), HasSubstr("set must be"));
    EXPECT_THAT(refusal(Json::array()), HasSubstr("set must be"));
    request.method = "dense";
    request.methodParameters = Json::object();
    EXPECT_THAT(refusal({{"sparsity", 0.5}}), HasSubstr("nothing of it can"));
}

// SALAD's branch, let in from a step on: whoever makes its gate's logits asks the method of that step.
TEST_F(WhatIfRuns, ABranchLetInLaterHasItsGate) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_what_if_gate_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    job::GenerationRequest request = tinyRequest();
    request.method = "salad";
    request.methodParameters = {{"sparsity", 0.6}, {"branch_scale", 0.0}};
    request.adapters = {{request.model + "/adapters/salad.safetensors", 1.0}};
    GeneratorOptions options;
    options.stepFolder = folder;
    const MiniRun without = make(request, options);
    ASSERT_TRUE(without.report) << without.report.error().message;
    job::GenerationRequest with = request;
    with.methodParameters["branch_scale"] = 1.0;
    GeneratorOptions branch;
    branch.branchFrom = folder / stepFileName(3);
    const MiniRun turned = make(with, branch);
    ASSERT_TRUE(turned.report) << turned.report.error().message;
    request.whatIf = Json{{"from_step", 3}, {"set", {{"branch_scale", 1.0}}}};
    const MiniRun changed = make(request);
    ASSERT_TRUE(changed.report) << changed.report.error().message;
    EXPECT_NE(changed.latents, without.latents);
    EXPECT_EQ(changed.latents, turned.latents);
    EXPECT_EQ(changed.report->plan.stepFlops[2], without.report->plan.stepFlops[2]);
    EXPECT_EQ(changed.report->plan.stepFlops[3], turned.report->plan.stepFlops[3]);
    std::filesystem::remove_all(folder);
}

// A setting that changes twice: the second change is that of a branch from the first.
TEST_F(WhatIfRuns, ABranchOfABranchKeepsWhatTheFirstChanged) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_what_if_twice_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    job::GenerationRequest request = tinyRequest();
    request.method = "sliding_window";
    request.methodParameters = {{"sparsity", 0.8}};
    request.whatIf = Json{{"from_step", 1}, {"set", {{"sparsity", 0.25}}}};
    GeneratorOptions options;
    options.stepFolder = folder;
    const MiniRun once = make(request, options);
    ASSERT_TRUE(once.report) << once.report.error().message;

    const auto add = [&](const Json& asked) {
        job::GenerationRequest more = request;
        job::setWhatIf(more, job::combined(*job::whatIfOf(request), *job::whatIfFromJson(asked)));
        return more;
    };
    const job::GenerationRequest twice = add({{"from_step", 3}, {"set", {{"sparsity", 0.5}}}});
    GeneratorOptions branch;
    branch.branchFrom = folder / stepFileName(2);
    const MiniRun whole = make(twice), turned = make(twice, branch);
    ASSERT_TRUE(whole.report && turned.report) << turned.report.error().message;
    EXPECT_EQ(turned.latents, whole.latents);
    EXPECT_NE(turned.latents, once.latents);
    const auto& steps = whole.report->plan.stepFlops;
    EXPECT_EQ(steps[2], once.report->plan.stepFlops[2]);
    EXPECT_LT(steps[3], once.report->plan.stepFlops[3]) << "0.25, then 0.5";

    // What would have begun before cannot be had from here; nor may the checkpoint's own change be left out.
    const auto refusal = [&](const job::GenerationRequest& asked) {
        const MiniRun run = make(asked, branch);
        return run.report ? std::string("taken") : run.report.error().message;
    };
    EXPECT_EQ(refusal(add({{"from_step", 2}, {"set", {{"sparsity", 0.5}}}})), "taken");
    EXPECT_THAT(refusal(add({{"from_step", 1}, {"set", {{"sparsity", 0.5}}}})),
                AllOf(HasSubstr("changes at step 1"), HasSubstr("branch at step 1 or before"),
                      HasSubstr("from step 2 on")));
    EXPECT_THAT(refusal(add({{"set", {{"sparsity", 0.5}}}})), HasSubstr("make the clip from its beginning"));
    EXPECT_THAT(refusal(add({{"compute", {1}}})), HasSubstr("branch at step 1 or before"));
    job::GenerationRequest without = request;
    without.whatIf.reset();
    EXPECT_THAT(refusal(without), HasSubstr("changes at step 1"));
    without.method = "dense";
    without.methodParameters = Json::object();
    EXPECT_EQ(refusal(without), "taken") << "another method has no use for the setting";
    std::filesystem::remove_all(folder);
}

TEST_F(WhatIfRuns, ABranchDoesNotGuessWhatAStepCacheWouldHaveKept) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_branch_pab_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    job::GenerationRequest request = tinyRequest();
    request.cache = "pab";
    request.cacheParameters = {{"from", 0.0}, {"to", 1.0}, {"cross_range", 2}};
    GeneratorOptions options;
    options.stepFolder = folder;
    ASSERT_TRUE(make(request, options).report);
    GeneratorOptions branch;
    branch.branchFrom = folder / stepFileName(2);
    ASSERT_TRUE(make(request, branch).report) << "here it computes everything anew";
    request.whatIf = Json{{"compute", {2}}};
    const MiniRun refused = make(request, branch);
    ASSERT_FALSE(refused.report);
    EXPECT_THAT(refused.report.error().message,
                AllOf(HasSubstr("at step 2 the step cache pab"), HasSubstr("or branch without a step cache")));
    request.cache = "none";
    request.cacheParameters = Json::object();
    EXPECT_TRUE(make(request, branch).report);
    std::filesystem::remove_all(folder);
}

TEST_F(WhatIfRuns, StepsAreKeptAsFarAsThereIsRoom) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_room_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    GeneratorOptions options;
    options.stepFolder = folder;
    options.stepBytes = 5 * 16 * 2 * 8 * 8 * 4 * 2;  // two of five checkpoints
    ASSERT_TRUE(make(tinyRequest(), options).report);
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        names.insert(file.path().filename().string());
    }
    EXPECT_EQ(names, std::set<std::string>{stepFileName(3)});
    options.stepFolder = folder / "absent" / "folder";
    EXPECT_TRUE(make(tinyRequest(), options).report) << "it is a cache";
    options.stepBytes = 0;
    const MiniRun unwritten = make(tinyRequest(), options);
    ASSERT_TRUE(unwritten.report) << "the clip is worth more";
    EXPECT_FALSE(unwritten.report->notes.empty()) << "what was asked for and is not there is told";
    std::filesystem::remove_all(folder);
}

// PAB keeps modules over steps: only where it computes all anew may a run begin.
TEST_F(WhatIfRuns, AChangedRunWithACacheIsTheSameFromWhereverItBegins) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_pab_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    job::GenerationRequest request = tinyRequest();
    request.cache = "pab";
    request.cacheParameters = {{"from", 0.0}, {"to", 1.0}, {"cross_range", 2}};
    GeneratorOptions options;
    options.stepFolder = folder;
    ASSERT_TRUE(make(request, options).report);
    for (const int computed : {2, 3}) {
        request.whatIf = Json{{"compute", {computed}}};
        const MiniRun whole = make(request);
        options = {};
        for (int step = computed; step > 0; --step) {
            options.unchangedSteps.push_back(folder / stepFileName(step));
        }
        const MiniRun later = make(request, options);
        ASSERT_TRUE(later.report) << later.report.error().message;
        EXPECT_EQ(later.latents, whole.latents) << computed;
        EXPECT_EQ(later.report->resumedSteps, 0) << "step 2 keeps nothing for step 3 once the cache stands aside";
    }
    std::filesystem::remove_all(folder);
}

TEST_F(WhatIfRuns, ACacheStandsAsideWhereItIsTold) {
    job::GenerationRequest request = tinyRequest();
    request.cache = "pab";
    request.cacheParameters = {{"from", 0.0}, {"to", 1.0}, {"cross_range", 2}};
    const MiniRun plain = make(request);
    ASSERT_TRUE(plain.report) << plain.report.error().message;
    ASSERT_EQ(reusedSteps(plain.trace), (std::set<int>{1, 3}));
    request.whatIf = Json{{"compute", {3}}};
    const MiniRun aside = make(request);
    ASSERT_TRUE(aside.report) << aside.report.error().message;
    EXPECT_EQ(reusedSteps(aside.trace), (std::set<int>{1}));
    EXPECT_NE(aside.latents, plain.latents);
    EXPECT_GT(aside.report->plan.totalFlops(), plain.report->plan.totalFlops()) << "the plan knows";
    request.whatIf = Json{{"compute", {2}}};
    const MiniRun before = make(request);
    ASSERT_TRUE(before.report) << before.report.error().message;
    EXPECT_EQ(reusedSteps(before.trace), (std::set<int>{1})) << "at step 3 only what step 0 left is there: too old";
    EXPECT_EQ(before.report->plan.totalFlops(), aside.report->plan.totalFlops()) << "the plan knows";
}

// Sites (PAB) and whole blocks (the others): their errors are measured, and nothing else changes.
TEST_F(WhatIfRuns, MeasuredErrorsOfCachesChangeNothing) {
    const std::pair<const char*, Json> caches[] = {{"pab", {{"from", 0.0}, {"to", 1.0}}},
                                                   {"first_block", {{"threshold", 0.9}}},
                                                   {"easycache", {{"threshold", 0.9}}}};
    for (const auto& [id, parameters] : caches) {
        job::GenerationRequest request = tinyRequest();
        request.cache = id;
        request.cacheParameters = parameters;
        const MiniRun plain = make(request);
        ASSERT_TRUE(plain.report) << id << ": " << plain.report.error().message;
        request.probes = Json{{"kinds", {"error"}}};
        const MiniRun measured = make(request);
        ASSERT_TRUE(measured.report) << id << ": " << measured.report.error().message;
        EXPECT_EQ(measured.latents, plain.latents) << id;
        EXPECT_EQ(measured.report->plan.totalFlops(), plain.report->plan.totalFlops()) << id;
        const std::set<int> reused = reusedSteps(plain.trace);
        ASSERT_FALSE(reused.empty()) << id;
        const trace::ProbeTable* table = measured.trace.probes.find(ProbeKind::CacheError);
        ASSERT_NE(table, nullptr) << id;
        for (std::int64_t i = 0; i < table->size(); ++i) {
            EXPECT_TRUE(reused.contains(table->site(i).step)) << id;
            EXPECT_GT(table->values(i)[0], 0.0F) << id;
            EXPECT_LT(table->values(i)[0], 10.0F) << id;
        }
    }
}

TEST_F(WhatIfRuns, LooksAtARunningJob) {
    job::GenerationRequest request = tinyRequest();
    const MiniRun plain = make(request);
    std::vector<std::size_t> rows;
    std::vector<std::int64_t> maps;
    int steps = 0;
    GeneratorOptions options;
    options.probesWanted = [&]() -> std::optional<Json> {
        return ++steps == 2 ? std::optional(Json{{"kinds", {"map"}}, {"steps", "all"}}) : std::nullopt;
    };
    options.traceSoFar = [&](trace::Trace& trace, int step) {
        EXPECT_EQ(step, static_cast<int>(rows.size()) + 1);
        rows.push_back(trace.rows().size());
        const auto* table = trace.probes.find(ProbeKind::AttentionMap);
        maps.push_back(table == nullptr ? 0 : table->size());
    };
    const MiniRun watched = make(request, options);
    ASSERT_TRUE(watched.report) << watched.report.error().message;
    EXPECT_EQ(watched.latents, plain.latents) << "who looks changes nothing";
    ASSERT_EQ(rows.size(), 5U);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    EXPECT_EQ(maps, (std::vector<std::int64_t>{0, 0, 32, 64, 96})) << "8 layers of 4 heads from the third step on";
    EXPECT_EQ(watched.trace.probes.find(ProbeKind::AttentionMap)->size(), 96);
    EXPECT_EQ(watched.trace.metadata["request"]["probes"]["kinds"], Json({"map"}));

    steps = 0;
    options.traceSoFar = {};
    options.probesWanted = [&] { return std::optional(Json{{"kinds", {"row"}}, {"queries", {99999}}}); };
    const MiniRun refused = make(request, options);
    ASSERT_TRUE(refused.report) << "a look that cannot be had does not end the run";
    EXPECT_THAT(refused.trace.metadata["probes_refused"].get<std::string>(), HasSubstr("99999"));
}

}  // namespace
}  // namespace fw::pipeline
