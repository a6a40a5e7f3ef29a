// What probes record against double precision, and that looking changes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "core/backend/arena.h"
#include "core/pipeline/probe_recorder.h"
#include "mini_runs.h"

namespace fw::pipeline {
namespace {

using method::TokenGrid;
using testing::HasSubstr;
using trace::ProbeKind;

constexpr std::int64_t kHeads = 2, kWidth = 16;
constexpr float kScale = 0.25F;
constexpr TokenGrid kGrid{5, 6, 9};  // 270 tokens: four runs of 64 and a rest

ProbeSetup setupOf(const TokenGrid& grid, std::vector<job::Probe> kinds, std::int64_t samples = 0) {
    ProbeSetup setup;
    setup.selection.kinds = std::move(kinds);
    setup.info.grid = {grid.frames, grid.height, grid.width};
    setup.info.pool = {2, 4, 3};
    setup.info.heads = kHeads;
    setup.info.layers = 2;
    setup.info.samples = samples;
    setup.info.steps = {0};
    setup.info.probedLayers = {0, 1};
    setup.steps = 2;
    setup.readsRows = true;
    return setup;
}

// One self-attention call of random operands on the CPU, with a recorder beside it.
class Probes : public testing::Test {
 protected:
    void SetUp() override {
        m_device = std::move(*backend::createDevice("cpu"));
        m_ops = std::move(*m_device->createOps({.threads = 1}));
        m_arena = std::move(*backend::Arena::create(*m_device, 1 << 22));
        m_q = random(1);
        m_k = random(2);
        m_v = random(3);
        m_out.assign(m_q.size(), 0.0F);
    }

    static std::vector<float> random(unsigned seed) {
        std::mt19937 generator(seed);
        std::normal_distribution<float> normal(0.0F, 1.5F);
        std::vector<float> values(static_cast<std::size_t>(kGrid.tokens() * kHeads * kWidth));
        std::generate(values.begin(), values.end(), [&] { return normal(generator); });
        return values;
    }

    trace::ProbeData record(const std::string& id, const Json& parameters, ProbeSetup setup) {
        auto method = method::createAttentionMethod(id, parameters);
        FW_CHECK(method.has_value(), "{}", method.error().message);
        auto recorder = ProbeRecorder::create(*m_device, *m_ops, std::move(setup));
        FW_CHECK(recorder.has_value(), "{}", recorder.error().message);
        method::RunContext context{.ops = *m_ops, .arena = *m_arena, .selfAttention = **method, .cancel = {}};
        context.step = 0;
        context.probes = recorder->get();
        const Shape shape{1, kGrid.tokens(), kHeads, kWidth};
        method::SelfAttentionCall call;
        call.q = ConstTensorView(m_q.data(), DType::F32, shape);
        call.k = ConstTensorView(m_k.data(), DType::F32, shape);
        call.v = ConstTensorView(m_v.data(), DType::F32, shape);
        call.out = TensorView(m_out.data(), DType::F32, shape);
        call.grid = kGrid;
        call.scale = kScale;
        call.layer = 1;
        EXPECT_TRUE((*method)->attend(context, call));
        EXPECT_TRUE((*recorder)->attentionDone(context, call));
        m_work = context.attentionWork;
        return (*recorder)->take();
    }

    // softmax(scale q kᵀ) of one head in double precision, row after row.
    [[nodiscard]] std::vector<double> softmax(std::int64_t head) const {
        const std::int64_t n = kGrid.tokens();
        std::vector<double> rows(static_cast<std::size_t>(n * n));
        for (std::int64_t i = 0; i < n; ++i) {
            double* row = rows.data() + i * n;
            double sum = 0.0;
            for (std::int64_t j = 0; j < n; ++j) {
                double dot = 0.0;
                for (std::int64_t d = 0; d < kWidth; ++d) {
                    dot += double{m_q[static_cast<std::size_t>((i * kHeads + head) * kWidth + d)]} *
                           double{m_k[static_cast<std::size_t>((j * kHeads + head) * kWidth + d)]};
                }
                row[j] = std::exp(double{kScale} * dot);
                sum += row[j];
            }
            std::for_each(row, row + n, [&](double& value) { value /= sum; });
        }
        return rows;
    }

    std::unique_ptr<backend::Device> m_device;
    std::unique_ptr<backend::Ops> m_ops;
    std::unique_ptr<backend::Arena> m_arena;
    std::vector<float> m_q, m_k, m_v, m_out;
    method::AttentionWork m_work;
};

TEST_F(Probes, MapsEqualTheSoftmaxInDoublePrecision) {
    const trace::ProbeData probes =
        record("dense", Json::object(), setupOf(kGrid, {job::Probe::Map, job::Probe::Mask, job::Probe::Kept}));
    const trace::ProbeTable& maps = *probes.find(ProbeKind::AttentionMap);
    ASSERT_EQ(maps.size(), kHeads);
    EXPECT_EQ(probes.find(ProbeKind::Mask), nullptr) << "dense attention leaves nothing out";
    EXPECT_EQ(probes.find(ProbeKind::KeptMass), nullptr);
    const std::int64_t n = kGrid.tokens(), blocks = probes.info.blockCount();
    ASSERT_EQ(blocks, 3 * 2 * 3);
    for (std::int64_t head = 0; head < kHeads; ++head) {
        const std::vector<double> rows = softmax(head);
        std::vector<double> expected(static_cast<std::size_t>(blocks * blocks));
        std::vector<double> sizes(static_cast<std::size_t>(blocks));
        for (std::int64_t i = 0; i < n; ++i) {
            sizes[static_cast<std::size_t>(probes.info.blockOf(i))] += 1.0;
            for (std::int64_t j = 0; j < n; ++j) {
                expected[static_cast<std::size_t>(probes.info.blockOf(i) * blocks + probes.info.blockOf(j))] +=
                    rows[static_cast<std::size_t>(i * n + j)];
            }
        }
        const std::int64_t index = maps.find({0, 0, 1, static_cast<std::int32_t>(head)});
        ASSERT_GE(index, 0);
        const std::vector<float> map = maps.values(index);
        for (std::size_t row = 0; row < sizes.size(); ++row) {
            double sum = 0.0;
            for (std::size_t column = 0; column < sizes.size(); ++column) {
                const std::size_t at = row * sizes.size() + column;
                EXPECT_NEAR(static_cast<double>(map[at]), expected[at] / sizes[row], 5e-4);
                sum += static_cast<double>(map[at]);
            }
            EXPECT_NEAR(sum, 1.0, 2e-3);
        }
    }
}

// What a few queries of each block say is the exact mean over those queries, and near the mean over all of them:
// the error of a mean of two is bounded by the spread of what it is taken of.
TEST_F(Probes, AFewQueriesStandForTheirBlock) {
    // Neighbours in the grid look alike, as tokens of a clip do.
    for (std::int64_t token = 0; token < kGrid.tokens(); ++token) {
        const auto place = [&](std::int64_t d) {
            const std::int64_t at[] = {token / kGrid.plane(), token / kGrid.width % kGrid.height,
                                       token % kGrid.width};
            return static_cast<float>(2.0 * std::sin(0.25 * static_cast<double>(at[d % 3] + d)));
        };
        for (std::int64_t i = 0; i < kHeads * kWidth; ++i) {
            const auto at = static_cast<std::size_t>(token * kHeads * kWidth + i);
            m_q[at] = 0.2F * m_q[at] + place(i % kWidth);
            m_k[at] = 0.2F * m_k[at] + place(i % kWidth);
        }
    }
    const auto errorOf = [&](std::int64_t samples) {
        const trace::ProbeData probes =
            record("dense", Json::object(), setupOf(kGrid, {job::Probe::Map, job::Probe::Stats}, samples));
        const std::int64_t n = kGrid.tokens(), blocks = probes.info.blockCount();
        double error = 0.0;
        for (std::int64_t head = 0; head < kHeads; ++head) {
            const std::vector<double> rows = softmax(head);
            std::vector<double> expected(static_cast<std::size_t>(blocks * blocks));
            std::vector<double> sizes(static_cast<std::size_t>(blocks));
            for (std::int64_t i = 0; i < n; ++i) {
                sizes[static_cast<std::size_t>(probes.info.blockOf(i))] += 1.0;
                for (std::int64_t j = 0; j < n; ++j) {
                    expected[static_cast<std::size_t>(probes.info.blockOf(i) * blocks + probes.info.blockOf(j))] +=
                        rows[static_cast<std::size_t>(i * n + j)];
                }
            }
            const trace::ProbeTable& maps = *probes.find(ProbeKind::AttentionMap);
            const std::vector<float> map = maps.values(maps.find({0, 0, 1, static_cast<std::int32_t>(head)}));
            for (std::int64_t row = 0; row < blocks; ++row) {
                double moved = 0.0, sum = 0.0;  // half the absolute differences: mass in the wrong block
                for (std::int64_t column = 0; column < blocks; ++column) {
                    const auto at = static_cast<std::size_t>(row * blocks + column);
                    moved += 0.5 * std::abs(static_cast<double>(map[at]) -
                                            expected[at] / sizes[static_cast<std::size_t>(row)]);
                    sum += static_cast<double>(map[at]);
                }
                EXPECT_NEAR(sum, 1.0, 2e-3) << "few queries or many, a row is a mean of softmax rows";
                error += moved / static_cast<double>(blocks * kHeads);
            }
        }
        return error;
    };
    const double all = errorOf(0), eight = errorOf(8), two = errorOf(2), one = errorOf(1);
    EXPECT_LT(all, 1e-3);
    EXPECT_LT(eight, two);
    EXPECT_LT(two, one);
    EXPECT_LT(two, 0.1) << "a tenth of the mass at most lies in another block than it should";
}

// With as many sums as there are pairs of tokens here, what rows come to is fetched in five batches; no more than a
// few are on their way at a time.
TEST(ProbedRows, OfManyBatchesAreAllAdded) {
    constexpr TokenGrid kLarge{8, 16, 32};
    const std::int64_t n = kLarge.tokens();
    const auto device = std::move(*backend::createDevice("cpu"));
    const auto ops = std::move(*device->createOps({.threads = 2}));
    const auto arena = std::move(*backend::Arena::create(*device, 1 << 20));
    const auto method = std::move(*method::createAttentionMethod("dense", Json::object()));
    std::mt19937 generator(5);
    std::normal_distribution<float> normal(0.0F, 1.5F);
    std::vector<float> q(static_cast<std::size_t>(n * kHeads * kWidth)), k(q.size());
    std::generate(q.begin(), q.end(), [&] { return normal(generator); });
    std::generate(k.begin(), k.end(), [&] { return normal(generator); });
    ProbeSetup setup = setupOf(kLarge, {job::Probe::Map, job::Probe::Stats});
    setup.info.pool = {1, 1, 2};
    const auto recorder = std::move(*ProbeRecorder::create(*device, *ops, setup));
    method::RunContext context{.ops = *ops, .arena = *arena, .selfAttention = *method, .cancel = {}};
    context.step = 0;
    method::SelfAttentionCall call;
    call.q = ConstTensorView(q.data(), DType::F32, {1, n, kHeads, kWidth});
    call.k = ConstTensorView(k.data(), DType::F32, {1, n, kHeads, kWidth});
    call.grid = kLarge;
    call.scale = kScale;
    ASSERT_TRUE(recorder->attentionDone(context, call));
    const trace::ProbeData probes = recorder->take();
    const std::int64_t blocks = n / 2;
    ASSERT_EQ(probes.info.blockCount(), blocks);
    const trace::ProbeTable& maps = *probes.find(ProbeKind::AttentionMap);
    for (std::int64_t head = 0; head < kHeads; ++head) {
        const std::vector<float> map = maps.values(maps.find({0, 0, 0, static_cast<std::int32_t>(head)}));
        for (std::int64_t block = 100; block < blocks; block += 300) {  // of every batch
            std::vector<double> expected(static_cast<std::size_t>(blocks));
            for (const std::int64_t query : {2 * block, 2 * block + 1}) {
                std::vector<double> row(static_cast<std::size_t>(n));
                double sum = 0.0;
                for (std::int64_t key = 0; key < n; ++key) {
                    double dot = 0.0;
                    for (std::int64_t d = 0; d < kWidth; ++d) {
                        dot += double{q[static_cast<std::size_t>((query * kHeads + head) * kWidth + d)]} *
                               double{k[static_cast<std::size_t>((key * kHeads + head) * kWidth + d)]};
                    }
                    sum += row[static_cast<std::size_t>(key)] = std::exp(double{kScale} * dot);
                }
                for (std::int64_t key = 0; key < n; ++key) {
                    expected[static_cast<std::size_t>(key / 2)] += row[static_cast<std::size_t>(key)] / sum / 2.0;
                }
            }
            for (std::int64_t column = 0; column < blocks; ++column) {
                const double value = expected[static_cast<std::size_t>(column)];
                ASSERT_NEAR(static_cast<double>(map[static_cast<std::size_t>(block * blocks + column)]), value,
                            1e-6 + 1e-3 * value)  // f16
                    << "head " << head << ", block " << block << ", column " << column;
            }
        }
    }
}

TEST_F(Probes, StatisticsEqualTheirDefinitions) {
    const trace::ProbeData probes = record("dense", Json::object(), setupOf(kGrid, {job::Probe::Stats}));
    const trace::ProbeTable& table = *probes.find(ProbeKind::HeadStats);
    const std::int64_t n = kGrid.tokens();
    for (std::int64_t head = 0; head < kHeads; ++head) {
        const std::vector<double> rows = softmax(head);
        std::array<double, trace::kHeadStatistics> expected{};
        std::vector<double> columns(static_cast<std::size_t>(n));
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < n; ++j) {
                const double p = rows[static_cast<std::size_t>(i * n + j)];
                const auto distance = [&](std::int64_t a, std::int64_t b) {
                    return static_cast<double>(std::abs(a - b)) * p;
                };
                expected[trace::kEntropy] -= p * std::log(p);
                expected[trace::kTimeDistance] += distance(i / 54, j / 54);
                expected[trace::kHeightDistance] += distance(i / 9 % 6, j / 9 % 6);
                expected[trace::kWidthDistance] += distance(i % 9, j % 9);
                expected[trace::kOwnFrame] += i / 54 == j / 54 ? p : 0.0;
                columns[static_cast<std::size_t>(j)] += p;
            }
        }
        expected[trace::kSink] = *std::max_element(columns.begin(), columns.end());
        const std::vector<float> actual = table.values(table.find({0, 0, 1, static_cast<std::int32_t>(head)}));
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_NEAR(static_cast<double>(actual[i]), expected[i] / static_cast<double>(n), 1e-4) << i;
        }
    }
}

TEST_F(Probes, RowsOfChosenQueriesAreExact) {
    ProbeSetup setup = setupOf(kGrid, {job::Probe::Row});
    setup.info.queries = {0, 131, 269};
    const trace::ProbeData probes = record("dense", Json::object(), setup);
    const trace::ProbeTable& table = *probes.find(ProbeKind::AttentionRow);
    ASSERT_EQ(table.size(), 3 * kHeads);
    for (std::int64_t i = 0; i < table.size(); ++i) {
        const std::vector<double> rows = softmax(table.site(i).head);
        const std::vector<float> row = table.values(i);
        double sum = 0.0;
        for (std::size_t j = 0; j < row.size(); ++j) {
            EXPECT_NEAR(static_cast<double>(row[j]), rows[static_cast<std::size_t>(table.item(i)) * row.size() + j],
                        5e-4);
            sum += static_cast<double>(row[j]);
        }
        EXPECT_NEAR(sum, 1.0, 2e-3);
    }
    EXPECT_GE(table.find({0, 0, 1, 1}, 131), 0);
    EXPECT_EQ(table.find({0, 0, 1, 1}, 130), -1);
}

// Whether a (query, key) pair is computed, by each method's definition.
struct MaskCase {
    std::string id;
    Json parameters;
};

class Masks : public Probes, public testing::WithParamInterface<MaskCase> {};
INSTANTIATE_TEST_SUITE_P(
    Methods, Masks,
    testing::Values(MaskCase{"sliding_window", {{"sparsity", 0.7}, {"order", "alternate"}}},
                    MaskCase{"sliding_window", {{"sparsity", 0.8}, {"order", "frame"}, {"sink_frame", true}}},
                    MaskCase{"sliding_window", {{"sparsity", 0.6}, {"order", "token"}, {"sink_frame", true}}},
                    MaskCase{"top_k", {{"sparsity", 0.5}}},
                    MaskCase{"top_k", {{"sparsity", 0.5}, {"blocks", "tiles_4x4x4"}, {"sink_frame", true}}},
                    MaskCase{"tile_window", {{"tile_frames", 4}, {"window_width", 1}}}));

// One key in turn has a value, all others none: what comes out says who looked at it.
TEST_P(Masks, AreWhatTheMethodComputed) {
    const TokenGrid grid = kGrid;
    const std::int64_t n = grid.tokens();
    const trace::ProbeData probes =
        record(GetParam().id, GetParam().parameters, setupOf(grid, {job::Probe::Mask, job::Probe::Kept}));
    const trace::ProbeTable& masks = *probes.find(ProbeKind::Mask);
    const trace::ProbeTable& kept = *probes.find(ProbeKind::KeptMass);
    const std::int64_t tiles = probes.info.maskTileCount();
    const method::AttentionWork work = m_work;
    std::int64_t bits = 0;
    for (std::int64_t i = 0; i < masks.size(); ++i) {
        for (std::int64_t bit = 0; bit < tiles * tiles; ++bit) {
            bits += trace::maskBit(masks.record(i), tiles, bit / tiles, bit % tiles) ? 1 : 0;
        }
    }
    bits *= masks.size() == 1 ? kHeads : 1;
    // A sink frame's tiles are counted as if they lay together, which they need not.
    if (probes.info.mask.box[0] == 0 && !GetParam().parameters.value("sink_frame", false)) {
        EXPECT_EQ(bits, work.tiles) << "as many tiles as the method counted";
    }

    std::vector<std::vector<bool>> seen(static_cast<std::size_t>(kHeads),
                                        std::vector<bool>(static_cast<std::size_t>(n * n)));
    std::fill(m_v.begin(), m_v.end(), 0.0F);
    const auto setValue = [&](std::int64_t key, float value) {
        std::fill_n(m_v.begin() + key * kHeads * kWidth, kHeads * kWidth, value);
    };
    for (std::int64_t key = 0; key < n; ++key) {
        setValue(key, 1.0F);
        (void)record(GetParam().id, GetParam().parameters, setupOf(grid, {}));
        for (std::int64_t query = 0; query < n; ++query) {
            for (std::int64_t head = 0; head < kHeads; ++head) {
                seen[static_cast<std::size_t>(head)][static_cast<std::size_t>(query * n + key)] =
                    m_out[static_cast<std::size_t>((query * kHeads + head) * kWidth)] > 0.0F;
            }
        }
        setValue(key, 0.0F);
    }
    std::int64_t pairs = 0;
    for (const auto& head : seen) {
        pairs += std::count(head.begin(), head.end(), true);
    }
    if (GetParam().id != "top_k") {  // counts its blocks as if all were of one size, which here they are not
        EXPECT_EQ(pairs, work.pairs) << "as many pairs as the method counted";
    }
    for (std::int64_t head = 0; head < kHeads; ++head) {
        const std::int64_t mask = std::max<std::int64_t>(masks.find({0, 0, 1, static_cast<std::int32_t>(head)}),
                                                         masks.find({0, 0, 1, -1}));
        ASSERT_GE(mask, 0);
        const auto order = static_cast<trace::TileOrder>(masks.item(mask));
        const auto tileOf = [&](std::int64_t token) {
            const std::int64_t t = token / grid.plane(), h = token / grid.width % grid.height,
                               w = token % grid.width;
            if (order == trace::TileOrder::Boxes) {
                const auto& box = probes.info.mask.box;
                return (t / box[0] * ((grid.height + box[1] - 1) / box[1]) + h / box[1]) *
                           ((grid.width + box[2] - 1) / box[2]) +
                       w / box[2];
            }
            return (order == trace::TileOrder::TokenMajor ? token % grid.plane() * grid.frames + t : token) /
                   probes.info.mask.size;
        };
        const std::vector<double> rows = softmax(head);
        std::vector<double> mass(static_cast<std::size_t>(tiles)), members(static_cast<std::size_t>(tiles));
        std::vector<bool> expected(static_cast<std::size_t>(tiles * tiles));
        for (std::int64_t query = 0; query < n; ++query) {
            members[static_cast<std::size_t>(tileOf(query))] += 1.0;
            for (std::int64_t key = 0; key < n; ++key) {
                const auto at = static_cast<std::size_t>(query * n + key);
                if (seen[static_cast<std::size_t>(head)][at]) {
                    expected[static_cast<std::size_t>(tileOf(query) * tiles + tileOf(key))] = true;
                    mass[static_cast<std::size_t>(tileOf(query))] += rows[at];
                }
            }
        }
        for (std::int64_t bit = 0; bit < tiles * tiles; ++bit) {
            ASSERT_EQ(trace::maskBit(masks.record(mask), tiles, bit / tiles, bit % tiles),
                      expected[static_cast<std::size_t>(bit)])
                << "head " << head << ", tile " << bit / tiles << " to " << bit % tiles;
        }
        const std::int64_t index = kept.find({0, 0, 1, static_cast<std::int32_t>(head)});
        ASSERT_GE(index, 0);
        const std::vector<float> share = kept.values(index);
        for (std::size_t tile = 0; tile < share.size(); ++tile) {
            EXPECT_NEAR(static_cast<double>(share[tile]), mass[tile] / members[tile], 1e-3);
        }
    }
}

TEST_F(Probes, EveryTileHasItsKeptMassWithFewSamples) {
    const trace::ProbeData probes = record("sliding_window", {{"sparsity", 0.8}, {"order", "alternate"}},
                                           setupOf(kGrid, {job::Probe::Kept, job::Probe::Map}, 1));
    for (std::int64_t i = 0; i < kHeads; ++i) {
        for (const float share : probes.find(ProbeKind::KeptMass)->values(i)) {
            EXPECT_GT(share, 0.0F);
            EXPECT_LE(share, 1.001F);
        }
        const std::vector<float> map = probes.find(ProbeKind::AttentionMap)->values(i);
        EXPECT_NEAR(static_cast<double>(std::accumulate(map.begin(), map.end(), 0.0F)),
                    static_cast<double>(probes.info.blockCount()), 0.05);
    }
}

// Few rows for many tiles: a token new to a tile of either order stands for both.
TEST(UncoveredTiles, ShareTheirRowsBetweenOrders) {
    const TokenGrid grid{5, 16, 24};
    const ExecutedMask mask = ExecutedMask::of({grid, 100, false, {0, 1, 1, 0}});
    const std::vector<std::int32_t> samples{3, 64, 700};
    const std::vector<std::int32_t> further = mask.uncovered(samples);
    for (const std::int64_t head : {0, 1}) {
        std::vector<bool> covered(static_cast<std::size_t>(mask.tileCount()));
        for (const auto* tokens : {&samples, &further}) {
            for (const std::int32_t token : *tokens) {
                covered[static_cast<std::size_t>(mask.tileOf(head, token))] = true;
            }
        }
        EXPECT_EQ(std::count(covered.begin(), covered.end(), false), 0) << "head " << head;
    }
    EXPECT_LT(static_cast<std::int64_t>(further.size()), mask.tileCount() + mask.tileCount() / 4);
}

TEST_F(Probes, TheSentinelNamesStepLayerAndModule) {
    auto setup = setupOf(kGrid, {job::Probe::Finite, job::Probe::Change});
    auto recorder = ProbeRecorder::create(*m_device, *m_ops, std::move(setup));
    ASSERT_TRUE(recorder);
    auto method = method::createAttentionMethod("dense", Json::object());
    method::RunContext context{.ops = *m_ops, .arena = *m_arena, .selfAttention = **method, .cancel = {}};
    context.step = 0;
    std::vector<float> values{1.0F, -2.0F, 3.0F, 4.0F};
    const ConstTensorView output(values.data(), DType::F32, {1, 2, 2});
    EXPECT_TRUE((*recorder)->moduleDone(context, trace::Module::FeedForward, 1, output));
    context.step = 1;
    values = {1.0F, -2.0F, 3.0F, 5.0F};
    EXPECT_TRUE((*recorder)->moduleDone(context, trace::Module::FeedForward, 1, output));
    values[2] = std::numeric_limits<float>::infinity();
    const auto sound = (*recorder)->passDone(context, ConstTensorView(values.data(), DType::F32, {1, 1, 2, 2}));
    ASSERT_TRUE(sound);
    EXPECT_FALSE(*sound);
    const Status status = (*recorder)->moduleDone(context, trace::Module::CrossAttention, 1, output);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(status.error().message, HasSubstr("cross_attention in layer 2 of"));
    EXPECT_THAT(status.error().message, HasSubstr("step 2 of 2"));
    const trace::ProbeData probes = (*recorder)->take();
    const trace::ProbeTable& change = *probes.find(ProbeKind::Change);
    ASSERT_EQ(change.size(), 1);
    EXPECT_EQ(change.site(0), (trace::ProbeSite{1, 0, 1, -1}));
    EXPECT_EQ(change.item(0), static_cast<std::int32_t>(trace::Module::FeedForward));
    EXPECT_NEAR(static_cast<double>(change.values(0)[0]), 1.0 / 30.0, 1e-6);
    EXPECT_NEAR(static_cast<double>(change.values(0)[1]), 1.0 / 10.0, 1e-6);
}

// --- whole runs of the embedded model

job::GenerationRequest smallRequest() {
    return miniRequest(3);
}

class ProbedRuns : public MiniRuns {
 protected:
    static MiniRun run(const job::GenerationRequest& request, GeneratorOptions options = {}) {
        MiniRun outcome = make(request, std::move(options));
        EXPECT_TRUE(outcome.report) << outcome.report.error().message;
        return outcome;
    }
};

TEST_F(ProbedRuns, ChangeNeitherTheClipNorTheCountedWork) {
    for (const char* id : {"dense", "sliding_window", "top_k"}) {
        job::GenerationRequest request = smallRequest();
        request.method = id;
        request.methodParameters = id == std::string("dense") ? Json::object() : Json{{"sparsity", 0.5}};
        if (id == std::string("top_k")) {
            request.methodParameters["blocks"] = "tiles_4x4x4";
        }
        const MiniRun plain = run(request);
        request.probes = Json{{"kinds", "all"}, {"steps", "all"}, {"queries", {0, 31}}};
        const MiniRun probed = run(request);
        EXPECT_EQ(plain.latents, probed.latents) << id;
        EXPECT_FALSE(plain.trace.probes.isPresent());
        ASSERT_TRUE(probed.trace.probes.isPresent());
        std::map<trace::Module, std::pair<std::int64_t, std::int64_t>> before, after;
        for (const auto& [trace, sums] : {std::pair{&plain.trace, &before}, {&probed.trace, &after}}) {
            for (const trace::Row& row : trace->rows()) {
                (*sums)[row.module].first += row.flops;
                (*sums)[row.module].second += row.bytes;
            }
        }
        EXPECT_GT(after[trace::Module::Probe].first, 0);
        for (auto* sums : {&before, &after}) {
            sums->erase(trace::Module::Probe);
            sums->erase(trace::Module::TextEncoder);  // runs once for a prompt, then is remembered
        }
        EXPECT_EQ(before, after) << id;
        EXPECT_EQ(probed.report->plan.totalFlops(), plain.report->plan.totalFlops());
    }
}

TEST_F(ProbedRuns, RecordWhatThePlanForecast) {
    job::GenerationRequest request = smallRequest();
    request.method = "sliding_window";
    request.methodParameters = {{"sparsity", 0.5}};
    request.probes = Json{{"kinds", "all"}, {"queries", {0, 31}}, {"layers", {0, -1}}};
    const MiniRun outcome = run(request);
    const trace::ProbeData& probes = outcome.trace.probes;
    EXPECT_EQ(probes.info.grid, (std::array<std::int64_t, 3>{2, 4, 4}));
    EXPECT_EQ(probes.info.probedLayers, (std::vector<std::int32_t>{0, 7}));
    std::int64_t bytes = 0;
    for (const auto& [kind, table] : probes.tables) {
        bytes += table.data().bytes() + 5 * 4 * table.size();
    }
    EXPECT_EQ(bytes, outcome.report->plan.probes.bytes);
    EXPECT_EQ(probes.find(ProbeKind::AttentionMap)->size(), 3 * 2 * 4);
    EXPECT_EQ(probes.find(ProbeKind::AttentionRow)->size(), 3 * 2 * 4 * 2);
    EXPECT_EQ(probes.find(ProbeKind::Change)->size(), 2 * 2 * 3) << "two of three steps have one before them";
    EXPECT_EQ(probes.find(ProbeKind::Gate), nullptr) << "a window has no gate";

    // Every word has tokens, in order, and no token twice; their heat stays within the mass of a softmax.
    ASSERT_EQ(probes.info.words.size(), 7U);
    std::int32_t next = 0;
    for (const trace::PromptWord& word : probes.info.words) {
        EXPECT_EQ(word.first, next) << word.text;
        EXPECT_GT(word.count, 0) << word.text;
        next = word.first + word.count;
    }
    EXPECT_EQ(probes.info.words[2].text, "fox");
    const trace::ProbeTable& heat = *probes.find(ProbeKind::WordHeat);
    for (std::int64_t i = 0; i < heat.size(); ++i) {
        const std::vector<float> values = heat.values(i);
        for (std::size_t token = 0; token < 32; ++token) {
            float sum = 0.0F;
            for (std::size_t word = 0; word < 7; ++word) {
                EXPECT_GE(values[word * 32 + token], 0.0F);
                sum += values[word * 32 + token];
            }
            EXPECT_LE(sum, 1.001F);
        }
    }
}

// Rows of the blocks against the step that holds them: sums of rows, not the clock.
TEST_F(ProbedRuns, TimesOfModulesStayWithinTheirEnclosingOnes) {
    job::GenerationRequest request = smallRequest();
    request.probes = Json{{"kinds", "default"}};
    const MiniRun outcome = run(request);
    std::map<std::tuple<int, int, int>, std::pair<std::int64_t, std::int64_t>> attention;
    for (const trace::Row& row : outcome.trace.rows()) {
        EXPECT_GE(row.durationUs, 0);
        const auto key = std::tuple(row.step, row.branch, row.layer);
        if (row.module == trace::Module::SelfAttention) {
            attention[key].first += row.durationUs;
        } else if (row.module == trace::Module::AttentionCore) {
            attention[key].second += row.durationUs;
        }
    }
    ASSERT_EQ(attention.size(), 3U * 2 * 8);
    for (const auto& [key, times] : attention) {
        EXPECT_LE(times.second, times.first) << "attention_core lies inside self_attention";
    }
}

// Dense steps, then a window: the same whether one run does both or a second one branches off.
TEST_F(ProbedRuns, ABranchIsTheRunThatHadTurnedThere) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_branch_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    GeneratorOptions options;
    options.stepFolder = folder;
    const MiniRun whole = run(smallRequest(), options);
    for (int step = 1; step <= 3; ++step) {
        EXPECT_TRUE(std::filesystem::exists(folder / stepFileName(step)));
    }
    options = {};
    options.branchFrom = folder / stepFileName(2);
    const MiniRun same = run(smallRequest(), options);
    EXPECT_EQ(same.latents, whole.latents);
    ASSERT_TRUE(same.report);
    EXPECT_EQ(same.report->resumedSteps, 2);

    job::GenerationRequest other = smallRequest();
    other.method = "sliding_window";
    other.methodParameters = {{"sparsity", 0.6}};
    const MiniRun branched = run(other, options);
    other.methodParameters["dense_steps"] = 2;
    const MiniRun turned = run(other);
    EXPECT_EQ(branched.latents, turned.latents);
    EXPECT_NE(branched.latents, whole.latents);

    other.seed = 12;
    const auto sink = [](const ConstTensorView&) -> Status { return {}; };
    const auto refused = s_generator->generate(other, options, {}, sink, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr("keeps its model, prompt, seed"));
    std::filesystem::remove_all(folder);
}

// 832 x 480 x 81 and 50 steps: the maps of all steps, forecast for the embedded model and so for 30 layers of 12
// heads.
TEST_F(ProbedRuns, MapsOfARunOfThePublishedSizeStayBelowAGibibyte) {
    job::GenerationRequest request = smallRequest();
    request.width = 832;
    request.height = 480;
    request.frames = 81;
    request.steps = 50;
    request.probes = Json{{"kinds", {"map"}}, {"steps", "all"}};
    const auto plan = makePlan(request);
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->tokens, 32760);
    const std::int64_t maps = 50LL * 8 * 4;
    EXPECT_EQ(plan->probes.bytes % maps, 0);
    EXPECT_GT(plan->probes.bytes, maps * 100 * 100 * 2) << "not much coarser than they may be";
    EXPECT_LT(plan->probes.bytes / maps * (50 * 30 * 12), std::int64_t{1} << 30);
}

TEST_F(ProbedRuns, RefuseWhatDoesNotExistOrFit) {
    job::GenerationRequest request = smallRequest();
    request.probes = Json{{"kinds", {"row"}}, {"queries", {32}}};
    auto plan = makePlan(request);
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().message, HasSubstr("token 32, but this clip has 32"));
    request.probes = Json{{"kinds", {"map"}}, {"layers", {8}}};
    plan = makePlan(request);
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().message, HasSubstr("layer 8"));
    request.frames = 81;
    request.width = request.height = 512;
    request.steps = 10;
    Json queries = Json::array();
    for (int i = 0; i < 200; ++i) {
        queries.push_back(i);
    }
    request.probes = Json{{"kinds", {"row"}}, {"steps", "all"}, {"queries", queries}};
    plan = makePlan(request);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(plan.error().message, HasSubstr("attention_row"));
    EXPECT_THAT(plan.error().message, HasSubstr("at most 1.00 GiB"));
}

}  // namespace
}  // namespace fw::pipeline
