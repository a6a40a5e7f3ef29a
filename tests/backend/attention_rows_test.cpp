// Rows of the softmax and their entropies against a softmax in double precision.
#include <algorithm>
#include <array>
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

    void compareSums(std::int64_t heads, std::int64_t count, const TokenGrid& grid,
                     const std::array<std::int64_t, 3>& pooling) {
        const std::int64_t extents[] = {grid.frames, grid.height, grid.width};
        std::int64_t boxes[3], offset[3], sums = 1;
        for (std::size_t axis = 0; axis < 3; ++axis) {
            boxes[axis] = (extents[axis] + pooling[axis] - 1) / pooling[axis];
            sums *= boxes[axis];
        }
        for (std::size_t axis = 0; axis < 3; ++axis) {
            offset[axis] = sums;
            sums += extents[axis];
        }
        const std::int64_t tokens = grid.tokens();
        const TestTensor rows = TestTensor::input(DType::F32, {heads, count, tokens});
        const TestTensor out = TestTensor::output(DType::F32, {heads, count, sums});
        const TestTensor columns = TestTensor::output(DType::F32, {heads, tokens});
        const TensorView sumView = onDevice(out), columnView = onDevice(columns);
        m_ops->rowSums(onDevice(rows), grid, pooling, sumView, columnView);
        std::vector<float> actual(static_cast<std::size_t>(heads * count * sums));
        std::vector<float> actualColumns(static_cast<std::size_t>(heads * tokens));
        m_ops->download(sumView, TensorView(actual.data(), DType::F32, {heads, count, sums}));
        m_ops->download(columnView, TensorView(actualColumns.data(), DType::F32, {heads, tokens}));
        ASSERT_TRUE(m_ops->synchronize());
        std::vector<double> expected(actual.size()), expectedColumns(actualColumns.size());
        for (std::int64_t row = 0; row < heads * count; ++row) {
            double* to = expected.data() + row * sums;
            for (std::int64_t i = 0; i < tokens; ++i) {
                const double value = readElement(rows.view(), {row / count, row % count, i});
                const std::int64_t at[] = {i / grid.plane(), i / grid.width % grid.height, i % grid.width};
                to[(at[0] / pooling[0] * boxes[1] + at[1] / pooling[1]) * boxes[2] + at[2] / pooling[2]] += value;
                for (std::size_t axis = 0; axis < 3; ++axis) {
                    to[offset[axis] + at[axis]] += value;
                }
                expectedColumns[static_cast<std::size_t>(row / count * tokens + i)] += value;
            }
        }
        const double tolerance = 1e-5 * std::sqrt(static_cast<double>(std::max(tokens, count)));
        for (std::size_t i = 0; i < actual.size(); ++i) {
            ASSERT_NEAR(static_cast<double>(actual[i]), expected[i], tolerance) << "sum " << i;
        }
        for (std::size_t i = 0; i < actualColumns.size(); ++i) {
            ASSERT_NEAR(static_cast<double>(actualColumns[i]), expectedColumns[i], tolerance) << "key " << i;
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

// More rows than a task of any back-end takes, tails of every kind.
TEST_P(AttentionRowsTest, ManyRowsAtOnce) {
    const TestTensor q = TestTensor::input(dtype(), {1, 100, 1, 80}, Layout::Fused, 2.0);
    const TestTensor k = TestTensor::input(dtype(), {1, 97, 1, 80}, Layout::PaddedRows, 2.0);
    std::vector<std::int32_t> wanted;
    for (std::int32_t query = 99; query >= 0; query -= 1 + query % 2) {
        wanted.push_back(query);
    }
    compare(q, k, wanted, 0.1F);
}

// A maximum far below zero, which must not be taken for the zeros of what lies past the end of a row.
TEST_P(AttentionRowsTest, ScoresFarBelowZero) {
    const TestTensor q = TestTensor::input(dtype(), {1, 2, 1, 16});
    const TestTensor k = TestTensor::input(dtype(), {1, 19, 1, 16});
    for (std::int64_t d = 0; d < 16; ++d) {
        q.set({0, 0, 0, d}, 5.0);
        q.set({0, 1, 0, d}, 6.0);
        for (std::int64_t key = 0; key < 19; ++key) {
            k.set({0, key, 0, d}, -4.0 - static_cast<double>(key) / 32.0);
        }
    }
    compare(q, k, {0, 1}, 1.0F);
}

TEST_P(AttentionRowsTest, SumsOfRows) {
    if (dtype() != DType::F32) {
        GTEST_SKIP() << "rows are f32";
    }
    compareSums(1, 1, {1, 1, 1}, {1, 1, 1});
    compareSums(3, 7, {3, 4, 5}, {1, 1, 1});
    compareSums(2, 17, {5, 6, 9}, {2, 4, 3});
    compareSums(2, 9, {3, 7, 35}, {5, 2, 17});
    compareSums(1, 5, {2, 16, 64}, {2, 16, 64});
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
