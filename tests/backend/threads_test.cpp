// The same bits with any number of threads, and threads given back.
#include <gtest/gtest.h>
#include <omp.h>

#include <thread>

#include "ops_harness.h"

namespace fw::backend {
namespace {

class ThreadsTest : public ::testing::TestWithParam<OpsParameter> {
 protected:
    // A bit of everything that sums: products, attention, convolution, norms.
    std::vector<std::byte> run(int threads) {
        auto device = createDevice(GetParam().device);
        auto ops = *(*device)->createOps({.threads = threads});
        const DType act = GetParam().dtype;
        std::vector<OwnedTensor> kept;
        const auto upload = [&](const TestTensor& source) {
            kept.push_back(std::move(*createTensor(**device, source.view().dtype(), source.view().shape())));
            ops->upload(source.view(), kept.back().view);
            return kept.back().view;
        };
        const auto make = [&](const Shape& shape) {
            kept.push_back(std::move(*createTensor(**device, act, shape)));
            return kept.back().view;
        };
        std::vector<TensorView> results;
        for (const Shape& size : {Shape{1, 1024, 64}, Shape{77, 300, 129}, Shape{300, 256, 192}}) {
            const TestTensor weight = TestTensor::input(DType::F32, {size[2], size[1]});
            const ConstTensorView weightView = weight.view();
            const auto packed = *ops->packLinear({{&weightView, 1}, {}}, act);
            results.push_back(make({size[0], size[2]}));
            ops->linear(upload(TestTensor::input(act, {size[0], size[1]})), *packed, results.back());
        }
        const TensorView q = upload(TestTensor::input(act, {1, 301, 3, 64}));
        results.push_back(make({1, 301, 3, 64}));
        ops->attention(q, q, q, results.back(), {.scale = 0.125F, .bias = {}});
        if (ops->supportsSparseAttention()) {
            results.push_back(make({1, 301, 3, 64}));
            ops->windowAttention(q, q, q, results.back(),
                                 {.scale = 0.125F, .grid = {7, 1, 43}, .window = 31, .orders = {}});
            const TensorView many = upload(TestTensor::input(act, {1, 1700, 2, 32}));
            results.push_back(make({1, 1700, 2, 32}));
            ops->linearAttention(many, many, many, results.back(), {});
        }
        const TestTensor kernel = TestTensor::input(DType::F32, {20, 16, 3, 3, 3});
        const auto conv = *ops->packConv3d(kernel.view(), {}, {.stride = {1, 1, 1}, .padding = {1, 1, 1, 1}}, act);
        results.push_back(make({1, 3, 33, 31, 20}));
        ops->conv3d(upload(TestTensor::input(act, {1, 5, 33, 31, 16})), *conv, results.back());
        results.push_back(make({1, 500, 257}));
        const TensorView vectors = upload(TestTensor::input(DType::F32, {1, 257}));
        ops->layerNormModulate(upload(TestTensor::input(act, {1, 500, 257})), vectors, vectors, 1e-6F,
                               results.back());
        const TensorView rows = results.back();
        kept.push_back(std::move(*createTensor(**device, DType::F32, {4})));
        results.push_back(kept.back().view);
        ops->difference(rows, upload(TestTensor::input(act, {1, 500, 257})), results.back());
        std::vector<std::byte> bytes;
        for (const TensorView& result : results) {
            std::vector<std::byte> part(static_cast<std::size_t>(result.bytes()));
            ops->download(result, TensorView(part.data(), result.dtype(), result.shape()));
            EXPECT_TRUE(ops->synchronize());
            bytes.insert(bytes.end(), part.begin(), part.end());
        }
        return bytes;
    }
};
INSTANTIATE_TEST_SUITE_P(Devices, ThreadsTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(ThreadsTest, ResultsDoNotDependOnTheirNumber) {
    const auto one = run(1);
    EXPECT_EQ(one, run(2));
    EXPECT_EQ(one, run(3));
    EXPECT_EQ(one, run(1));
}

TEST_P(ThreadsTest, OnePackedWeightServesTwoQueues) {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the lock of oneDNN's primitive cache is invisible to ThreadSanitizer";
#endif
    auto device = *createDevice(GetParam().device);
    auto packing = *device->createOps({.threads = 1});
    const TestTensor weight = TestTensor::input(DType::F32, {32, 16});
    const ConstTensorView weightView = weight.view();
    const auto packed = *packing->packLinear({{&weightView, 1}, {}}, GetParam().dtype);
    const TestTensor input = TestTensor::input(GetParam().dtype, {40, 16});
    const auto multiply = [&](std::vector<std::byte>& result) {
        auto ops = *device->createOps({.threads = 1});
        const OwnedTensor x = *createTensor(*device, GetParam().dtype, {40, 16});
        const OwnedTensor y = *createTensor(*device, GetParam().dtype, {40, 32});
        result.resize(static_cast<std::size_t>(y.view.bytes()));
        ops->upload(input.view(), x.view);
        for (std::int64_t rows = 1; rows <= 40; ++rows) {
            ops->linear(x.view.slice(0, 0, rows), *packed, y.view.slice(0, 0, rows));
        }
        ops->download(y.view, TensorView(result.data(), GetParam().dtype, {40, 32}));
        EXPECT_TRUE(ops->synchronize());
    };
    std::vector<std::byte> first;
    std::vector<std::byte> second;
    std::thread other([&] { multiply(first); });
    multiply(second);
    other.join();
    EXPECT_EQ(first, second);
}

TEST(Threads, TheCallersTeamIsLeftAlone) {
    auto device = createDevice("cpu");
    ASSERT_TRUE(device);
    omp_set_num_threads(5);
    auto ops = *(*device)->createOps({.threads = 2});
    const TestTensor weight = TestTensor::input(DType::F32, {8, 8});
    const ConstTensorView weightView = weight.view();
    const auto packed = *ops->packLinear({{&weightView, 1}, {}}, DType::F32);
    const TestTensor x = TestTensor::input(DType::F32, {4, 8});
    const TestTensor y = TestTensor::output(DType::F32, {4, 8});
    ops->linear(x.view(), *packed, y.view());
    EXPECT_EQ(omp_get_max_threads(), 5);
}

}  // namespace
}  // namespace fw::backend
