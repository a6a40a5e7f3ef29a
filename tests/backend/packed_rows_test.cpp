// Rows of eight bits there and back, on every device that has them.
#include "core/backend/packed_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/tensor/fp8.h"
#include "ops_harness.h"

namespace fw::backend {
namespace {

TEST(Fp8, EveryCodeComesBackAndTiesGoToEven) {
    for (int code = 0; code < 256; ++code) {
        const auto bits = static_cast<std::uint8_t>(code);
        if ((bits & 0x7fU) == 0x7fU) {
            EXPECT_TRUE(std::isnan(fp8ToFloat(bits)));
        } else {
            EXPECT_EQ(floatToFp8(fp8ToFloat(bits)), bits) << code;
        }
    }
    EXPECT_EQ(fp8ToFloat(0x7e), kLargestFp8);
    EXPECT_EQ(floatToFp8(1e9F), 0x7e);
    EXPECT_EQ(floatToFp8(-std::numeric_limits<float>::infinity()), 0xfe);
    EXPECT_EQ(fp8ToFloat(floatToFp8(17.0F)), 16.0F);    // between 16 and 18
    EXPECT_EQ(fp8ToFloat(floatToFp8(19.0F)), 20.0F);    // between 18 and 20
    EXPECT_EQ(fp8ToFloat(floatToFp8(0x1p-10F)), 0.0F);  // between 0 and the smallest
    EXPECT_EQ(fp8ToFloat(floatToFp8(0x1.8p-9F)), 0x1p-8F);
    EXPECT_TRUE(std::isnan(fp8ToFloat(floatToFp8(std::nanf("")))));
}

class PackedRowsTest : public OpsTest {
 protected:
    // What comes back of the rows, and their scales.
    struct Back {
        std::vector<float> values, scales;
    };
    Back there(const TestTensor& x, DType back) {
        const Shape shape = x.view().shape();
        const OwnedTensor from = *createTensor(*m_device, x.view().dtype(), shape);
        const OwnedTensor bytes = *createTensor(*m_device, DType::U8, shape);
        const OwnedTensor scales = *createTensor(*m_device, DType::F32, {shape[0], shape[1]});
        const OwnedTensor to = *createTensor(*m_device, back, shape);
        const OwnedTensor wide = *createTensor(*m_device, DType::F32, shape);
        m_ops->upload(x.view(), from.view);
        auto& packs = dynamic_cast<PacksRows&>(*m_ops);
        packs.packRows(from.view, bytes.view, scales.view);
        packs.unpackRows(bytes.view, scales.view, to.view);
        m_ops->copy(to.view, wide.view);
        Back result{std::vector<float>(static_cast<std::size_t>(shape.product())),
                    std::vector<float>(static_cast<std::size_t>(shape[0] * shape[1]))};
        m_ops->download(wide.view, TensorView(result.values.data(), DType::F32, shape));
        m_ops->download(scales.view, TensorView(result.scales.data(), DType::F32, {shape[0], shape[1]}));
        EXPECT_TRUE(m_ops->synchronize());
        return result;
    }
};

INSTANTIATE_TEST_SUITE_P(Devices, PackedRowsTest, ::testing::ValuesIn(allParameters()), parameterName);

TEST_P(PackedRowsTest, ComeBackWithinHalfAStep) {
    for (const Shape& shape :
         {Shape{1, 1, 1}, Shape{1, 17, 5}, Shape{2, 3, 64}, Shape{1, 7, 520}, Shape{1, 3, 1536}}) {
        for (const double spread : {1e-6, 1.0, 3e4}) {
            const TestTensor x = TestTensor::input(dtype(), shape, Layout::Contiguous, spread);
            const Back back = there(x, dtype());
            const double rounding = dtype() == DType::BF16 ? 0x1p-8 : 0x1p-20;
            for (std::int64_t row = 0; row < shape[0] * shape[1]; ++row) {
                double largest = 0.0;
                const auto at = [&](std::int64_t i) {
                    return readElement(x.view(), {row / shape[1], row % shape[1], i});
                };
                for (std::int64_t i = 0; i < shape[2]; ++i) {
                    largest = std::max(largest, std::fabs(at(i)));
                }
                const double scale = largest / static_cast<double>(kLargestFp8);
                ASSERT_NEAR(static_cast<double>(back.scales[static_cast<std::size_t>(row)]) / scale, 1.0, 1e-5);
                for (std::int64_t i = 0; i < shape[2]; ++i) {
                    // Three bits of mantissa, or half of the smallest number.
                    const double most = std::max(std::fabs(at(i)) * 0x1p-4, scale * 0x1p-10) * (1.0 + 1e-4);
                    const auto found =
                        static_cast<double>(back.values[static_cast<std::size_t>(row * shape[2] + i)]);
                    ASSERT_NEAR(found, at(i), most + std::fabs(found) * rounding) << shape.text() << " " << row;
                }
            }
        }
    }
}

TEST_P(PackedRowsTest, NothingAndWhatIsNotFiniteStay) {
    const TestTensor x = TestTensor::input(dtype(), {1, 3, 9});
    for (std::int64_t i = 0; i < 9; ++i) {
        x.set({0, 0, i}, 0.0);
    }
    x.set({0, 1, 4}, std::nan(""));
    x.set({0, 2, 8}, -INFINITY);
    const Back back = there(x, DType::F32);
    EXPECT_EQ(back.scales[0], 1.0F);
    for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_EQ(back.values[i], 0.0F);
        EXPECT_EQ(std::isnan(back.values[9 + i]), i == 4);
        EXPECT_TRUE(std::isnan(back.values[18 + i])) << "a row with an infinity";
    }
}

}  // namespace
}  // namespace fw::backend
