// Rows of the softmax and their entropies against a softmax in double precision.
#include <cmath>
#include <limits>

#include "ops_harness.h"

namespace fw::backend {
namespace {

struct Rows {
    std::vector<float> rows, entropies;
};

class AttentionRowsTest : public OpsTest {
 protected:
    void SetUp() override {
        OpsTest::SetUp();
        if (!HasFatalFailure() && m_ops != nullptr && !m_ops->supportsAttentionRows()) {
            GTEST_SKIP() << GetParam().device << " cannot look into attention";
        }
    }

    [[nodiscard]] TensorView onDevice(const TestTensor& tensor) {
        auto copy = createTensor(*m_device, tensor.storage().dtype(), tensor.storage().shape());
        m_ops->upload(tensor.storage(), copy->view);
        m_owned.push_back(std::move(*copy));
        return tensor.viewAt(m_owned.back().view.mutableData(), m_owned.back().view.device());
    }

    [[nodiscard]] Rows computed(const TestTensor& q, const TestTensor& k, const std::vector<std::int32_t>& wanted,
                                float scale) {
        const Shape few{q.view().dim(2), static_cast<std::int64_t>(wanted.size())};
        const Shape shape{few[0], few[1], k.view().dim(1)};
        auto rows = *createTensor(*m_device, DType::F32, shape);
        auto entropies = *createTensor(*m_device, DType::F32, few);
        m_ops->attentionRows(onDevice(q), onDevice(k), wanted, scale, rows.view, entropies.view);
        Rows result{std::vector<float>(static_cast<std::size_t>(shape.product())),
                    std::vector<float>(static_cast<std::size_t>(few.product()))};
        m_ops->download(rows.view, TensorView(result.rows.data(), DType::F32, shape));
        m_ops->download(entropies.view, TensorView(result.entropies.data(), DType::F32, few));
        EXPECT_TRUE(m_ops->synchronize());
        return result;
    }

    void compare(const TestTensor& q, const TestTensor& k, const std::vector<std::int32_t>& wanted, float scale) {
        const std::int64_t heads = q.view().dim(2), keys = k.view().dim(1), width = q.view().dim(3);
        const Rows actual = computed(q, k, wanted, scale);
        std::size_t at = 0, row = 0;
        for (std::int64_t head = 0; head < heads; ++head) {
            for (const std::int32_t query : wanted) {
                std::vector<double> scores(static_cast<std::size_t>(keys));
                double top = -std::numeric_limits<double>::infinity(), sum = 0.0, entropy = 0.0, total = 0.0;
                for (std::int64_t key = 0; key < keys; ++key) {
                    double& score = scores[static_cast<std::size_t>(key)];
                    for (std::int64_t d = 0; d < width; ++d) {
                        score +=
                            readElement(q.view(), {0, query, head, d}) * readElement(k.view(), {0, key, head, d});
                    }
                    score *= static_cast<double>(scale);
                    top = std::max(top, score);
                }
                for (double& score : scores) {
                    score = std::exp(score - top);
                    sum += score;
                }
                for (const double score : scores) {
                    const double p = score / sum;
                    entropy -= p > 0.0 ? p * std::log(p) : 0.0;
                    ASSERT_NEAR(static_cast<double>(actual.rows[at]), p, 1e-5)
                        << "head " << head << ", query " << query;
                    total += static_cast<double>(actual.rows[at++]);
                }
                EXPECT_NEAR(total, 1.0, 1e-5);
                EXPECT_NEAR(static_cast<double>(actual.entropies[row++]), entropy, 1e-4 * (1.0 + entropy));
            }
        }
    }

    std::vector<OwnedTensor> m_owned;
};
INSTANTIATE_TEST_SUITE_P(Devices, AttentionRowsTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(AttentionRowsTest, EqualsTheSoftmax) {
    struct Case {
        std::int64_t queries, keys, heads, width;
        Layout layout;
    };
    for (const Case& c : {Case{1, 1, 1, 16, Layout::Contiguous}, Case{13, 13, 3, 32, Layout::Fused},
                          Case{70, 63, 2, 48, Layout::PaddedRows}, Case{64, 65, 2, 128, Layout::Fused},
                          Case{40, 512, 1, 64, Layout::Contiguous}}) {
        const TestTensor q = TestTensor::input(dtype(), {1, c.queries, c.heads, c.width}, c.layout, 2.0);
        const TestTensor k = TestTensor::input(dtype(), {1, c.keys, c.heads, c.width}, c.layout, 1.5);
        std::vector<std::int32_t> all;
        for (std::int32_t query = 0; query < c.queries; ++query) {
            all.push_back(query);
        }
        const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.width)));
        compare(q, k, all, scale);
        compare(q, k, {static_cast<std::int32_t>(c.queries - 1), 0}, scale);
    }
}

TEST_P(AttentionRowsTest, SharpRowsStaySharp) {
    const TestTensor q = TestTensor::input(dtype(), {1, 3, 1, 16}, Layout::Contiguous, 8.0);
    const TestTensor k = TestTensor::input(dtype(), {1, 100, 1, 16}, Layout::Contiguous, 8.0);
    compare(q, k, {0, 1, 2}, 0.25F);
}

TEST_P(AttentionRowsTest, WantsNothing) {
    const TestTensor q = TestTensor::input(dtype(), {1, 3, 2, 16});
    EXPECT_TRUE(computed(q, q, {}, 1.0F).rows.empty());
}

TEST_P(AttentionRowsTest, ShowsNaN) {
    const TestTensor q = TestTensor::input(dtype(), {1, 4, 1, 16});
    const TestTensor k = TestTensor::input(dtype(), {1, 5, 1, 16});
    q.set({0, 2, 0, 7}, std::numeric_limits<double>::quiet_NaN());
    const Rows rows = computed(q, k, {1, 2}, 1.0F);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_TRUE(std::isfinite(rows.rows[i]));
        EXPECT_TRUE(std::isnan(rows.rows[5 + i]));
    }
    EXPECT_TRUE(std::isnan(rows.entropies[1]));
}

}  // namespace
}  // namespace fw::backend
