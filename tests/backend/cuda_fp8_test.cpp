// The CUDA engine's products in e4m3 against the same rounding done here, number by number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/backend/device.h"
#include "core/backend/ops.h"
#include "core/tensor/dtype.h"
#include "cuda_kernel_test.h"

namespace fw::backend {
namespace {

namespace cuda = kernels::cuda;
using ::testing::HasSubstr;

// The 127 numbers of e4m3 from 0 on, by their bits.
const std::vector<double>& fp8Numbers() {
    static const std::vector<double> kNumbers = [] {
        std::vector<double> numbers;
        for (int bits = 0; bits < 127; ++bits) {
            const int exponent = bits / 8;
            const double mantissa = bits % 8;
            numbers.push_back(exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8.0 + mantissa, exponent - 10));
        }
        return numbers;
    }();
    return kNumbers;
}

// To nearest, ties to even bits, at most 448.
std::uint8_t fp8Bits(float value) {
    if (!std::isfinite(value)) {
        return 0x7f;  // an infinity never comes here but as a quotient of two, which is no number
    }
    const std::vector<double>& numbers = fp8Numbers();
    const double magnitude = std::abs(static_cast<double>(value));
    auto above =
        static_cast<std::size_t>(std::lower_bound(numbers.begin(), numbers.end(), magnitude) - numbers.begin());
    if (above == numbers.size()) {
        above = numbers.size() - 1;
    } else if (above > 0) {
        const double low = magnitude - numbers[above - 1];
        const double high = numbers[above] - magnitude;
        above -= low < high || (low == high && (above - 1) % 2 == 0) ? 1 : 0;
    }
    return static_cast<std::uint8_t>(above | (std::signbit(value) ? 0x80U : 0U));
}

double fp8Value(std::uint8_t bits) {
    const unsigned magnitude = bits & 0x7fU;
    const double value = magnitude == 0x7fU ? std::nan("") : fp8Numbers()[magnitude];
    return (bits & 0x80U) != 0 ? -value : value;
}

struct Quantised {
    std::vector<std::uint8_t> bits;
    std::vector<float> scales;
    std::int64_t channels = 0;
    [[nodiscard]] double value(std::int64_t row, std::int64_t channel) const {
        return fp8Value(bits[static_cast<std::size_t>(row * channels + channel)]) *
               static_cast<double>(scales[static_cast<std::size_t>(row)]);
    }
};

template <class T>
Quantised quantised(const std::vector<T>& x, std::int64_t rows, std::int64_t channels, std::int64_t stride) {
    Quantised result;
    result.channels = channels;
    for (std::int64_t row = 0; row < rows; ++row) {
        const T* values = x.data() + row * stride;
        float largest = 0.0F;
        for (std::int64_t i = 0; i < channels; ++i) {
            largest = std::fmax(largest, std::fabs(static_cast<float>(values[i])));
        }
        const float scale = largest > 1e-30F ? largest / 448.0F : 1.0F;
        const float factor = 1.0F / scale;
        for (std::int64_t i = 0; i < channels; ++i) {
            result.bits.push_back(fp8Bits(static_cast<float>(values[i]) * factor));
        }
        result.scales.push_back(scale);
    }
    return result;
}

template <class T>
std::vector<T> normalValues(std::mt19937& random, std::int64_t count, float spread = 1.0F) {
    std::normal_distribution<float> normal(0.0F, spread);
    std::vector<T> values;
    for (std::int64_t i = 0; i < count; ++i) {
        values.push_back(T(normal(random)));
    }
    return values;
}

TEST(Fp8Emulation, RoundsToTheNearestNumber) {
    EXPECT_EQ(fp8Bits(0.0F), 0x00);
    EXPECT_EQ(fp8Bits(448.0F), 0x7e);
    EXPECT_EQ(fp8Bits(-1000.0F), 0xfe);
    EXPECT_EQ(fp8Value(fp8Bits(1.0F)), 1.0);
    EXPECT_EQ(fp8Value(fp8Bits(1.0625F)), 1.0);   // a tie goes to even
    EXPECT_EQ(fp8Value(fp8Bits(1.1875F)), 1.25);  // and so does this
    EXPECT_EQ(fp8Value(fp8Bits(0x1p-10F)), 0.0);
    EXPECT_EQ(fp8Value(fp8Bits(0x1.8p-10F)), 0x1p-9);
}

class CudaFp8Rows : public CudaKernelTest<int> {
 protected:
    template <class T>
    void run(std::vector<T> x, std::int64_t rows, std::int64_t channels, std::int64_t stride) {
        SCOPED_TRACE(::testing::Message() << rows << " rows of " << channels << " every " << stride);
        const Quantised expected = quantised(x, rows, channels, stride);
        auto* bits = onDevice(std::vector<std::uint8_t>(static_cast<std::size_t>(rows * channels), 0xff));
        auto* scales = onDevice(std::vector<float>(static_cast<std::size_t>(rows), NAN));
        const cuda::QuantiseArgs args{.rows = rows,
                                      .channels = channels,
                                      .x = onDevice(x),
                                      .element = sizeof(T) == 2 ? cuda::Element::Bf16 : cuda::Element::F32,
                                      .xStride = stride,
                                      .y = bits,
                                      .scales = scales};
        ASSERT_EQ(api().quantiseRows(m_queue, args), cuda::Code::Ok);
        std::vector<std::uint8_t> gotBits(expected.bits.size());
        std::vector<float> gotScales(expected.scales.size());
        ASSERT_EQ(api().download(m_queue, bits, gotBits.data(), rows * channels), cuda::Code::Ok);
        ASSERT_EQ(api().download(m_queue, scales, gotScales.data(), rows * 4), cuda::Code::Ok);
        ASSERT_EQ(api().synchronize(m_queue, &m_message), cuda::Code::Ok) << m_message.text;
        for (std::size_t i = 0; i < gotBits.size(); ++i) {
            // NaN has a sign that means nothing.
            const bool isNan = (expected.bits[i] & 0x7f) == 0x7f;
            ASSERT_EQ(gotBits[i] | (isNan ? 0x80 : 0), expected.bits[i] | (isNan ? 0x80 : 0)) << "element " << i;
        }
        EXPECT_EQ(gotScales, expected.scales);
    }
    std::mt19937 m_random{11};
};
INSTANTIATE_TEST_SUITE_P(Device, CudaFp8Rows, ::testing::Values(0));

TEST_P(CudaFp8Rows, EveryWidth) {
    for (const std::int64_t channels : {1, 8, 13, 512, 520, 1536, 1544, 6152, 14344}) {
        const std::int64_t stride = channels + 8;
        run(normalValues<BFloat16>(m_random, 9 * stride), 9, channels, stride);
        run(normalValues<float>(m_random, 3 * stride, 1e-4F), 3, channels, stride);
    }
}

TEST_P(CudaFp8Rows, NothingHugeAndNoNumbers) {
    for (const std::int64_t channels : {std::int64_t{64}, std::int64_t{67}}) {
        const std::int64_t rows = 6;
        auto x = normalValues<float>(m_random, rows * channels);
        const auto row = [&](std::int64_t i) { return x.begin() + i * channels; };
        std::fill(row(0), row(1), 0.0F);
        std::fill(row(1), row(2), 1e-38F);
        *(row(2) + 5) = 3e38F;
        *(row(3) + 63) = NAN;
        std::fill(row(4), row(5), -0.0F);
        run(x, rows, channels, channels);
        // An infinity's row has no meaningful number left: the infinity itself is NaN.
        x[7] = INFINITY;
        auto* bits = onDevice(std::vector<std::uint8_t>(static_cast<std::size_t>(channels)));
        auto* scales = onDevice(std::vector<float>(1));
        ASSERT_EQ(api().quantiseRows(m_queue, {.rows = 1,
                                               .channels = channels,
                                               .x = onDevice(x),
                                               .element = cuda::Element::F32,
                                               .xStride = channels,
                                               .y = bits,
                                               .scales = scales}),
                  cuda::Code::Ok);
        std::vector<std::uint8_t> got(static_cast<std::size_t>(channels));
        ASSERT_EQ(api().download(m_queue, bits, got.data(), channels), cuda::Code::Ok);
        ASSERT_EQ(api().synchronize(m_queue, &m_message), cuda::Code::Ok);
        EXPECT_EQ(got[7] & 0x7f, 0x7f);
    }
}

// Products through the queue of operations.
class CudaFp8Linear : public ::testing::Test {
 protected:
    void SetUp() override {
        for (BackendEntry& entry : createBackends()) {
            if (entry.name == "cuda" && !entry.devices.empty() && entry.devices[0]->info().fp8) {
                m_device = std::move(entry.devices[0]);
            }
        }
        if (m_device == nullptr) {
            GTEST_SKIP() << "no device with fp8";
        }
        m_ops = std::move(*m_device->createOps({}));
    }

    struct Case {
        std::int64_t rows, in, out;
        Activation activation = Activation::None;
        bool bias = true, resultF32 = false;
        std::int64_t xGap = 0, yGap = 0;  // between rows
    };
    void run(const Case& c);
    OwnedTensor uploaded(const void* host, DType dtype, const Shape& shape) {
        auto tensor = std::move(*createTensor(*m_device, dtype, shape));
        m_ops->upload(ConstTensorView(host, dtype, shape), tensor.view);
        EXPECT_TRUE(m_ops->synchronize());
        return tensor;
    }

    std::unique_ptr<Device> m_device;
    std::unique_ptr<Ops> m_ops;
    std::mt19937 m_random{5};
};

double activatedInDouble(double x, Activation activation) {
    switch (activation) {
        case Activation::GeluTanh:
            return 0.5 * x * (1.0 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
        case Activation::Silu:
            return x / (1.0 + std::exp(-x));
        case Activation::None:
            break;
    }
    return x;
}

void CudaFp8Linear::run(const Case& c) {
    SCOPED_TRACE(::testing::Message() << c.rows << " x " << c.in << " -> " << c.out << ", activation "
                                      << static_cast<int>(c.activation) << ", bias " << c.bias << ", f32 "
                                      << c.resultF32);
    const std::int64_t xStride = c.in + c.xGap, yStride = c.out + c.yGap;
    const auto x = normalValues<BFloat16>(m_random, c.rows * xStride);
    const auto weight = normalValues<BFloat16>(m_random, c.out * c.in, 1.0F / std::sqrt(static_cast<float>(c.in)));
    const auto bias = normalValues<float>(m_random, c.out);
    const ConstTensorView weightView(weight.data(), DType::BF16, {c.out, c.in});
    const ConstTensorView biasView(bias.data(), DType::F32, {c.out});
    const auto packed =
        m_ops->packLinear({{&weightView, 1}, {&biasView, c.bias ? std::size_t{1} : std::size_t{0}}}, DType::F8E4M3);
    ASSERT_TRUE(packed) << packed.error().message;
    ASSERT_TRUE((*packed)->fp8);
    EXPECT_EQ((*packed)->compute, DType::BF16);
    EXPECT_EQ((*packed)->bytes, c.out * (c.in + 4) + (c.bias ? 4 * c.out : 0));

    const OwnedTensor xs = uploaded(x.data(), DType::BF16, {c.rows, xStride});
    const DType result = c.resultF32 ? DType::F32 : DType::BF16;
    const std::vector<float> unwritten(static_cast<std::size_t>(c.rows * yStride), -7.0F);
    const OwnedTensor ys = uploaded(unwritten.data(), DType::F32, {c.rows, yStride});
    const OwnedTensor typed = std::move(*createTensor(*m_device, result, {c.rows, yStride}));
    m_ops->copy(ys.view, typed.view);
    m_ops->linear(xs.view.slice(1, 0, c.in), **packed, typed.view.slice(1, 0, c.out), c.activation);
    m_ops->copy(typed.view, ys.view);
    std::vector<float> got(unwritten.size());
    m_ops->download(ys.view, TensorView(got.data(), DType::F32, {c.rows, yStride}));
    ASSERT_TRUE(m_ops->synchronize());
    EXPECT_GE(m_ops->scratchBytes(), c.rows * (c.in + 4));

    const Quantised left = quantised(x, c.rows, c.in, xStride);
    const Quantised right = quantised(weight, c.out, c.in, c.in);
    double difference = 0.0, size = 0.0, exactDifference = 0.0;
    for (std::int64_t row = 0; row < c.rows; ++row) {
        for (std::int64_t column = 0; column < c.out; ++column) {
            double sum = 0.0, exact = 0.0;
            for (std::int64_t k = 0; k < c.in; ++k) {
                sum += left.value(row, k) * right.value(column, k);
                exact +=
                    static_cast<double>(static_cast<float>(x[static_cast<std::size_t>(row * xStride + k)])) *
                    static_cast<double>(static_cast<float>(weight[static_cast<std::size_t>(column * c.in + k)]));
            }
            const double more = c.bias ? static_cast<double>(bias[static_cast<std::size_t>(column)]) : 0.0;
            const double expected = activatedInDouble(sum + more, c.activation);
            const double value = static_cast<double>(got[static_cast<std::size_t>(row * yStride + column)]);
            difference += (value - expected) * (value - expected);
            size += expected * expected;
            const double ideal = activatedInDouble(exact + more, c.activation);
            exactDifference += (value - ideal) * (value - ideal);
        }
        for (std::int64_t gap = c.out; gap < yStride; ++gap) {
            ASSERT_EQ(got[static_cast<std::size_t>(row * yStride + gap)], -7.0F) << "written beside row " << row;
        }
    }
    // Beyond its own rounding: the result in bf16, a bias in bf16, sums of some 14 bits on the tensor cores.
    EXPECT_TRUE(std::sqrt(difference / size) <= 6e-3) << std::sqrt(difference / size);
    // Two operands off by 2^-4 / sqrt(12) at most each, most of them by half of that.
    EXPECT_TRUE(std::sqrt(exactDifference / size) <= 6e-2) << std::sqrt(exactDifference / size);
}

TEST_F(CudaFp8Linear, EveryShapeWithEveryEpilogue) {
    constexpr std::array kActivations{Activation::None, Activation::GeluTanh, Activation::Silu};
    std::size_t i = 0;
    for (const std::int64_t rows : {1, 7, 64, 65, 130}) {
        for (const std::int64_t in : {16, 64, 528}) {
            for (const std::int64_t out : {16, 48, 272}) {
                Case c{rows, in, out, kActivations[i % 3]};
                c.bias = i % 4 != 0;
                c.resultF32 = i % 5 == 1;
                c.xGap = i % 2 == 0 ? 8 : 0;
                c.yGap = i % 7 < 3 ? 16 : 0;
                run(c);
                ++i;
            }
        }
    }
}

TEST_F(CudaFp8Linear, ManyRowsOfARealLayer) {
    run({.rows = 33, .in = 1536, .out = 256});
    run({.rows = 9, .in = 8960, .out = 64});
}

TEST_F(CudaFp8Linear, SizesItDoesNotTakeStayInBf16) {
    const std::vector<float> values(32 * 24, 0.5F);
    for (const Shape& shape : {Shape{32, 24}, Shape{24, 32}}) {
        const ConstTensorView weight(values.data(), DType::F32, shape);
        const auto packed = m_ops->packLinear({{&weight, 1}, {}}, DType::F8E4M3);
        ASSERT_TRUE(packed) << packed.error().message;
        EXPECT_FALSE((*packed)->fp8);
        EXPECT_EQ((*packed)->compute, DType::BF16);
        EXPECT_EQ((*packed)->bytes, 32 * 24 * 2);
    }
}

TEST_F(CudaFp8Linear, WhatIsNoNumberStaysVisible) {
    const std::vector<float> weights(32 * 32, 0.25F);
    const ConstTensorView weight(weights.data(), DType::F32, {32, 32});
    const auto packed = m_ops->packLinear({{&weight, 1}, {}}, DType::F8E4M3);
    ASSERT_TRUE(packed) << packed.error().message;
    std::vector<BFloat16> x(4 * 32, BFloat16(1.0F));
    x[3] = BFloat16(INFINITY);
    x[2 * 32 + 31] = BFloat16(NAN);
    const OwnedTensor xs = uploaded(x.data(), DType::BF16, {4, 32});
    const OwnedTensor ys = std::move(*createTensor(*m_device, DType::F32, {4, 32}));
    m_ops->linear(xs.view, **packed, ys.view);
    std::vector<float> got(4 * 32);
    m_ops->download(ys.view, TensorView(got.data(), DType::F32, {4, 32}));
    ASSERT_TRUE(m_ops->synchronize());
    for (std::size_t i = 0; i < got.size(); ++i) {
        const bool numbers = i / 32 % 2 == 1;
        EXPECT_EQ(std::isfinite(got[i]), numbers) << "row " << i / 32 << " column " << i % 32;
        if (numbers) {
            EXPECT_FLOAT_EQ(got[i], 8.0F);
        }
    }
}

TEST_F(CudaFp8Linear, TheSameBitsTwice) {
    const auto weights = normalValues<float>(m_random, 256 * 512);
    const auto x = normalValues<BFloat16>(m_random, 129 * 512);
    const ConstTensorView weight(weights.data(), DType::F32, {256, 512});
    const auto packed = m_ops->packLinear({{&weight, 1}, {}}, DType::F8E4M3);
    ASSERT_TRUE(packed) << packed.error().message;
    const OwnedTensor xs = uploaded(x.data(), DType::BF16, {129, 512});
    const OwnedTensor ys = std::move(*createTensor(*m_device, DType::BF16, {129, 256}));
    std::array<std::vector<BFloat16>, 2> got;
    for (auto& run : got) {
        run.resize(129 * 256);
        m_ops->linear(xs.view, **packed, ys.view, Activation::GeluTanh);
        m_ops->download(ys.view, TensorView(run.data(), DType::BF16, {129, 256}));
        ASSERT_TRUE(m_ops->synchronize());
    }
    EXPECT_TRUE(std::equal(got[0].begin(), got[0].end(), got[1].begin(),
                           [](BFloat16 a, BFloat16 b) { return a.bits == b.bits; }));
}

TEST(Fp8Refusal, TheProcessorHasNone) {
    auto device = createDevice("cpu");
    ASSERT_TRUE(device);
    EXPECT_FALSE((*device)->info().fp8);
    auto ops = std::move(*(*device)->createOps({}));
    const std::vector<float> values(32 * 32, 1.0F);
    const ConstTensorView weight(values.data(), DType::F32, {32, 32});
    const auto packed = ops->packLinear({{&weight, 1}, {}}, DType::F8E4M3);
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(packed.error().message, HasSubstr("fp8"));
}

}  // namespace
}  // namespace fw::backend
