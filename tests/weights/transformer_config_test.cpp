// Configurations of LinGen's transformers: defaults, tensors, and refusals with the numbers that disagree.
#include "core/weights/transformer_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "published_configs.h"

namespace fw::weights {
namespace {

using ::testing::HasSubstr;

// LinGen-S6 of docs/lingen.md.
Json small() {
    return Json::parse(R"({"_class_name": "LinGenTransformer3DModel", "patch_size": [1, 2, 2],
        "num_attention_heads": 4, "attention_head_dim": 64, "num_layers": 6, "ffn_dim": 1024, "in_channels": 16,
        "out_channels": 16, "text_dim": 512, "freq_dim": 256, "tesa_window": [9, 4, 4],
        "position_embedding_size": [9, 16, 16]})");
}

TEST(TransformerConfig, WansHaveNoMixerOfTheirOwn) {
    const auto config = parseTransformerConfig(Json::parse(test::kTransformer13b));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_FALSE(config->mate);
    EXPECT_EQ(config->dit.width(), 1536);
    EXPECT_EQ(tensorTable(*config).size(), tensorTable(config->dit).size());
}

TEST(TransformerConfig, FillsInTheDefaults) {
    const auto config = parseTransformerConfig(small());
    ASSERT_TRUE(config) << config.error().message;
    MateConfig expected;
    expected.window = {9, 4, 4};
    expected.shift = {4, 2, 2};
    expected.positionSizes = {9, 16, 16};
    EXPECT_EQ(*config->mate, expected);
    EXPECT_EQ(config->mate->innerWidth(config->dit), 512);
    EXPECT_EQ(config->mate->heads(config->dit), 8);
    EXPECT_EQ(config->mate->scannedWidth(config->dit), 640);
    // Counted by hand: 791,296 + 263,680 + 437,040 in each layer, 757,056 + 10,496 outside.
    EXPECT_EQ(parameterCount(tensorTable(*config)), 9'719'648);
}

TEST(TransformerConfig, CountsTheOtherShapes) {
    const auto parameters = [](const Json& changes) {
        Json json = small();
        json.update(changes);
        const auto config = parseTransformerConfig(json);
        EXPECT_TRUE(config) << config.error().message;
        return parameterCount(tensorTable(*config));
    };
    const std::int64_t shared = 9'719'648 - 6 * 437'040;
    EXPECT_EQ(parameters({{"ssm_state_dim", 128}}), shared + 6 * 471'088);
    EXPECT_EQ(parameters({{"ssm_expand", 1}, {"ssm_num_groups", 4}}), shared + 6 * 337'688);
    EXPECT_EQ(parameters({{"position_embedding", "none"}}), 9'719'648 - 10'496);
    EXPECT_EQ(parameters({{"position_embedding", "per_block"}}), 9'719'648 + 5 * 10'496);
    // One convolution, eight step sizes, decays and skips, and eight rows of the projection less.
    EXPECT_EQ(parameters({{"ssm_directions", "tied"}}), 9'719'648 - 6 * (640 * 5 + 3 * 8 + 8 * 256));
}

TEST(TransformerConfig, ReviewTokensCanBeSwitchedOff) {
    Json json = small();
    json["review_pooling"] = nullptr;
    const auto config = parseTransformerConfig(json);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_FALSE(config->mate->reviewPooling);
}

TEST(TransformerConfig, RefusesWhatDoesNotFitTogether) {
    const auto refused = [](const char* key, const Json& value, const std::string& message) {
        Json json = small();
        json[key] = value;
        const auto config = parseTransformerConfig(json);
        ASSERT_FALSE(config) << key << " " << value;
        EXPECT_EQ(config.error().code, ErrorCode::BadModel);
        EXPECT_THAT(config.error().message, HasSubstr(message)) << key << " " << value;
    };
    refused("_class_name", "FluxTransformer2DModel", "LinGenTransformer3DModel");
    refused("tesa_window", {9, 4}, "\"tesa_window\"");
    refused("tesa_window", {9, 0, 4}, "\"tesa_window\"");
    refused("tesa_shift", {9, 2, 2}, "windows of 9 tokens by 9");
    refused("tesa_shift", {-1, 0, 0}, "\"tesa_shift\"");
    refused("ssm_head_dim", 48, "\"ssm_head_dim\" 48 does not divide the inner width 512");
    refused("ssm_head_dim", 12, "\"ssm_head_dim\" is 12, which is not a multiple of 8");
    refused("ssm_state_dim", 0, "\"ssm_state_dim\"");
    refused("ssm_state_dim", 260, "\"ssm_state_dim\"");
    refused("ssm_num_groups", 3, "\"ssm_num_groups\" 3 does not divide the 8 heads of 64");
    refused("ssm_conv_kernel", 1, "\"ssm_conv_kernel\"");
    refused("ssm_chunk_size", 0, "\"ssm_chunk_size\"");
    refused("ssm_expand", 0, "\"ssm_expand\"");
    refused("ssm_directions", "three", "'three'");
    refused("review_directions", "back", "'back'");
    refused("review_pooling", {0, 2, 2}, "\"review_pooling\"");
    refused("position_embedding", "learned", "'learned'");
    refused("position_embedding_size", nullptr, "\"position_embedding_size\" is missing");
    refused("scan_orders", Json::array(), "\"scan_orders\" is [] where a list of 1 to 64 names is expected");
    refused("scan_orders", {1}, "\"scan_orders\" holds 1");
    refused("num_layers", 0, "\"num_layers\"");
}

}  // namespace
}  // namespace fw::weights
