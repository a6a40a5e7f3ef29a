// Sparse attention methods: equal to dense attention where they must be, sparse by the amount they say, and refused
// with a number that would fit where a clip is too small for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/backend/arena.h"
#include "core/backend/device.h"
#include "core/method/attention_method.h"
#include "core/method/sliding_window.h"

namespace fw::method {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kHeads = 4, kWidth = 16;
constexpr std::int64_t kArenaBytes = 1 << 20;

// One self-attention call of random operands on the CPU.
class SparseMethods : public testing::Test {
 protected:
    void SetUp() override {
        m_device = std::move(*backend::createDevice("cpu"));
        m_ops = std::move(*m_device->createOps({.threads = 1}));
        m_arena = std::move(*backend::Arena::create(*m_device, kArenaBytes));
    }

    struct Outcome {
        Status status;
        std::vector<float> out;
        AttentionWork work;
    };

    Outcome run(const std::string& id, const Json& parameters, const TokenGrid& grid, int layer = 3, int step = 5) {
        auto method = createAttentionMethod(id, parameters);
        FW_CHECK(method.has_value(), "{}", method.error().message);
        const Shape shape{1, grid.tokens(), kHeads, kWidth};
        const auto count = static_cast<std::size_t>(shape.product());
        const auto random = [&](unsigned seed) {
            std::mt19937 generator(seed);
            std::normal_distribution<float> normal;
            std::vector<float> values(count);
            std::generate(values.begin(), values.end(), [&] { return normal(generator); });
            return values;
        };
        const std::vector<float> q = random(1), k = random(2), v = random(3);
        const std::vector<float> cosine(count / (2 * kHeads), 0.6F), sine(count / (2 * kHeads), 0.8F);
        Outcome outcome;
        outcome.out.assign(count, -7.0F);
        RunContext context{.ops = *m_ops, .arena = *m_arena, .selfAttention = **method, .cancel = {}};
        context.step = step;
        SelfAttentionCall call;
        call.q = ConstTensorView(q.data(), DType::F32, shape);
        call.k = ConstTensorView(k.data(), DType::F32, shape);
        call.v = ConstTensorView(v.data(), DType::F32, shape);
        call.out = TensorView(outcome.out.data(), DType::F32, shape);
        const Shape table{grid.tokens(), kWidth / 2};
        call.rope = {ConstTensorView(cosine.data(), DType::F32, table),
                     ConstTensorView(sine.data(), DType::F32, table)};
        call.grid = grid;
        call.scale = 0.25F;
        call.layer = layer;
        outcome.status = (*method)->attend(context, call);
        EXPECT_TRUE(m_ops->synchronize());
        EXPECT_EQ(m_arena->mark(), 0);
        outcome.work = context.attentionWork;
        return outcome;
    }

    static double sparsity(const AttentionWork& work) {
        return 1.0 - static_cast<double>(work.pairs) / static_cast<double>(work.densePairs);
    }

    std::unique_ptr<backend::Device> m_device;
    std::unique_ptr<backend::Ops> m_ops;
    std::unique_ptr<backend::Arena> m_arena;
};

constexpr TokenGrid kGrid{7, 6, 9};

TEST_F(SparseMethods, WithoutSparsityTheyAreDenseAttention) {
    const Outcome dense = run("dense", Json::object(), kGrid);
    const std::pair<const char*, Json> cases[] = {
        {"sliding_window", {{"sparsity", 0.0}}},
        {"sliding_window", {{"sparsity", 0}, {"order", "token"}, {"sink_frame", true}}},
        {"sliding_window", {{"sparsity", 0}, {"order", "online"}}},
        {"top_k", {{"sparsity", 0.0}}},
        {"top_k", {{"sparsity", 0.0}, {"blocks", "tiles_4x4x4"}, {"sink_frame", true}}},
        {"tile_window", {{"window_frames", 999}, {"window_height", 99}, {"window_width", 9}}},
        {"tile_window", {{"tile_frames", 64}, {"tile_height", 64}, {"tile_width", 64}}}};
    for (const auto& [id, parameters] : cases) {
        const Outcome outcome = run(id, parameters, kGrid);
        ASSERT_TRUE(outcome.status) << outcome.status.error().message;
        for (std::size_t i = 0; i < dense.out.size(); ++i) {
            ASSERT_NEAR(outcome.out[i], dense.out[i], 5e-6) << id << " " << parameters.dump() << " at " << i;
        }
        EXPECT_EQ(outcome.work.pairs, outcome.work.densePairs) << id;
    }
}

TEST_F(SparseMethods, LeaveOutWhatTheySay) {
    for (const double wanted : {0.5, 0.9}) {
        for (const char* order : {"frame", "token", "alternate", "online"}) {
            const Outcome outcome = run("sliding_window", {{"sparsity", wanted}, {"order", order}}, kGrid);
            ASSERT_TRUE(outcome.status);
            EXPECT_GE(sparsity(outcome.work), wanted) << order;
            EXPECT_LE(sparsity(outcome.work), wanted + 0.01) << order;
        }
    }
    const Outcome topK = run("top_k", {{"sparsity", 0.8}}, {20, 8, 8});
    ASSERT_TRUE(topK.status);
    EXPECT_NEAR(sparsity(topK.work), 0.8, 1e-9) << "4 of 20 blocks";
    const Outcome tiles = run("tile_window", Json::object(), {20, 4, 4});
    EXPECT_NEAR(sparsity(tiles.work), 0.4, 1e-9) << "3 of 5 boxes, everywhere";
    const Outcome sink = run("tile_window", {{"window_frames", 1}, {"sink_frame", true}}, {20, 4, 4});
    EXPECT_NEAR(sparsity(sink.work), 1.0 - 9.0 / 25.0, 1e-9) << "its own box and the first";
    EXPECT_EQ(run("dense", Json::object(), kGrid).work.pairs, kHeads * kGrid.tokens() * kGrid.tokens());
}

TEST_F(SparseMethods, StayDenseInTheFirstStepsAndLayers) {
    const Outcome dense = run("dense", Json::object(), kGrid);
    for (const char* id : {"sliding_window", "top_k", "tile_window", "linear"}) {
        EXPECT_EQ(run(id, {{"dense_layers", 4}}, kGrid, 3).out, dense.out) << id;
        EXPECT_NE(run(id, {{"dense_layers", 3}}, kGrid, 3).out, dense.out) << id;
        EXPECT_EQ(run(id, {{"dense_steps", 6}}, kGrid, 3, 5).out, dense.out) << id;
        EXPECT_NE(run(id, {{"dense_steps", 5}}, kGrid, 3, 5).out, dense.out) << id;
    }
}

// Every query would see the same first block, its own and little else: what is impossible says what would fit.
TEST_F(SparseMethods, RefuseWhatAClipIsTooSmallFor) {
    const Outcome window = run("sliding_window", {{"sparsity", 0.99}}, {1, 10, 10});
    ASSERT_FALSE(window.status);
    EXPECT_EQ(window.status.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(window.status.error().message, HasSubstr("at most 0.970 fits"));
    const Outcome blocks = run("top_k", {{"sparsity", 0.9}}, {4, 8, 8});
    ASSERT_FALSE(blocks.status);
    EXPECT_THAT(blocks.status.error().message, HasSubstr("keeps 0 of 4 blocks"));
    EXPECT_THAT(blocks.status.error().message, HasSubstr("at most 0.750 fits"));
    const Outcome sink = run("top_k", {{"sparsity", 0.75}, {"sink_frame", true}}, {4, 16, 8});
    ASSERT_TRUE(sink.status) << sink.status.error().message;
    const Outcome tight = run("top_k", {{"sparsity", 0.85}, {"sink_frame", true}}, {4, 16, 8});
    ASSERT_FALSE(tight.status);
    EXPECT_THAT(tight.status.error().message, HasSubstr("the first frame alone has 2"));
}

TEST(SparseParameters, ImpossibleValuesAreRefusedWithTheirRange) {
    for (const double sparsity : {1.0, 1.5, -0.1}) {
        for (const char* id : {"sliding_window", "top_k"}) {
            const auto method = createAttentionMethod(id, {{"sparsity", sparsity}});
            ASSERT_FALSE(method) << id << " " << sparsity;
            EXPECT_THAT(method.error().message, HasSubstr("from 0 to 0.999"));
        }
    }
    const auto zero = createAttentionMethod("tile_window", {{"window_frames", 0}});
    ASSERT_FALSE(zero);
    EXPECT_THAT(zero.error().message, HasSubstr("window_frames is 0"));
    const auto order = createAttentionMethod("sliding_window", {{"order", "table"}});
    ASSERT_FALSE(order);
    EXPECT_THAT(order.error().message, HasSubstr("needs an adapter"));
}

// The widest window that reaches the sparsity, at every size.
TEST(SlidingWindow, FindsTheWidestWindow) {
    for (const TokenGrid grid : {TokenGrid{1, 10, 10}, TokenGrid{5, 8, 13}, TokenGrid{21, 30, 52}}) {
        for (const double sparsity : {0.1, 0.5, 0.9}) {
            const auto window = windowFor(grid, sparsity);
            ASSERT_TRUE(window);
            const auto leavesOut = [&](std::int64_t w) {
                const auto work = backend::windowWork(grid, backend::TokenOrder::FrameMajor, w, false);
                return 1.0 - static_cast<double>(work.pairs) / static_cast<double>(backend::denseWork(grid).pairs);
            };
            EXPECT_GE(leavesOut(*window), sparsity - 1e-12);
            EXPECT_LT(leavesOut(*window + 1), sparsity);
        }
    }
    EXPECT_EQ(*windowFor({21, 30, 52}, 0.9), 1680);
    EXPECT_EQ(*windowFor({1, 1, 1}, 0.9), 1) << "one token has nothing to leave out";
}

}  // namespace
}  // namespace fw::method
