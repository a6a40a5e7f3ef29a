// Matrix products and attention against the reference.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops_harness.h"

namespace fw::backend {
namespace {

constexpr std::array kActivations{Activation::None, Activation::GeluTanh, Activation::Silu};
constexpr std::array kLayouts{Layout::Contiguous, Layout::PaddedRows, Layout::Fused};

struct LinearCase {
    Shape leading;
    std::int64_t in = 1, out = 1;
    Activation activation = Activation::None;
    Layout xLayout = Layout::Contiguous, yLayout = Layout::Contiguous;
    DType weightType = DType::F32;
    bool bias = true, resultF32 = false;

    [[nodiscard]] std::string text() const {
        return fmt::format("linear {} x {} -> {}, activation {}, layouts {} {}, weights {}, bias {}, f32 result {}",
                           leading.text(), in, out, static_cast<int>(activation), static_cast<int>(xLayout),
                           static_cast<int>(yLayout), dtypeName(weightType), bias, resultF32);
    }
};

Shape with(Shape leading, std::int64_t last) {
    leading.push(last);
    return leading;
}

class LinearTest : public OpsTest {
 protected:
    void run(const LinearCase& c) {
        const double spread = 1.0 / std::sqrt(static_cast<double>(c.in));
        const TestTensor weight = TestTensor::input(c.weightType, {c.out, c.in}, Layout::PaddedRows, spread);
        const TestTensor bias = TestTensor::input(DType::F32, {c.out});
        const TestTensor x = TestTensor::input(dtype(), with(c.leading, c.in), c.xLayout);
        const TestTensor y =
            TestTensor::output(c.resultF32 ? DType::F32 : dtype(), with(c.leading, c.out), c.yLayout);
        const ConstTensorView weightView = weight.view();
        const ConstTensorView biasView = bias.view();
        const LinearSource source{{&weightView, 1}, {&biasView, c.bias ? std::size_t{1} : std::size_t{0}}};
        // A bias fused into a bf16 product is itself rounded to bf16, up to 2⁻⁷ of the values here, and cuBLASLt's
        // GELU takes the hardware's tanh, off by up to 5e-4.
        const bool narrow = y.storage().dtype() == DType::BF16;
        m_slack = narrow && (c.bias || c.activation == Activation::GeluTanh) ? 2.0 : 1.0;
        expectMatch(c.text(), {&x}, y, [&](Ops& ops, const ViewOf& view) {
            auto packed = ops.packLinear(source, dtype());
            ASSERT_TRUE(packed) << packed.error().message;
            ops.linear(view(x), **packed, view(y), c.activation);
        });
    }
};
INSTANTIATE_TEST_SUITE_P(Devices, LinearTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(LinearTest, EveryShapeWithEveryEpilogue) {
    std::size_t i = 0;
    for (const std::int64_t rows : {1, 13, 63, 64, 65}) {
        for (const std::int64_t in : {1, 13, 63, 64, 65, 256}) {
            for (const std::int64_t out : {1, 13, 63, 64, 65}) {
                // Prime and coprime cycles: every epilogue and layout meets every size somewhere.
                LinearCase c{{rows}, in, out, kActivations[i % 3]};
                c.xLayout = kLayouts[i / 2 % 3];
                c.yLayout = kLayouts[i / 5 % 3];
                c.bias = i % 4 != 0;
                c.resultF32 = i % 2 == 1;
                run(c);
                ++i;
            }
        }
    }
}

TEST_P(LinearTest, LeadingDimensionsOfEveryRank) {
    run({.leading = {}, .in = 17, .out = 5});
    run({.leading = {2, 7}, .in = 32, .out = 48});
    run({.leading = {2, 7}, .in = 32, .out = 48, .xLayout = Layout::PaddedRows, .yLayout = Layout::Fused});
    run({.leading = {2, 3, 5, 7},
         .in = 12,
         .out = 20,
         .xLayout = Layout::PaddedRows,
         .yLayout = Layout::PaddedRows});
}

// A gate's logits: one column, which a back-end may compute on a path of its own.
TEST_P(LinearTest, ASingleColumn) {
    for (const std::int64_t in : {8, 24, 264, 1536, 1544}) {
        run({.leading = {1, 67}, .in = in, .out = 1, .resultF32 = true});
        run({.leading = {1, 67}, .in = in, .out = 1, .xLayout = Layout::PaddedRows, .bias = false});
        run({.leading = {3, 5},
             .in = in,
             .out = 1,
             .activation = Activation::Silu,
             .xLayout = Layout::Fused,
             .yLayout = Layout::PaddedRows});
    }
}

TEST_P(LinearTest, WeightsOfEveryFloatType) {
    for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
        run({.leading = {13}, .in = 63, .out = 65, .weightType = type});
    }
}

TEST_P(LinearTest, SourcesAreConcatenatedInOrder) {
    const std::array sizes{std::int64_t{16}, std::int64_t{1}, std::int64_t{47}};
    std::vector<TestTensor> weights;
    std::vector<TestTensor> biases;
    std::vector<ConstTensorView> weightViews;
    std::vector<ConstTensorView> biasViews;
    for (const std::int64_t size : sizes) {
        weights.push_back(TestTensor::input(DType::F32, {size, 29}));
        biases.push_back(TestTensor::input(DType::F32, {size}));
        weightViews.emplace_back(weights.back().view());
        biasViews.emplace_back(biases.back().view());
    }
    const TestTensor x = TestTensor::input(dtype(), {9, 29});
    const TestTensor y = TestTensor::output(dtype(), {9, 64});
    expectMatch("three sources", {&x}, y, [&](Ops& ops, const ViewOf& view) {
        auto packed = ops.packLinear({weightViews, biasViews}, dtype());
        ASSERT_TRUE(packed) << packed.error().message;
        EXPECT_EQ((*packed)->outFeatures, 64);
        EXPECT_EQ((*packed)->inFeatures, 29);
        EXPECT_EQ((*packed)->compute, dtype());
        ops.linear(view(x), **packed, view(y));
    });
}

TEST_P(LinearTest, ARowRepeatedByStrideZero) {
    const TestTensor row = TestTensor::input(dtype(), {1, 24});
    const TestTensor x = row.viewedAs(row.view().broadcastTo({5, 24}));
    const TestTensor weight = TestTensor::input(DType::F32, {10, 24});
    const TestTensor y = TestTensor::output(dtype(), {5, 10});
    const ConstTensorView weightView = weight.view();
    expectMatch("repeated row", {&x}, y, [&](Ops& ops, const ViewOf& view) {
        auto packed = ops.packLinear({{&weightView, 1}, {}}, dtype());
        ASSERT_TRUE(packed) << packed.error().message;
        ops.linear(view(x), **packed, view(y));
    });
}

// Primitives are kept per shape and let go when there are too many.
TEST_P(LinearTest, ManyShapesInARow) {
    const TestTensor weight = TestTensor::input(DType::F32, {8, 8});
    const ConstTensorView weightView = weight.view();
    auto packed = m_ops->packLinear({{&weightView, 1}, {}}, dtype());
    ASSERT_TRUE(packed) << packed.error().message;
    constexpr std::int64_t kShapes = 600;
    const OwnedTensor x = *createTensor(*m_device, dtype(), {kShapes, 8});
    const OwnedTensor y = *createTensor(*m_device, dtype(), {kShapes, 8});
    m_ops->upload(TestTensor::input(dtype(), {kShapes, 8}).view(), x.view);
    for (std::int64_t rows = 1; rows <= kShapes; ++rows) {
        m_ops->linear(x.view.slice(0, 0, rows), **packed, y.view.slice(0, 0, rows));
    }
    ASSERT_TRUE(m_ops->synchronize());
    run({.leading = {1}, .in = 8, .out = 8});
    run({.leading = {kShapes}, .in = 8, .out = 8});
}

TEST_P(LinearTest, NanStaysInItsRow) {
    const TestTensor x = TestTensor::input(dtype(), {5, 32});
    x.set({3, 7}, std::nan(""));
    const TestTensor weight = TestTensor::input(DType::F32, {16, 32});
    const TestTensor y = TestTensor::output(dtype(), {5, 16});
    const ConstTensorView weightView = weight.view();
    expectMatch("NaN", {&x}, y, [&](Ops& ops, const ViewOf& view) {
        auto packed = ops.packLinear({{&weightView, 1}, {}}, dtype());
        ASSERT_TRUE(packed) << packed.error().message;
        ops.linear(view(x), **packed, view(y));
    });
}

struct AttentionCase {
    std::int64_t batch = 1, queries = 1, keys = 1, heads = 1, width = 64;
    std::int64_t keyCount = -1;
    bool bias = false;
    float firstKeyWeight = 1.0F;
    Layout layout = Layout::Contiguous;

    [[nodiscard]] std::string text() const {
        return fmt::format(
            "attention batch {} queries {} keys {} ({}) heads {} width {} bias {} weight {} layout {}", batch,
            queries, keys, keyCount, heads, width, bias, firstKeyWeight, static_cast<int>(layout));
    }
};

class AttentionTest : public OpsTest {
 protected:
    void run(const AttentionCase& c) {
        const TestTensor q = TestTensor::input(dtype(), {c.batch, c.queries, c.heads, c.width}, c.layout);
        const TestTensor k = TestTensor::input(dtype(), {c.batch, c.keys, c.heads, c.width}, c.layout);
        const TestTensor v = TestTensor::input(dtype(), {c.batch, c.keys, c.heads, c.width}, c.layout, 2.0);
        const TestTensor bias = TestTensor::input(DType::F32, {c.heads, c.queries, c.keys}, c.layout, 2.0);
        const TestTensor out = TestTensor::output(dtype(), {c.batch, c.queries, c.heads, c.width}, c.layout);
        expectMatch(c.text(), {&q, &k, &v, &bias}, out, [&](Ops& ops, const ViewOf& view) {
            AttentionOptions options;
            options.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.width)));
            options.keyCount = c.keyCount;
            options.firstKeyWeight = c.firstKeyWeight;
            if (c.bias) {
                options.bias = view(bias);
            }
            ops.attention(view(q), view(k), view(v), view(out), options);
        });
    }

    // c.keys keys, the first of which the reference reads c.firstKeyWeight times.
    void runRepeated(const AttentionCase& c) {
        const auto more = static_cast<std::int64_t>(c.firstKeyWeight) - 1;
        const Shape shape{c.batch, more + c.keys, c.heads, c.width};
        const TestTensor q = TestTensor::input(dtype(), {c.batch, c.queries, c.heads, c.width}, c.layout);
        const TestTensor k = TestTensor::input(dtype(), shape, c.layout);
        const TestTensor v = TestTensor::input(dtype(), shape, c.layout, 2.0);
        for (const TestTensor* repeated : {&k, &v}) {
            Dims index = firstIndex(shape);
            do {
                if (index[1] < more) {
                    repeated->set(index, readElement(repeated->view(), {index[0], more, index[2], index[3]}));
                }
            } while (advance(index, shape));
        }
        const TestTensor out = TestTensor::output(dtype(), {c.batch, c.queries, c.heads, c.width}, c.layout);
        expectMatch(c.text(), {&q, &k, &v}, out, [&](Ops& ops, const ViewOf& view) {
            const bool whole = &ops == &m_reference;
            AttentionOptions options;
            options.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.width)));
            options.firstKeyWeight = whole ? 1.0F : c.firstKeyWeight;
            const std::int64_t first = whole ? 0 : more, end = more + c.keys;
            ops.attention(view(q), view(k).slice(1, first, end), view(v).slice(1, first, end), view(out), options);
        });
    }
};
INSTANTIATE_TEST_SUITE_P(Devices, AttentionTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(AttentionTest, EveryNumberOfTokens) {
    for (const std::int64_t queries : {1, 13, 63, 64, 65}) {
        for (const std::int64_t keys : {1, 13, 63, 64, 65, 257}) {
            run({.queries = queries, .keys = keys, .heads = 2, .width = 32});
        }
    }
}

TEST_P(AttentionTest, EveryHeadWidth) {
    for (const std::int64_t width : {16, 32, 48, 64, 80, 128, 256, 384, 512}) {
        run({.queries = 7, .keys = 19, .heads = 1, .width = width});
    }
}

TEST_P(AttentionTest, BatchesHeadsStridesBiasAndKeyCount) {
    run({.batch = 3, .queries = 17, .keys = 33, .heads = 3, .layout = Layout::PaddedRows});
    run({.batch = 2, .queries = 17, .keys = 33, .heads = 3, .layout = Layout::Fused});
    run({.batch = 2, .queries = 17, .keys = 33, .heads = 3, .bias = true});
    run({.queries = 17, .keys = 33, .heads = 3, .bias = true, .layout = Layout::PaddedRows});
    run({.queries = 17, .keys = 65, .heads = 1, .keyCount = 1});
    run({.queries = 17, .keys = 65, .heads = 2, .keyCount = 64, .bias = true});
}

TEST_P(AttentionTest, AFirstKeyThatCountsAsMany) {
    for (const std::int64_t width : {32, 64, 128}) {
        for (const std::int64_t keys : {1, 2, 11, 64, 65, 128, 129, 300}) {
            runRepeated({.queries = 17, .keys = keys, .heads = 2, .width = width, .firstKeyWeight = 40.0F});
        }
        runRepeated({.batch = 2,
                     .queries = 193,
                     .keys = 31,
                     .heads = 3,
                     .width = width,
                     .firstKeyWeight = 481.0F,
                     .layout = Layout::Fused});
    }
    run({.queries = 17, .keys = 33, .heads = 3, .bias = true, .firstKeyWeight = 2.5F});
    run({.queries = 17, .keys = 65, .heads = 2, .keyCount = 9, .firstKeyWeight = 1e6F});
}

// A relative-position bias: one short row per head, walked backwards from query to query.
TEST_P(AttentionTest, BiasWithANegativeStride) {
    constexpr std::int64_t kTokens = 21;
    const TestTensor q = TestTensor::input(dtype(), {1, kTokens, 2, 16});
    const TestTensor rows = TestTensor::input(DType::F32, {2, 2 * kTokens - 1});
    const ConstTensorView start = rows.view().slice(1, kTokens - 1, 2 * kTokens - 1);
    const TestTensor bias =
        rows.viewedAs(ConstTensorView(start.data(), DType::F32, {2, kTokens, kTokens}, {2 * kTokens - 1, -1, 1}));
    const TestTensor out = TestTensor::output(dtype(), {1, kTokens, 2, 16});
    expectMatch("relative bias", {&q, &bias}, out, [&](Ops& ops, const ViewOf& view) {
        AttentionOptions options;
        options.bias = view(bias);
        ops.attention(view(q), view(q), view(q), view(out), options);
    });
}

}  // namespace
}  // namespace fw::backend
