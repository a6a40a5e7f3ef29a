// The denoiser against diffusers' WanTransformer3DModel.
#include <cmath>

#include "core/model/rotary.h"
#include "core/model/wan_transformer.h"
#include "golden_support.h"
#include "recipe.h"

namespace fw::golden {
namespace {

class TransformerGolden : public testing::TestWithParam<std::tuple<const char*, DType>> {
 protected:
    TransformerGolden() : m_key(std::get<0>(GetParam())), m_compute(std::get<1>(GetParam())) {
        const Json config = m_fixture.metadata("configs").at(m_key);
        m_config = require(weights::parseWanTransformerConfig(config));
        writePart(m_folder.path(), "transformer", config, weights::tensorTable(m_config),
                  m_fixture.metadata("seeds").at(m_key));
    }

    HostTensor latents() const {
        const Shape shape = shapeOf(m_fixture.metadata("latents").at(m_key));
        return {values(m_key + ".latents", 1, shape.product()), shape};
    }
    static constexpr std::int64_t kRows = 12, kPadding = 5;
    HostTensor text() const {
        HostTensor result(values(m_key + ".text", 1, kRows * m_config.textDim), {kRows, m_config.textDim});
        std::fill(result.values.end() - kPadding * m_config.textDim, result.values.end(), 0.0F);
        return result;
    }

    Fixture m_fixture{"transformer"};
    TemporaryFolder m_folder;
    Engine m_engine;
    std::string m_key;
    DType m_compute;
    weights::WanTransformerConfig m_config;
};

TEST_P(TransformerGolden, AgreesWithTheReferenceAtTwoTimesteps) {
    if (!m_engine.supports(m_compute)) {
        GTEST_SKIP() << "no " << dtypeName(m_compute) << " on this machine";
    }
    auto transformer = require(model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, m_compute));
    const HostTensor input = latents();
    const HostTensor condition = text();
    trace::Trace trace;
    auto context = m_engine.context();
    context.trace = &trace;
    const auto timesteps = m_fixture.metadata("timesteps").get<std::vector<double>>();
    for (std::size_t i = 0; i < timesteps.size(); ++i) {
        HostTensor velocity(input.view.shape());
        require(transformer->forward(context, input.view, timesteps[i], condition.view, velocity.view));
        const auto expected = m_fixture.tensor(fmt::format("{}.{}.velocity", m_key, i));
        expectClose(velocity.view, expected, m_compute);
    }
    context.untimed.settle(*m_engine.ops, trace);
    EXPECT_EQ(m_engine.arena->mark(), 0);
    // Per call: embeddings and output once, and four rows per layer (attention's core inside self-attention).
    EXPECT_EQ(trace.rows().size(), timesteps.size() * static_cast<std::size_t>(2 + 4 * m_config.layers));
}

// As diffusers has it and, without rounding to bf16, as all rows computed one by one.
TEST_P(TransformerGolden, PaddingCountsAsManyEqualKeys) {
    if (!m_engine.supports(m_compute)) {
        GTEST_SKIP() << "no " << dtypeName(m_compute) << " on this machine";
    }
    auto transformer = require(model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, m_compute));
    const HostTensor input = latents();
    const HostTensor condition = text();
    const model::TextEmbedding padded(condition.view, kRows - kPadding);
    EXPECT_EQ(padded.keys(), kRows - kPadding + 1);
    const auto layout = transformer->textKeys(padded.keys());
    const auto values = require(backend::createTensor(*m_engine.device, layout.dtype, layout.shape));
    method::TextKeys keys{values.view};
    auto context = m_engine.context();
    const auto timesteps = m_fixture.metadata("timesteps").get<std::vector<double>>();
    for (std::size_t i = 0; i < timesteps.size(); ++i) {
        HostTensor all(input.view.shape()), few(input.view.shape()), kept(input.view.shape());
        context.textKeys = nullptr;
        const std::int64_t start = m_engine.ops->cost().flops;
        require(transformer->forward(context, input.view, timesteps[i], condition.view, all.view));
        const std::int64_t whole = m_engine.ops->cost().flops - start;
        require(transformer->forward(context, input.view, timesteps[i], padded, few.view));
        EXPECT_LT(m_engine.ops->cost().flops - start - whole, whole);
        expectClose(few.view, m_fixture.tensor(fmt::format("{}.{}.velocity", m_key, i)), m_compute);
        context.textKeys = &keys;
        require(transformer->forward(context, input.view, timesteps[i], padded, kept.view));
        EXPECT_EQ(kept.values, few.values);
        double difference = 0.0, size = 0.0;
        for (std::size_t at = 0; at < all.values.size(); ++at) {
            difference += std::pow(double{few.values[at]} - double{all.values[at]}, 2.0);
            size += std::pow(double{all.values[at]}, 2.0);
        }
        EXPECT_LE(std::sqrt(difference / size), m_compute == DType::F32 ? 1e-5 : 1e-2);
    }
}

TEST_P(TransformerGolden, KeptTextKeysGiveTheSameBits) {
    if (!m_engine.supports(m_compute)) {
        GTEST_SKIP() << "no " << dtypeName(m_compute) << " on this machine";
    }
    auto transformer = require(model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, m_compute));
    const HostTensor input = latents();
    const HostTensor condition = text();
    const auto layout = transformer->textKeys(condition.view.dim(0));
    const auto values = require(backend::createTensor(*m_engine.device, layout.dtype, layout.shape));
    method::TextKeys keys{values.view};
    auto context = m_engine.context();
    std::int64_t firstFlops = 0;
    for (const double timestep : {999.0, 437.0, 12.0}) {
        context.textKeys = nullptr;
        HostTensor plain(input.view.shape());
        require(transformer->forward(context, input.view, timestep, condition.view, plain.view));
        context.textKeys = &keys;
        HostTensor kept(input.view.shape());
        const std::int64_t before = m_engine.ops->cost().flops;
        require(transformer->forward(context, input.view, timestep, condition.view, kept.view));
        const std::int64_t flops = m_engine.ops->cost().flops - before;
        EXPECT_EQ(kept.values, plain.values) << timestep;
        EXPECT_TRUE(keys.ready);
        firstFlops = firstFlops == 0 ? flops : firstFlops;
        EXPECT_EQ(flops < firstFlops, timestep < 999.0);
    }
}

TEST_P(TransformerGolden, DryRunNeedsExactlyTheArenaAndWorkOfARealOne) {
    Engine meta("meta");
    const HostTensor input = latents();
    const HostTensor condition = text();
    HostTensor velocity(input.view.shape());
    const auto onMeta = [](const TensorView& view) {
        return TensorView(nullptr, view.dtype(), view.shape(), DeviceKind::Meta);
    };
    auto dry = require(model::loadTransformer(m_folder.path(), *meta.device, *meta.ops, DType::F32));
    auto dryContext = meta.context();
    auto real = require(model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, DType::F32));
    auto context = m_engine.context();
    for (const std::int64_t tokens : {kRows - kPadding, kRows}) {
        require(dry->forward(dryContext, onMeta(input.view), 500.0, {onMeta(condition.view), tokens},
                             onMeta(velocity.view)));
        require(real->forward(context, input.view, 500.0, {condition.view, tokens}, velocity.view));
        EXPECT_EQ(meta.arena->highWater(), m_engine.arena->highWater());
        EXPECT_EQ(meta.ops->cost().flops, m_engine.ops->cost().flops);
    }
}

TEST_P(TransformerGolden, StopsWhenCancelledAndWorksAfterwards) {
    auto transformer =
        require(model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, DType::F32));
    const HostTensor input = latents();
    const HostTensor condition = text();
    HostTensor velocity(input.view.shape());
    CancelSource source;
    source.cancel();
    auto context = m_engine.context();
    context.cancel = source.token();
    const Status status = transformer->forward(context, input.view, 999.0, condition.view, velocity.view);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(m_engine.arena->mark(), 0);
    context.cancel = {};
    require(transformer->forward(context, input.view, 999.0, condition.view, velocity.view));
    expectClose(velocity.view, m_fixture.tensor(m_key + ".0.velocity"), DType::F32);
}

TEST_P(TransformerGolden, GivesTheSameBitsOnAnyNumberOfThreads) {
    if (!m_engine.supports(m_compute)) {
        GTEST_SKIP() << "no " << dtypeName(m_compute) << " on this machine";
    }
    const HostTensor input = latents();
    const HostTensor condition = text();
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
        Engine engine("cpu", threads);
        auto transformer = require(model::loadTransformer(m_folder.path(), *engine.device, *engine.ops, m_compute));
        auto context = engine.context();
        HostTensor velocity(input.view.shape());
        require(transformer->forward(context, input.view, 250.0, condition.view, velocity.view));
        results.push_back(velocity.values);
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
}

INSTANTIATE_TEST_SUITE_P(Configurations, TransformerGolden,
                         testing::Combine(testing::Values("a", "b"), testing::Values(DType::F32, DType::BF16)),
                         [](const auto& test) {
                             return fmt::format("{}_{}", std::get<0>(test.param),
                                                dtypeName(std::get<1>(test.param)));
                         });

TEST(RopeValues, FollowTheAxesOfTheGrid) {
    const model::RopeValues rope = model::ropeValues({2, 3, 5}, 32);  // 12 channels of time, 10 and 10 of space
    ASSERT_EQ(rope.cosine.size(), 30U * 16U);
    const std::size_t last = 29 * 16;  // frame 1, row 2, column 4
    EXPECT_FLOAT_EQ(rope.sine[last + 0], static_cast<float>(std::sin(1.0)));
    EXPECT_FLOAT_EQ(rope.sine[last + 1], static_cast<float>(std::sin(std::pow(10000.0, -2.0 / 12.0))));
    EXPECT_FLOAT_EQ(rope.sine[last + 6], static_cast<float>(std::sin(2.0)));
    EXPECT_FLOAT_EQ(rope.cosine[last + 11], static_cast<float>(std::cos(4.0)));
    EXPECT_FLOAT_EQ(rope.cosine[last + 12], static_cast<float>(std::cos(4.0 * std::pow(10000.0, -2.0 / 10.0))));
}

TEST(TimestepSinusoid, IsCosinesThenSines) {
    const std::vector<float> values = model::timestepSinusoid(437.25, 8);
    EXPECT_NEAR(values[0], std::cos(437.25), 1e-4);
    EXPECT_NEAR(values[1], std::cos(43.725), 1e-5);
    EXPECT_NEAR(values[4], std::sin(437.25), 1e-4);
    EXPECT_NEAR(values[7], std::sin(0.43725), 1e-6);
}

}  // namespace
}  // namespace fw::golden
