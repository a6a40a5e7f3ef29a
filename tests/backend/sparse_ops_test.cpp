// Sparse and linear attention against masked dense attention and O(N²) forms in double precision.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include "core/backend/token_blocks.h"
#include "ops_harness.h"

namespace fw::backend {
namespace {

float scaleOf(std::int64_t width) {
    return static_cast<float>(1.0 / std::sqrt(static_cast<double>(width)));
}

class SparseOpsTest : public OpsTest {
 protected:
    void SetUp() override {
        OpsTest::SetUp();
        if (!HasFatalFailure() && m_ops != nullptr && !m_ops->supportsSparseAttention()) {
            GTEST_SKIP() << GetParam().device << " has no sparse attention";
        }
    }

    struct WindowCase {
        TokenGrid grid;
        std::int64_t window = 1;
        bool sinkFrame = false, mixed = false;
        std::int64_t batch = 1, heads = 2, width = 32;
        Layout layout = Layout::Contiguous;
    };
    void window(const WindowCase& c) {
        const Shape shape{c.batch, c.grid.tokens(), c.heads, c.width};
        const TestTensor q = TestTensor::input(dtype(), shape, c.layout);
        const TestTensor k = TestTensor::input(dtype(), shape, c.layout);
        const TestTensor v = TestTensor::input(dtype(), shape, c.layout, 2.0);
        const TestTensor out = TestTensor::output(dtype(), shape, c.layout);
        const TestTensor orders = TestTensor::output(DType::U8, {c.batch, c.heads});
        for (std::int64_t i = 0; i < c.batch * c.heads; ++i) {
            orders.set({i / c.heads, i % c.heads}, static_cast<double>(i % 2));
        }
        const std::string what = fmt::format("window {} of {} x {} x {}, sink {}, mixed {}", c.window,
                                             c.grid.frames, c.grid.height, c.grid.width, c.sinkFrame, c.mixed);
        expectMatch(what, {&q, &k, &v, &orders}, out, [&](Ops& ops, const ViewOf& view) {
            WindowOptions options{.scale = scaleOf(c.width),
                                  .grid = c.grid,
                                  .window = c.window,
                                  .sinkFrame = c.sinkFrame,
                                  .orders = {}};
            if (c.mixed) {
                options.orders = view(orders);
            }
            ops.windowAttention(view(q), view(k), view(v), view(out), options);
        });
    }

    // Random lists, some rows empty.
    void blocks(const TokenBlocks& cut, std::int64_t heads, std::int64_t width, Layout layout) {
        const std::int64_t count = cut.count();
        const Shape shape{1, cut.grid.tokens(), heads, width};
        const TestTensor q = TestTensor::input(dtype(), shape, layout);
        const TestTensor k = TestTensor::input(dtype(), shape, layout);
        const TestTensor v = TestTensor::input(dtype(), shape, layout, 2.0);
        const TestTensor out = TestTensor::output(dtype(), shape, layout);
        const TestTensor lists = TestTensor::input(DType::I32, {1, heads, count, count});
        const TestTensor counts = TestTensor::input(DType::I32, {1, heads, count});
        std::mt19937 random(static_cast<std::uint32_t>(cut.grid.tokens() + count));
        for (std::int64_t row = 0; row < heads * count; ++row) {
            std::vector<std::int64_t> order(static_cast<std::size_t>(count));
            std::iota(order.begin(), order.end(), 0);
            std::shuffle(order.begin(), order.end(), random);
            for (std::int64_t i = 0; i < count; ++i) {
                lists.set({0, row / count, row % count, i},
                          static_cast<double>(order[static_cast<std::size_t>(i)]));
            }
            counts.set({0, row / count, row % count},
                       static_cast<double>(random() % static_cast<unsigned>(count + 1)));
        }
        const std::string what =
            fmt::format("{} blocks of {} x {} x {}", count, cut.grid.frames, cut.grid.height, cut.grid.width);
        expectMatch(what, {&q, &k, &v, &lists, &counts}, out, [&](Ops& ops, const ViewOf& view) {
            ops.blockSparseAttention(view(q), view(k), view(v), view(out), {view(lists), view(counts)},
                                     {.scale = scaleOf(width), .blocks = cut, .pairs = 1});
        });
    }

    // Lists made by the device and by the reference, [heads, blocks, kept] each.
    std::vector<std::int32_t> selected(Ops& ops, Device& device, const SelectOptions& options, const TestTensor& q,
                                       const TestTensor& k) {
        const std::int64_t heads = q.view().dim(2);
        const Shape rows{1, heads, options.blocks.count()};
        const Shape shape{1, heads, options.blocks.count(), options.kept};
        auto lists = *createTensor(device, DType::I32, shape);
        auto counts = *createTensor(device, DType::I32, rows);
        auto queries = *createTensor(device, dtype(), q.view().shape());
        auto keys = *createTensor(device, dtype(), k.view().shape());
        ops.upload(q.view(), queries.view);
        ops.upload(k.view(), keys.view);
        ops.selectBlocks(queries.view, keys.view, options, {lists.view, counts.view});
        std::vector<std::int32_t> result(static_cast<std::size_t>(shape.product()));
        std::vector<std::int32_t> numbers(static_cast<std::size_t>(rows.product()));
        ops.download(lists.view, TensorView(result.data(), DType::I32, shape));
        ops.download(counts.view, TensorView(numbers.data(), DType::I32, rows));
        EXPECT_TRUE(ops.synchronize());
        EXPECT_EQ(numbers, std::vector<std::int32_t>(numbers.size(), static_cast<std::int32_t>(options.kept)));
        return result;
    }
};
INSTANTIATE_TEST_SUITE_P(Devices, SparseOpsTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(SparseOpsTest, WindowsInEveryOrder) {
    for (const bool mixed : {false, true}) {
        for (const std::int64_t width : {0, 1, 7, 64, 1000}) {
            window({.grid = {5, 3, 7}, .window = width, .mixed = mixed});
        }
        window({.grid = {1, 1, 1}, .window = 3, .mixed = mixed});
        window({.grid = {4, 5, 4}, .window = 11, .sinkFrame = true, .mixed = mixed, .width = 64});
        window({.grid = {3, 8, 9},
                .window = 20,
                .sinkFrame = true,
                .mixed = mixed,
                .batch = 2,
                .heads = 3,
                .width = 16,
                .layout = Layout::Fused});
    }
    window({.grid = {2, 13, 5}, .window = 9, .width = 128, .layout = Layout::PaddedRows});
}

TEST_P(SparseOpsTest, BlocksOfEverySizeWithEmptyRows) {
    for (const std::int64_t size : {1, 13, 64, 128}) {
        blocks({.grid = {1, 13, 11}, .size = size}, 2, 32, Layout::Fused);
    }
    blocks({.grid = {1, 1, 1}, .size = 64}, 1, 16, Layout::Contiguous);
    blocks({.grid = {5, 6, 7}, .tile = {2, 4, 4}}, 3, 16, Layout::PaddedRows);
    blocks({.grid = {4, 4, 8}, .tile = {4, 4, 4}}, 2, 64, Layout::Contiguous);
    blocks({.grid = {3, 5, 5}, .tile = {9, 9, 9}}, 1, 32, Layout::Contiguous);
    blocks({.grid = {3, 10, 4}, .tile = {3, 10, 4}}, 1, 32, Layout::Contiguous);
}

TEST_P(SparseOpsTest, SelectsTheBlocksTheReferenceSelects) {
    const TokenBlocks cuts[] = {{.grid = {1, 20, 10}, .size = 16},
                                {.grid = {3, 7, 9}, .size = 64},
                                {.grid = {4, 6, 10}, .tile = {2, 4, 4}},
                                {.grid = {1, 1, 3}, .size = 64}};
    for (const TokenBlocks& cut : cuts) {
        const TestTensor q = TestTensor::input(dtype(), {1, cut.grid.tokens(), 3, 48});
        const TestTensor k = TestTensor::input(dtype(), {1, cut.grid.tokens(), 3, 48}, Layout::Contiguous, 1.5);
        for (const std::int64_t kept : {std::int64_t{1}, (cut.count() + 1) / 2, cut.count()}) {
            for (const bool sink : {false, true}) {
                const SelectOptions options{.blocks = cut, .kept = kept, .sinkFrame = sink};
                const auto cpu = createDevice("cpu");
                EXPECT_EQ(selected(*m_ops, *m_device, options, q, k), selected(m_reference, **cpu, options, q, k))
                    << cut.count() << " blocks, " << kept << " kept, sink " << sink;
            }
        }
    }
}

TEST_P(SparseOpsTest, TiesGoToTheLowerBlock) {
    const TokenBlocks cut{.grid = {1, 1, 40}, .size = 8};
    const TestTensor q = TestTensor::input(dtype(), {1, 40, 1, 16});
    const TestTensor k = TestTensor::input(dtype(), {1, 40, 1, 16});
    for (std::int64_t i = 0; i < 40 * 16; ++i) {
        k.set({0, i / 16, 0, i % 16}, 1.0);
    }
    const SelectOptions options{.blocks = cut, .kept = 2};
    const std::vector<std::int32_t> lists = selected(*m_ops, *m_device, options, q, k);
    for (std::size_t row = 0; row < 5; ++row) {
        EXPECT_EQ(lists[2 * row], 0);
        EXPECT_EQ(lists[2 * row + 1], 1);
    }
}

TEST_P(SparseOpsTest, ChoosesTheOrderThatLosesLess) {
    const TokenGrid grid{6, 3, 5};
    const Shape shape{2, grid.tokens(), 3, 16};
    const TestTensor q = TestTensor::input(dtype(), shape, Layout::Fused, 2.0);
    const TestTensor k = TestTensor::input(dtype(), shape, Layout::Fused, 2.0);
    const TestTensor v = TestTensor::input(dtype(), shape, Layout::Fused);
    for (const std::int64_t width : {3, 10}) {
        for (const std::int64_t samples : {1, 16, 1000}) {
            const TestTensor orders = TestTensor::output(DType::U8, {2, 3});
            expectMatch(fmt::format("order of windows of {} by {} samples", width, samples), {&q, &k, &v}, orders,
                        [&](Ops& ops, const ViewOf& view) {
                            ops.chooseTokenOrders(view(q), view(k), view(v),
                                                  {.scale = 0.25F, .grid = grid, .window = width, .orders = {}},
                                                  samples, view(orders));
                        });
        }
    }
}

TEST_P(SparseOpsTest, LinearAttentionEqualsItsQuadraticForm) {
    struct Case {
        std::int64_t batch, tokens, heads, width;
        Layout layout;
    };
    for (const Case& c : {Case{1, 1, 1, 16, Layout::Contiguous}, Case{2, 13, 3, 32, Layout::Fused},
                          Case{1, 65, 2, 64, Layout::PaddedRows}, Case{1, 257, 1, 48, Layout::Fused},
                          Case{1, 67, 1, 128, Layout::Contiguous}}) {
        const Shape shape{c.batch, c.tokens, c.heads, c.width};
        const TestTensor q = TestTensor::input(dtype(), shape, c.layout);
        const TestTensor k = TestTensor::input(dtype(), shape, c.layout);
        const TestTensor v = TestTensor::input(dtype(), shape, c.layout);
        const TestTensor cosine = TestTensor::input(DType::F32, {c.tokens, c.width / 2}, c.layout);
        const TestTensor sine = TestTensor::input(DType::F32, {c.tokens, c.width / 2}, c.layout);
        for (std::int64_t i = 0; i < c.tokens * c.width / 2; ++i) {
            const Dims at{i / (c.width / 2), i % (c.width / 2)};
            cosine.set(at, std::cos(static_cast<double>(i)));
            sine.set(at, std::sin(static_cast<double>(i)));
        }
        for (const bool rotated : {false, true}) {
            const TestTensor out = TestTensor::output(dtype(), shape, c.layout);
            expectMatch(fmt::format("linear attention {} rotated {}", shape.text(), rotated),
                        {&q, &k, &v, &cosine, &sine}, out, [&](Ops& ops, const ViewOf& view) {
                            LinearAttentionOptions options;
                            if (rotated) {
                                options.rope = RopeTables{view(cosine), view(sine)};
                            }
                            ops.linearAttention(view(q), view(k), view(v), view(out), options);
                        });
        }
    }
}

TEST_P(SparseOpsTest, AQueryWithoutPositiveFeaturesGetsZeros) {
    const TestTensor q = TestTensor::input(dtype(), {1, 5, 1, 16});
    const TestTensor k = TestTensor::input(dtype(), {1, 5, 1, 16});
    const TestTensor v = TestTensor::input(dtype(), {1, 5, 1, 16});
    for (std::int64_t d = 0; d < 16; ++d) {
        q.set({0, 2, 0, d}, -1.0);
    }
    const TestTensor out = TestTensor::output(dtype(), {1, 5, 1, 16});
    expectMatch("a dead query", {&q, &k, &v}, out, [&](Ops& ops, const ViewOf& view) {
        ops.linearAttention(view(q), view(k), view(v), view(out), {});
    });
}

TEST_P(SparseOpsTest, AddsABranchThroughItsGate) {
    for (const GateMode gate : {GateMode::None, GateMode::Token, GateMode::Sample}) {
        for (const Layout layout : {Layout::Contiguous, Layout::Fused}) {
            const TestTensor branch = TestTensor::input(dtype(), {2, 13, 65}, layout);
            const TestTensor logits = TestTensor::input(DType::F32, {2, 13, 1}, Layout::PaddedRows, 3.0);
            const TestTensor out = TestTensor::input(dtype(), {2, 13, 65}, layout);
            expectMatch(fmt::format("branch with gate {}", static_cast<int>(gate)), {&branch, &logits}, out,
                        [&](Ops& ops, const ViewOf& view) {
                            BranchOptions options{.scale = 0.5F, .gate = gate, .logits = {}};
                            if (gate != GateMode::None) {
                                options.logits = view(logits);
                            }
                            ops.addBranch(view(out), view(branch), options);
                        });
        }
    }
}

// Every (query, key) pair of a window counted one by one.
TEST(TokenBlocks, CountsTheWorkOfWindows) {
    for (const TokenGrid grid : {TokenGrid{1, 1, 1}, TokenGrid{5, 4, 13}, TokenGrid{3, 9, 11}}) {
        for (const TokenOrder order : {TokenOrder::FrameMajor, TokenOrder::TokenMajor}) {
            const std::vector<std::int32_t> tokens = makeOrder(grid, order);
            for (const std::int64_t window : {0, 1, 17, 1000}) {
                for (const bool sink : {false, true}) {
                    std::int64_t pairs = 0;
                    for (std::int64_t i = 0; i < grid.tokens(); ++i) {
                        for (std::int64_t j = 0; j < grid.tokens(); ++j) {
                            const bool seen = sink && tokens[static_cast<std::size_t>(j)] < grid.plane();
                            pairs += seen || std::abs(i - j) <= window ? 1 : 0;
                        }
                    }
                    const KeptWork work = windowWork(grid, order, window, sink);
                    EXPECT_EQ(work.pairs, pairs)
                        << grid.tokens() << " tokens, window " << window << ", sink " << sink;
                    EXPECT_GE(work.tiles * 64 * 64, pairs);
                    EXPECT_LE(work.tiles, denseWork(grid).tiles);
                }
            }
        }
    }
    EXPECT_EQ(windowWork({1, 8, 32}, TokenOrder::FrameMajor, 0, false).tiles, 4);
    EXPECT_EQ(windowWork({1, 8, 32}, TokenOrder::FrameMajor, 1, false).tiles, 10);
}

// Tiles counted one by one: runs of 64 positions, and runs of 64 tokens of a first frame that is always seen, each
// with at least one pair that no other tile has.
TEST(TokenBlocks, CountsTheTilesOfASinkByRunsOfItsOwn) {
    constexpr std::int64_t kTile = 64;
    for (const TokenGrid grid : {TokenGrid{2, 9, 15}, TokenGrid{5, 8, 16}, TokenGrid{3, 1, 67}}) {
        const std::int64_t tokens = grid.tokens(), runs = (tokens + kTile - 1) / kTile;
        for (const TokenOrder order : {TokenOrder::FrameMajor, TokenOrder::TokenMajor}) {
            const std::int64_t step = order == TokenOrder::TokenMajor ? grid.frames : 1;
            for (const std::int64_t window : {0, 3, 70, 150}) {
                std::int64_t expected = 0;
                for (std::int64_t tile = 0; tile < runs; ++tile) {
                    std::set<std::int64_t> ordinary, sink;
                    for (std::int64_t i = tile * kTile; i < std::min(tokens, (tile + 1) * kTile); ++i) {
                        for (std::int64_t j = 0; j < tokens; ++j) {
                            if (std::abs(i - j) <= window) {
                                ordinary.insert(j / kTile);
                            } else if (j % step == 0 && j / step < grid.plane()) {
                                sink.insert(j / step / kTile);
                            }
                        }
                    }
                    expected += std::min(static_cast<std::int64_t>(ordinary.size() + sink.size()), runs);
                }
                EXPECT_EQ(windowWork(grid, order, window, true).tiles, expected)
                    << grid.tokens() << " tokens, window " << window << ", step " << step;
            }
        }
    }
}

// The published arithmetic at 480p and 81 frames: 90.25 % with a window of N / 20.
TEST(TokenBlocks, AWindowOfATwentiethLeavesOutNinetyPercent) {
    const TokenGrid grid{21, 30, 52};
    const double kept = static_cast<double>(windowWork(grid, TokenOrder::TokenMajor, 1638, false).pairs);
    EXPECT_NEAR(1.0 - kept / static_cast<double>(denseWork(grid).pairs), 0.9025, 5e-5);
}

TEST(TokenBlocks, CoverEveryTokenOnce) {
    for (const TokenBlocks& cut :
         {TokenBlocks{.grid = {5, 6, 7}, .tile = {2, 4, 4}}, TokenBlocks{.grid = {5, 6, 7}, .size = 64},
          TokenBlocks{.grid = {21, 30, 52}, .tile = {4, 4, 4}}}) {
        BlockTable table = makeBlockTable(cut);
        ASSERT_EQ(static_cast<std::int64_t>(table.starts.size()), cut.count() + 1);
        for (std::int64_t block = 0; block < cut.count(); ++block) {
            const auto index = static_cast<std::size_t>(block);
            EXPECT_EQ(table.starts[index + 1] - table.starts[index], cut.tokensOf(block));
        }
        std::sort(table.order.begin(), table.order.end());
        EXPECT_EQ(table.order, makeOrder(cut.grid, TokenOrder::FrameMajor));
    }
    EXPECT_EQ((TokenBlocks{.grid = {21, 30, 52}, .tile = {4, 4, 4}}.count()), 624);
}

}  // namespace
}  // namespace fw::backend
