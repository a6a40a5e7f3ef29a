// The embedded model as the repository ships it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/video_model.h"
#include "fixture.h"

namespace fw::model {
namespace {

using ::testing::IsEmpty;

const std::filesystem::path& miniFolder() {
    static const std::filesystem::path folder = std::filesystem::path(FW_SOURCE_DIR) / "resources/models/mini";
    return folder;
}

TEST(Mini, IsRunnableAndKnowsItsDefaults) {
    const auto info = inspectModel(miniFolder());
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_THAT(info->problems, IsEmpty());
    EXPECT_EQ(info->name, "mini");
    EXPECT_EQ(info->family, "wan");
    EXPECT_FALSE(info->description.empty());
    EXPECT_GT(info->parameters, 10'000'000);
    EXPECT_GT(info->bytes, 2 * info->parameters);
    EXPECT_EQ(info->defaults.width, 256);
    EXPECT_EQ(info->defaults.height, 256);
    EXPECT_EQ(info->defaults.frames, 33);
    EXPECT_EQ(info->defaults.frameRate, (job::FrameRate{12, 1}));
    EXPECT_EQ(info->defaults.steps, 20);
    EXPECT_EQ(info->defaults.sizeMultiple, 16);
    EXPECT_EQ(info->defaults.frameMultiple, 4);
    ASSERT_TRUE(info->preview);
    EXPECT_EQ(info->preview->matrix.size(), 3U * 16);
    EXPECT_EQ(modelHash(miniFolder())->size(), 64U);
}

TEST(Mini, IsListed) {
    const std::vector<std::filesystem::path> roots{miniFolder().parent_path()};
    const auto models = listModels(roots);
    ASSERT_FALSE(models.empty());
    EXPECT_TRUE(
        std::any_of(models.begin(), models.end(), [](const ModelInfo& info) { return info.name == "mini"; }));
}

TEST(Mini, TokensEqualTheReference) {
    const auto tokenizer = loadTokenizer(miniFolder());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ((*tokenizer)->maxTokens(), 64);
    const Json cases = test::readFixture("tokens.json");
    ASSERT_GT(cases["mini"].size(), 50U);
    for (const Json& entry : cases["mini"]) {
        EXPECT_EQ(*(*tokenizer)->encode(entry[0].get<std::string>()), entry[1].get<std::vector<std::int32_t>>())
            << entry[0];
    }
}

}  // namespace
}  // namespace fw::model
