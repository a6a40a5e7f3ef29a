// UMT5 against transformers' UMT5EncoderModel.
#include "core/model/text_encoder.h"

#include "golden_support.h"
#include "recipe.h"

namespace fw::golden {
namespace {

class TextEncoderGolden : public testing::TestWithParam<std::tuple<const char*, DType>> {
 protected:
    TextEncoderGolden() : m_key(std::get<0>(GetParam())), m_compute(std::get<1>(GetParam())) {
        const Json config = m_fixture.metadata("configs").at(m_key);
        const auto table = weights::tensorTable(require(weights::parseUmt5Config(config)));
        writePart(m_folder.path(), "text_encoder", config, table, m_fixture.metadata("seeds").at(m_key));
    }

    Fixture m_fixture{"text"};
    TemporaryFolder m_folder;
    Engine m_engine;
    std::string m_key;
    DType m_compute;
};

TEST_P(TextEncoderGolden, AgreesWithTheReferenceForSeveralLengths) {
    if (!m_engine.supports(m_compute)) {
        GTEST_SKIP() << "no " << dtypeName(m_compute) << " on this machine";
    }
    auto encoder = require(model::loadTextEncoder(m_folder.path(), *m_engine.device, *m_engine.ops, m_compute));
    auto context = m_engine.context();
    for (const std::int64_t length : m_fixture.metadata("lengths")) {
        const std::string prefix = fmt::format("{}.{}.", m_key, length);
        const ConstTensorView ids = m_fixture.tensor(prefix + "ids");
        const ConstTensorView expected = m_fixture.tensor(prefix + "out");
        HostTensor out({160, encoder->width()});
        require(encoder->encode(context, {ids.as<std::int32_t>(), static_cast<std::size_t>(length)}, out.view));
        // The longest output is stored in part: every seventh row.
        const std::int64_t step = expected.dim(0) == length ? 1 : 7;
        const ConstTensorView rows(out.values.data(), DType::F32, expected.shape(), {step * encoder->width(), 1});
        {
            SCOPED_TRACE(fmt::format("{} tokens", length));
            expectClose(rows, expected, m_compute);
        }
        const auto padding = out.values.begin() + length * encoder->width();
        EXPECT_TRUE(std::all_of(padding, out.values.end(), [](float v) { return v == 0.0F; }));
    }
    EXPECT_EQ(m_engine.arena->mark(), 0);
}

TEST_P(TextEncoderGolden, RefusesTokensItDoesNotKnow) {
    auto encoder = require(model::loadTextEncoder(m_folder.path(), *m_engine.device, *m_engine.ops, DType::F32));
    auto context = m_engine.context();
    HostTensor out({4, encoder->width()});
    const std::vector<std::int32_t> ids{3, 5000};
    const Status status = encoder->encode(context, ids, out.view);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::BadModel);
    EXPECT_NE(status.error().message.find("5000"), std::string::npos) << status.error().message;
}

INSTANTIATE_TEST_SUITE_P(Configurations, TextEncoderGolden,
                         testing::Combine(testing::Values("a", "b"), testing::Values(DType::F32, DType::BF16)),
                         [](const auto& test) {
                             return fmt::format("{}_{}", std::get<0>(test.param),
                                                dtypeName(std::get<1>(test.param)));
                         });

TEST(RelativePositionBucket, CoversBothDirectionsAndSaturates) {
    EXPECT_EQ(model::relativePositionBucket(0, 32, 128), 0);
    EXPECT_EQ(model::relativePositionBucket(-7, 32, 128), 7);
    EXPECT_EQ(model::relativePositionBucket(7, 32, 128), 23);
    EXPECT_EQ(model::relativePositionBucket(-8, 32, 128), 8);
    EXPECT_EQ(model::relativePositionBucket(-16, 32, 128), 10);
    EXPECT_EQ(model::relativePositionBucket(-127, 32, 128), 15);
    EXPECT_EQ(model::relativePositionBucket(5000, 32, 128), 31);
}

}  // namespace
}  // namespace fw::golden
