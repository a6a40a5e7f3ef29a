#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/tensor/tensor_view.h"

namespace fw {
namespace {

TEST(BFloat16, RoundsToNearestEven) {
    EXPECT_EQ(BFloat16(1.0F).bits, 0x3f80);
    EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3f808000U)).bits, 0x3f80);  // tie, even below
    EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3f818000U)).bits, 0x3f82);  // tie, even above
    EXPECT_EQ(BFloat16(std::bit_cast<float>(0x3f808001U)).bits, 0x3f81);
    EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(std::numeric_limits<float>::quiet_NaN()))));
    EXPECT_EQ(BFloat16(std::numeric_limits<float>::infinity()).bits, 0x7f80);
}

TEST(HalfToFloat, CoversSpecialValues) {
    EXPECT_EQ(halfToFloat(0x3c00), 1.0F);
    EXPECT_EQ(halfToFloat(0xc000), -2.0F);
    EXPECT_EQ(halfToFloat(0x0001), std::ldexp(1.0F, -24));
    EXPECT_EQ(halfToFloat(0x7bff), 65504.0F);
    EXPECT_TRUE(std::isinf(halfToFloat(0x7c00)));
    EXPECT_TRUE(std::isnan(halfToFloat(0x7e00)));
    EXPECT_TRUE(std::signbit(halfToFloat(0x8000)));
}

TEST(TensorView, SlicesSplitsPermutesAndBroadcasts) {
    std::array<float, 24> data{};
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<float>(i);
    }
    const TensorView view(data.data(), DType::F32, {2, 3, 4});
    EXPECT_TRUE(view.isContiguous());
    EXPECT_EQ(view.slice(1, 1, 3).shape(), (Shape{2, 2, 4}));
    EXPECT_EQ(*view.slice(1, 1, 3).as<float>(), 4.0F);
    EXPECT_FALSE(view.slice(1, 1, 3).isContiguous());
    EXPECT_EQ(view.split(-1, 2, 2).shape(), (Shape{2, 3, 2, 2}));
    EXPECT_EQ(view.permute({2, 0, 1}).strides(), (Strides{1, 12, 4}));
    EXPECT_EQ(view.slice(0, 0, 1).broadcastTo({5, 3, 4}).stride(0), 0);
    EXPECT_EQ(view.text(), "f32[2, 3, 4] on cpu");
}

}  // namespace
}  // namespace fw
