#include "core/pipeline/preview.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/golden/recipe.h"

namespace fw::pipeline {
namespace {

TEST(ProjectLatents, MapsEachPositionAndClamps) {
    // Two channels, one frame of 1x3: red follows channel 0, green is minus channel 1, blue is its bias.
    const std::vector<float> latents{0.0F, 1.0F, -5.0F, 0.5F, -1.0F, 0.0F};
    const model::PreviewProjection projection{{1, 0, 0, -1, 0, 0}, {0, 0, 1}};
    const PreviewImage image = projectLatents(projection, {latents.data(), DType::F32, {2, 1, 1, 3}});
    EXPECT_EQ(image.frames, 1);
    EXPECT_EQ(image.height, 1);
    EXPECT_EQ(image.width, 3);
    EXPECT_EQ(image.rgb, (std::vector<std::uint8_t>{128, 64, 255, 255, 255, 255, 0, 128, 255}));
}

// Colours that are an exact linear map of the latents are recovered, up to the ridge.
TEST(FitProjection, RecoversALinearMap) {
    constexpr std::int64_t kChannels = 5;
    constexpr std::int64_t kHeight = 7;
    constexpr std::int64_t kWidth = 6;
    constexpr std::int64_t kBlock = 4;
    const auto latents = golden::values("latents", 1, kChannels * kHeight * kWidth);
    const auto matrix = golden::values("matrix", 1, 3 * kChannels, 0.1);
    const std::vector<float> bias{0.1F, -0.2F, 0.3F};
    std::vector<float> frame;
    for (std::int64_t y = 0; y < kHeight * kBlock; ++y) {
        for (std::int64_t x = 0; x < kWidth * kBlock; ++x) {
            const std::int64_t position = y / kBlock * kWidth + x / kBlock;
            for (std::int64_t c = 0; c < 3; ++c) {
                float value = bias[static_cast<std::size_t>(c)];
                for (std::int64_t k = 0; k < kChannels; ++k) {
                    value += matrix[static_cast<std::size_t>(c * kChannels + k)] *
                             latents[static_cast<std::size_t>(k * kHeight * kWidth + position)];
                }
                frame.push_back(value);
            }
        }
    }
    const auto fitted = fitProjection({latents.data(), DType::F32, {kChannels, kHeight, kWidth}},
                                      {frame.data(), DType::F32, {kHeight * kBlock, kWidth * kBlock, 3}});
    ASSERT_EQ(fitted.matrix.size(), matrix.size());
    for (std::size_t i = 0; i < matrix.size(); ++i) {
        EXPECT_NEAR(fitted.matrix[i], matrix[i], 0.002F);
    }
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(fitted.bias[i], bias[i], 0.002F);
    }
}

TEST(ShrinkToFit, AveragesTheSmallestBlocksThatFit) {
    // Two frames of 4x6; the red of a pixel counts up.
    std::vector<std::uint8_t> rgb(2 * 4 * 6 * 3, 100);
    for (std::size_t i = 0; i < rgb.size(); i += 3) {
        rgb[i] = static_cast<std::uint8_t>(i / 3);
    }
    const ConstTensorView view(rgb.data(), DType::U8, {2, 4, 6, 3});
    EXPECT_EQ(shrinkToFit(view, 144).rgb, rgb);
    const PreviewImage half = shrinkToFit(view, 143);
    EXPECT_EQ(half.frames, 2);
    EXPECT_EQ(half.height, 2);
    EXPECT_EQ(half.width, 3);
    EXPECT_EQ(half.rgb[0], 4) << "0, 1, 6, 7 have the mean 3.5";
    EXPECT_EQ(half.rgb[1], 100);
    EXPECT_EQ(half.rgb[3], 6);
    const PreviewImage third = shrinkToFit(view, 35);
    EXPECT_EQ(third.height, 1);
    EXPECT_EQ(third.width, 2);
    const PreviewImage dot = shrinkToFit(view, 5);
    EXPECT_EQ(dot.frames, 1) << "one pixel of one frame";
    EXPECT_EQ(dot.rgb.size(), 3U);
}

TEST(FitProjection, SurvivesFlatPictures) {
    const std::vector<float> latents(4 * 2 * 2, 0.0F);
    const std::vector<float> frame(4 * 4 * 3, 0.5F);
    const auto fitted =
        fitProjection({latents.data(), DType::F32, {4, 2, 2}}, {frame.data(), DType::F32, {4, 4, 3}});
    EXPECT_TRUE(std::all_of(fitted.matrix.begin(), fitted.matrix.end(), [](float v) { return v == 0.0F; }));
    EXPECT_NEAR(fitted.bias[0], 0.5F, 0.01F);
}

}  // namespace
}  // namespace fw::pipeline
