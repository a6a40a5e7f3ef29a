// Rows of the softmax and their entropies against a softmax in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

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
                                const AttentionRowOptions& options) {
        const Shape few{q.view().dim(2), static_cast<std::int64_t>(wanted.size())};
        const Shape shape{few[0], few[1], k.view().dim(1)};
        auto rows = *createTensor(*m_device, DType::F32, shape);
        auto entropies = *createTensor(*m_device, DType::F32, few);
        m_ops->attentionRows(onDevice(q), onDevice(k), wanted, options, rows.view, entropies.view);
        Rows result{std::vector<float>(static_cast<std::size_t>(shape.product())),
                    std::vector<float>(static_cast<std::size_t>(few.product()))};
        m_ops->download(rows.view, TensorView(result.rows.data(), DType::F32, shape));
        m_ops->download(entropies.view, TensorView(result.entropies.data(), DType::F32, few));
        EXPECT_TRUE(m_ops->synchronize());
        return result;
    }

    void compare(const TestTensor& q, const TestTensor& k, const std::vector<std::int32_t>& wanted, float scale,
                 float firstKeyWeight = 1.0F) {
        const std::int64_t heads = q.view().dim(2), keys = k.view().dim(1), width = q.view().dim(3);
        const Rows actual = computed(q, k, wanted, {.scale = scale, .firstKeyWeight = firstKeyWeight});
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
                    score += key == 0 ? std::log(static_cast<double>(firstKeyWeight)) : 0.0;
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

    // Rows of `queries` against the sum over the keys for which sees(head, query, key).
    void compareKept(std::int64_t heads, const std::vector<std::int32_t>& queries, const SeenKeys& seen,
                     std::int64_t tokens,
                     const std::function<bool(std::int64_t, std::int64_t, std::int64_t)>& sees) {
        const auto count = static_cast<std::int64_t>(queries.size());
        const TestTensor rows = TestTensor::input(DType::F32, {heads, count, tokens});
        const TestTensor out = TestTensor::output(DType::F32, {heads, count});
        const TensorView masses = onDevice(out);
        m_ops->keptMass(onDevice(rows), queries, seen, masses);
        std::vector<float> actual(static_cast<std::size_t>(heads * count));
        m_ops->download(masses, TensorView(actual.data(), DType::F32, {heads, count}));
        ASSERT_TRUE(m_ops->synchronize());
        for (std::int64_t head = 0; head < heads; ++head) {
            for (std::int64_t i = 0; i < count; ++i) {
                double expected = 0.0;
                for (std::int64_t key = 0; key < tokens; ++key) {
                    expected += sees(head, queries[static_cast<std::size_t>(i)], key)
                                    ? readElement(rows.view(), {head, i, key})
                                    : 0.0;
                }
                ASSERT_NEAR(static_cast<double>(actual[static_cast<std::size_t>(head * count + i)]), expected,
                            1e-5 * std::sqrt(static_cast<double>(tokens)))
                    << "head " << head << ", query " << queries[static_cast<std::size_t>(i)];
            }
        }
    }

    template <class T>
    [[nodiscard]] TensorView uploaded(const std::vector<T>& values, DType dtype, const Shape& shape) {
        m_owned.push_back(*createTensor(*m_device, dtype, shape));
        m_ops->upload(ConstTensorView(values.data(), dtype, shape), m_owned.back().view);
        EXPECT_TRUE(m_ops->synchronize());
        return m_owned.back().view;
    }

    // Heads in turn in frame-major and token-major order; none: all frame-major.
    void compareWindow(const TokenGrid& grid, std::int64_t window, bool sinkFrame, bool ordered) {
        constexpr std::int64_t kHeads = 3;
        SeenKeys seen;
        seen.window = {.grid = grid, .window = window, .sinkFrame = sinkFrame, .orders = {}};
        const std::vector<std::uint8_t> orders{0, 1, 1};
        if (ordered) {
            seen.window.orders = uploaded(orders, DType::U8, {1, kHeads});
        }
        const auto positionOf = [&](std::int64_t head, std::int64_t token) {
            return ordered && orders[static_cast<std::size_t>(head)] == 1
                       ? token % grid.plane() * grid.frames + token / grid.plane()
                       : token;
        };
        const auto last = static_cast<std::int32_t>(grid.tokens() - 1);
        compareKept(kHeads, {last, 0, last / 2, last / 3}, seen, grid.tokens(),
                    [&](std::int64_t head, std::int64_t query, std::int64_t key) {
                        return std::abs(positionOf(head, query) - positionOf(head, key)) <= window ||
                               (sinkFrame && key < grid.plane());
                    });
    }

    // Every query block sees another number of blocks, in turn from none to all; one list for all heads or one
    // each.
    void compareLists(const TokenBlocks& blocks, bool shared) {
        constexpr std::int64_t kHeads = 2;
        const std::int64_t count = blocks.count(), own = shared ? 1 : kHeads;
        std::vector<std::int32_t> lists(static_cast<std::size_t>(own * count * count), -1), counts;
        std::vector<std::vector<bool>> kept;  // by head and query block
        for (std::int64_t row = 0; row < own * count; ++row) {
            auto& keys = kept.emplace_back(static_cast<std::size_t>(count));
            std::int32_t length = 0;
            for (std::int64_t key = 0; key < count; ++key) {
                if ((key * 7 + row * 3) % (count + 1) < row % (count + 1)) {
                    keys[static_cast<std::size_t>(key)] = true;
                    lists[static_cast<std::size_t>(row * count + length++)] = static_cast<std::int32_t>(key);
                }
            }
            counts.push_back(length);
        }
        const TensorView listView = uploaded(lists, DType::I32, {1, own, count, count}),
                         countView = uploaded(counts, DType::I32, {1, own, count});
        SeenKeys seen;
        seen.blocks = blocks;
        seen.lists = {TensorView(listView.mutableData(), DType::I32, {1, kHeads, count, count},
                                 {0, shared ? 0 : count * count, count, 1}, listView.device()),
                      TensorView(countView.mutableData(), DType::I32, {1, kHeads, count},
                                 {0, shared ? 0 : count, 1}, countView.device())};
        const BlockTable table = makeBlockTable(blocks);
        std::vector<std::int64_t> blockOf(table.order.size());
        for (std::int64_t block = 0; block < count; ++block) {
            for (auto i = table.starts[static_cast<std::size_t>(block)];
                 i < table.starts[static_cast<std::size_t>(block + 1)]; ++i) {
                const auto token = static_cast<std::size_t>(table.order[static_cast<std::size_t>(i)]);
                blockOf[token] = block;
                ASSERT_EQ(blocks.blockOf(static_cast<std::int64_t>(token)), block) << "token " << token;
            }
        }
        std::vector<std::int32_t> queries(table.order.size());
        std::iota(queries.begin(), queries.end(), 0);
        compareKept(kHeads, queries, seen, blocks.grid.tokens(),
                    [&](std::int64_t head, std::int64_t query, std::int64_t key) {
                        const auto row = (shared ? 0 : head) * count + blockOf[static_cast<std::size_t>(query)];
                        return kept[static_cast<std::size_t>(row)]
                                   [static_cast<std::size_t>(blockOf[static_cast<std::size_t>(key)])];
                    });
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
                          Case{40, 512, 1, 64, Layout::Contiguous}, Case{34, 601, 2, 64, Layout::PaddedRows},
                          Case{33, 1030, 2, 128, Layout::Contiguous}}) {
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

// More keys than the threads of one block, and than their registers hold.
TEST_P(AttentionRowsTest, ManyKeys) {
    for (const std::int64_t keys : {513, 1025, 2100, 32768, 32769}) {
        const TestTensor q = TestTensor::input(dtype(), {1, 2, 1, 16}, Layout::Contiguous, 2.0);
        const TestTensor k = TestTensor::input(dtype(), {1, keys, 1, 16}, Layout::Contiguous, 2.0);
        compare(q, k, {1}, 0.25F);
    }
}

TEST_P(AttentionRowsTest, SharpRowsStaySharp) {
    const TestTensor q = TestTensor::input(dtype(), {1, 3, 1, 16}, Layout::Contiguous, 8.0);
    const TestTensor k = TestTensor::input(dtype(), {1, 100, 1, 16}, Layout::Contiguous, 8.0);
    compare(q, k, {0, 1, 2}, 0.25F);
}

TEST_P(AttentionRowsTest, AFirstKeyThatCountsAsMany) {
    for (const std::int64_t keys : {1, 2, 12, 65, 700}) {
        const TestTensor q = TestTensor::input(dtype(), {1, 40, 2, 64}, Layout::Fused, 2.0);
        const TestTensor k = TestTensor::input(dtype(), {1, keys, 2, 64}, Layout::Fused, 1.5);
        compare(q, k, {39, 0, 7}, 0.125F, 501.0F);
    }
}

TEST_P(AttentionRowsTest, WantsNothing) {
    const TestTensor q = TestTensor::input(dtype(), {1, 3, 2, 16});
    EXPECT_TRUE(computed(q, q, {}, {}).rows.empty());
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
    compareSums(2, 3, {3, 5, 300}, {2, 3, 41});
}

TEST_P(AttentionRowsTest, KeptMassOfWindows) {
    if (dtype() != DType::F32) {
        GTEST_SKIP() << "rows are f32";
    }
    for (const bool ordered : {false, true}) {
        for (const bool sinkFrame : {false, true}) {
            compareWindow({1, 1, 1}, 0, sinkFrame, ordered);
            compareWindow({5, 6, 9}, 0, sinkFrame, ordered);
            compareWindow({5, 6, 9}, 31, sinkFrame, ordered);
            compareWindow({5, 6, 9}, 400, sinkFrame, ordered);
            compareWindow({3, 17, 29}, 333, sinkFrame, ordered);
        }
    }
}

TEST_P(AttentionRowsTest, KeptMassOfListedBlocks) {
    if (dtype() != DType::F32) {
        GTEST_SKIP() << "rows are f32";
    }
    for (const bool shared : {false, true}) {
        compareLists({.grid = {1, 1, 1}}, shared);
        compareLists({.grid = {5, 6, 9}}, shared);
        compareLists({.grid = {5, 6, 9}, .size = 17}, shared);
        compareLists({.grid = {5, 6, 9}, .tile = {4, 4, 4}}, shared);
        compareLists({.grid = {5, 6, 9}, .tile = {3, 4, 5}, .shift = {1, 2, 0}}, shared);
        compareLists({.grid = {3, 17, 29}, .tile = {1, 8, 16}}, shared);
    }
}

TEST_P(AttentionRowsTest, ShowsNaN) {
    const TestTensor q = TestTensor::input(dtype(), {1, 4, 1, 16});
    const TestTensor k = TestTensor::input(dtype(), {1, 5, 1, 16});
    q.set({0, 2, 0, 7}, std::numeric_limits<double>::quiet_NaN());
    const Rows rows = computed(q, k, {1, 2}, {.scale = 1.0F});
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_TRUE(std::isfinite(rows.rows[i]));
        EXPECT_TRUE(std::isnan(rows.rows[5 + i]));
    }
    EXPECT_TRUE(std::isnan(rows.entropies[1]));
}

}  // namespace
}  // namespace fw::backend
