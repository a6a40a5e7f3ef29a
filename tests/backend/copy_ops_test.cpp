// Copies, permutations, conversions and gathers against the reference.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops_harness.h"

namespace fw::backend {
namespace {

class CopyOpsTest : public OpsTest {
 protected:
    void run(const std::string& what, const TestTensor& x, const TestTensor& y) {
        expectMatch(what, {&x}, y, [&](Ops& ops, const ViewOf& view) { ops.copy(view(x), view(y)); });
    }
};
INSTANTIATE_TEST_SUITE_P(Devices, CopyOpsTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(CopyOpsTest, EveryConversionAndLayout) {
    for (const DType from : {DType::F32, DType::BF16, DType::F16}) {
        for (const DType to : {DType::F32, DType::BF16, DType::F16}) {
            for (const Shape& shape : {Shape{1}, Shape{13}, Shape{3, 15}, Shape{2, 5, 17}}) {
                for (const Layout layout : {Layout::Contiguous, Layout::PaddedRows}) {
                    run(fmt::format("copy {} to {} {}", dtypeName(from), dtypeName(to), shape.text()),
                        TestTensor::input(from, shape, layout), TestTensor::output(to, shape, Layout::PaddedRows));
                }
            }
        }
    }
}

// Values at the edges of the half types: rounding ties, subnormals, overflow, infinities, NaN.
TEST_P(CopyOpsTest, ConversionOfSpecialValues) {
    const double values[] = {0.0,     -0.0,         1.0,       1.00390625, 1.01171875, 65504.0, 65519.0,
                             65520.0, -70000.0,     5.9604e-8, 2.9e-8,     6.0975e-5,  6.1e-5,  3.4e38,
                             1e-40,   std::nan(""), INFINITY,  -INFINITY,  2048.5,     2049.0,  -1e-8};
    const auto count = static_cast<std::int64_t>(std::size(values));
    for (const DType from : {DType::F32, DType::BF16, DType::F16}) {
        const TestTensor x = TestTensor::input(from, {count});
        for (std::int64_t i = 0; i < count; ++i) {
            x.set({i}, values[i]);
        }
        for (const DType to : {DType::F32, DType::BF16, DType::F16}) {
            const TestTensor y = TestTensor::output(to, {count});
            // Exact: rounding to nearest even leaves no choice.
            expectMatch("special values", {&x}, y,
                        [&](Ops& ops, const ViewOf& view) { ops.copy(view(x), view(y)); });
            ReferenceOps reference;
            const TestTensor expected = y.clone();
            reference.copy(x.view(), expected.view());
            const TestTensor actual = y.clone();
            OwnedTensor deviceX = *createTensor(*m_device, from, {count});
            OwnedTensor deviceY = *createTensor(*m_device, to, {count});
            m_ops->upload(x.view(), deviceX.view);
            m_ops->copy(deviceX.view, deviceY.view);
            m_ops->download(deviceY.view, actual.view());
            ASSERT_TRUE(m_ops->synchronize());
            for (std::int64_t i = 0; i < count; ++i) {
                const double wanted = readElement(expected.view(), {i});
                if (!std::isnan(wanted)) {
                    EXPECT_EQ(readElement(actual.view(), {i}), wanted)
                        << values[i] << " from " << dtypeName(from) << " to " << dtypeName(to);
                }
            }
        }
    }
}

TEST_P(CopyOpsTest, EveryPermutation) {
    const Shape shape{3, 65, 1, 13};
    for (const DType to : {DType::F32, dtype()}) {
        const TestTensor x = TestTensor::input(dtype(), shape, Layout::PaddedRows);
        std::array<std::int64_t, 4> order{0, 1, 2, 3};
        do {
            const Dims dims{order[0], order[1], order[2], order[3]};
            const TestTensor permuted = x.viewedAs(x.view().permute(dims));
            const TestTensor y = TestTensor::output(to, permuted.view().shape(), Layout::PaddedRows);
            run("copy permuted " + dims.text(), permuted, y);
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

// Latents to tokens and back: [C, T, H·p, W·p] <-> [T·H·W, p·p·C].
TEST_P(CopyOpsTest, PatchifyAndUnpatchify) {
    const TestTensor latents = TestTensor::input(DType::F32, {16, 3, 10, 14});
    const ConstTensorView patches = latents.view().split(2, 5, 2).split(4, 7, 2).permute({1, 2, 4, 3, 5, 0});
    const TestTensor x = latents.viewedAs(patches);
    run("patchify", x, TestTensor::output(dtype(), patches.shape()));

    const TestTensor tokens = TestTensor::input(dtype(), {3, 5, 7, 2, 2, 16});
    const TensorView target = TestTensor::output(DType::F32, {16, 3, 10, 14}).view();
    const TestTensor y = TestTensor::output(DType::F32, {16, 3, 5, 2, 7, 2});
    run("unpatchify", tokens.viewedAs(tokens.view().permute({5, 0, 1, 3, 2, 4})), y);
    EXPECT_EQ(target.count(), y.view().count());
}

// The output is the strided side: tokens scattered back into a picture.
TEST_P(CopyOpsTest, StridedOutput) {
    const TestTensor x = TestTensor::input(dtype(), {6, 40});
    const TestTensor picture = TestTensor::output(dtype(), {40, 6});
    const TestTensor y = picture.viewedAs(picture.view().permute({1, 0}));
    run("scatter", x, y);
}

TEST_P(CopyOpsTest, RepeatedRowsAndLargeTensors) {
    const TestTensor row = TestTensor::input(dtype(), {1, 33});
    run("broadcast rows", row.viewedAs(row.view().broadcastTo({9, 33})), TestTensor::output(DType::F32, {9, 33}));
    const TestTensor column = TestTensor::input(DType::F32, {9, 1});
    run("broadcast columns", column.viewedAs(column.view().broadcastTo({9, 33})),
        TestTensor::output(dtype(), {9, 33}));
    run("long row", TestTensor::input(DType::F32, {40001}), TestTensor::output(dtype(), {40001}));
    const TestTensor plane = TestTensor::input(dtype(), {130, 257});
    run("large transposition", plane.viewedAs(plane.view().permute({1, 0})),
        TestTensor::output(DType::F32, {257, 130}));
}

TEST_P(CopyOpsTest, NanSurvivesConversion) {
    for (const std::int64_t at : {0, 12, 39}) {
        const TestTensor x = TestTensor::input(DType::F32, {40});
        x.set({at}, std::nan(""));
        run("NaN", x, TestTensor::output(dtype(), {40}));
    }
}

TEST_P(CopyOpsTest, Embed) {
    for (const DType table : {DType::F32, DType::BF16}) {
        for (const std::int64_t channels : {1, 13, 16, 17, 65}) {
            const TestTensor rows = TestTensor::input(table, {11, channels}, Layout::PaddedRows);
            const TestTensor ids = TestTensor::input(DType::I32, {5});
            const std::int64_t values[] = {10, 0, 3, 3, 7};
            for (std::int64_t i = 0; i < 5; ++i) {
                ids.set({i}, static_cast<double>(values[i]));
            }
            const TestTensor y = TestTensor::output(dtype(), {5, channels}, Layout::Fused);
            expectMatch("embed", {&rows, &ids}, y,
                        [&](Ops& ops, const ViewOf& view) { ops.embed(view(rows), view(ids), view(y)); });
        }
    }
}

}  // namespace
}  // namespace fw::backend
