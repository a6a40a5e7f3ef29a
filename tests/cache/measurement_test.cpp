// The measuring run on numbers whose changes are known.
#include "core/cache/measurement.h"

#include <gtest/gtest.h>

#include "core/backend/arena.h"
#include "core/method/attention_method.h"

namespace fw::cache {
namespace {

class MeasurementTest : public testing::Test {
 protected:
    TensorView filled(const Shape& shape, float value) {
        m_owned.push_back(*backend::createTensor(*m_device, DType::F32, shape));
        const TensorView view = m_owned.back().view;
        std::fill(view.mutableAs<float>(), view.mutableAs<float>() + view.count(), value);
        return view;
    }
    // A pass in which the blocks add `added` to every element and the only self-attention gives `output`.
    void pass(Measurement& measurement, int step, int branch, float added, float output) {
        m_context.step = step;
        m_context.branch = branch;
        const auto signal = static_cast<float>(100 - step);
        const TensorView x = filled({1, 4, 6}, 5.0F);
        ASSERT_FALSE(*measurement.replaceBlocks(m_context, {x, filled({1, 6}, signal), filled({1, 36}, -signal)}));
        ASSERT_TRUE(measurement.siteDone(m_context, {SiteKind::SelfAttention, 0}, filled({1, 4, 6}, output)));
        ASSERT_TRUE(measurement.blocksDone(m_context, filled({1, 4, 6}, 5.0F + added)));
    }

    std::unique_ptr<backend::Device> m_device = *backend::createDevice("cpu");
    std::unique_ptr<backend::Ops> m_ops = *m_device->createOps({.threads = 1});
    std::unique_ptr<backend::Arena> m_arena = *backend::Arena::create(*m_device, 1 << 16);
    std::unique_ptr<method::AttentionMethod> m_dense = *method::createAttentionMethod("dense", Json::object());
    std::vector<backend::OwnedTensor> m_owned;
    method::RunContext m_context{*m_ops, *m_arena, *m_dense, {}};
};

TEST_F(MeasurementTest, FindsRatiosAndChangesOfEachBranchOverRuns) {
    Measurement measurement(*m_device, 3);
    for (int run = 0; run < 2; ++run) {
        measurement.nextRun();
        for (int step = 0; step < 3; ++step) {
            pass(measurement, step, 0, step == 1 ? 2.0F : 4.0F, 1.0F + static_cast<float>(step));
            pass(measurement, step, 1, -8.0F, 3.0F);
        }
    }
    const Constants constants = measurement.constants();
    ASSERT_EQ(constants.magnitudes.size(), 2U);
    EXPECT_EQ(constants.magnitudes[0], (std::vector<double>{1.0, 0.5, 2.0}));
    EXPECT_EQ(constants.magnitudes[1], (std::vector<double>{1.0, 1.0, 1.0}));
    const auto changes = measurement.changes(SiteKind::SelfAttention, 0);
    ASSERT_EQ(changes.size(), 3U);
    ASSERT_EQ(changes[1].size(), 1U);
    EXPECT_EQ(changes[0][0].relative, 0.0);
    EXPECT_DOUBLE_EQ(changes[1][0].absolute, 1.0);  // 1 to 2
    EXPECT_DOUBLE_EQ(changes[1][0].relative, 1.0);
    EXPECT_DOUBLE_EQ(changes[2][0].relative, 0.25);  // 2 to 3
    EXPECT_EQ(measurement.changes(SiteKind::SelfAttention, 1)[2][0].absolute, 0.0);
    EXPECT_TRUE(measurement.changes(SiteKind::CrossAttention, 0).empty());
}

}  // namespace
}  // namespace fw::cache
