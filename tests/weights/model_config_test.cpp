// Configurations as published are read; every change that this engine could not honour is refused by name.
#include "core/weights/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "published_configs.h"
#include "temp_folder.h"

namespace fw::weights {
namespace {

using ::testing::HasSubstr;

// `base` with one key replaced (or removed, when `value` is a discarded Json) must be refused with `message`.
template <class Config>
void expectRefused(Result<Config> (*parse)(const Json&), const char* base, const char* key, const Json& value,
                   const std::string& message) {
    Json json = Json::parse(base);
    if (value.is_discarded()) {
        json.erase(key);
    } else {
        json[key] = value;
    }
    const auto config = parse(json);
    ASSERT_FALSE(config) << key << " " << value;
    EXPECT_EQ(config.error().code, ErrorCode::BadModel);
    EXPECT_THAT(config.error().message, HasSubstr(message)) << key << " " << value;
}

const Json kRemoved = Json(Json::value_t::discarded);

TEST(WanTransformerConfig, ReadsThePublishedOne) {
    const auto config = parseWanTransformerConfig(Json::parse(test::kTransformer13b));
    ASSERT_TRUE(config) << config.error().message;
    WanTransformerConfig expected;
    expected.heads = 12;
    expected.ffnDim = 8960;
    expected.layers = 30;
    EXPECT_EQ(*config, expected);
    EXPECT_EQ(config->width(), 1536);
}

TEST(WanTransformerConfig, RefusesWhatItCannotRun) {
    const auto refused = [](const char* key, const Json& value, const std::string& message) {
        expectRefused(parseWanTransformerConfig, test::kTransformer13b, key, value, message);
    };
    refused("_class_name", "FluxTransformer2DModel",
            "\"_class_name\" is 'FluxTransformer2DModel'; supported: WanTransf");
    refused("_class_name", kRemoved, "\"_class_name\" is missing");
    refused("num_layers", kRemoved, "the key \"num_layers\" is missing");
    refused("num_layers", 0, "\"num_layers\" is 0 where 1 to 1024 is possible");
    refused("num_layers", -3, "\"num_layers\" is -3");
    refused("num_layers", std::uint64_t{1} << 63U, "\"num_layers\" is 9223372036854775808");
    refused("num_layers", 30.5, "\"num_layers\" is 30.5 where an integer is expected");
    refused("num_layers", "30", "\"num_layers\" is '30' where an integer is expected");
    refused("num_layers", nullptr, "\"num_layers\" is missing");
    refused("attention_head_dim", 127, "need an even number");
    refused("attention_head_dim", 4, "6 to 1024 is possible");
    refused("freq_dim", 255, "need an even number");
    refused("patch_size", Json::array({1, 2}), "\"patch_size\" is [1,2] where a list of 3 integers is expected");
    refused("patch_size", Json::array({1, 2, 0}), "\"patch_size\" is 0");
    refused("patch_size", 2, "a list of 3 integers");
    refused("out_channels", 32, "\"in_channels\" is 16 and \"out_channels\" is 32");
    refused("eps", 0, "\"eps\" is 0");
    refused("eps", "small", "where a number is expected");
    refused("cross_attn_norm", 1, "where true or false is expected");
    refused("qk_norm", "rms_norm", "\"qk_norm\" is 'rms_norm'; supported: rms_norm_across_heads");
    refused("image_dim", 1280, "\"image_dim\" is 1280, which is not supported: this is an image-to-video model");
    refused("added_kv_proj_dim", 1536, "not supported");
    refused("pos_embed_seq_len", 514, "not supported");
    refused("num_attention_heads", 1024, "1024 heads of 128 make a width above");
    EXPECT_FALSE(parseWanTransformerConfig(Json::array()));
    EXPECT_FALSE(parseWanTransformerConfig(Json(3)));
}

TEST(WanVaeConfig, ReadsThePublishedOne) {
    const auto config = parseWanVaeConfig(Json::parse(test::kVae));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->decoderBaseDim, 96);
    EXPECT_EQ(config->dimMult, (std::vector<std::int64_t>{1, 2, 4, 4}));
    EXPECT_EQ(config->temporalDownsample, (std::vector<bool>{false, true, true}));
    EXPECT_EQ(config->patchSize, 1);
    EXPECT_EQ(config->inChannels, 3);
    EXPECT_EQ(config->scaleFactorSpatial, 8);
    EXPECT_EQ(config->scaleFactorTemporal, 4);
    EXPECT_FLOAT_EQ(config->latentsMean.at(15), -0.2921F);
    EXPECT_FLOAT_EQ(config->latentsStd.at(0), 2.8184F);
}

TEST(WanVaeConfig, ReadsOneWithPixelPatches) {
    Json json = Json::parse(test::kVae);
    json.update({{"patch_size", 2},
                 {"in_channels", 12},
                 {"out_channels", 12},
                 {"dim_mult", {1, 2, 2}},
                 {"temperal_downsample", {true, true}},
                 {"base_dim", 24},
                 {"decoder_base_dim", 32},
                 {"scale_factor_spatial", 8},
                 {"scale_factor_temporal", 4},
                 {"is_residual", false}});
    const auto config = parseWanVaeConfig(json);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->patchSize, 2);
    EXPECT_EQ(config->baseDim, 24);
    EXPECT_EQ(config->decoderBaseDim, 32);
}

TEST(WanVaeConfig, RefusesWhatItCannotRun) {
    const auto refused = [](const char* key, const Json& value, const std::string& message) {
        expectRefused(parseWanVaeConfig, test::kVae, key, value, message);
    };
    refused("_class_name", "AutoencoderKL", "supported: AutoencoderKLWan");
    refused("is_residual", true, "\"is_residual\" is true, which is not supported: Wan2.2's");
    refused("attn_scales", Json::array({0.5}), "\"attn_scales\" is [0.5], which is not supported");
    refused("dim_mult", Json::array(), "a list of 1 to 6 integers");
    refused("dim_mult", Json::array({1, 2, 4, 4, 4}),
            "\"temperal_downsample\" is [false,true,true] where a list of 4");
    refused("temperal_downsample", Json::array({false, true}), "a list of 3 times true or false");
    refused("temperal_downsample", Json::array({0, 1, 1}), "a list of 3 times true or false");
    refused("scale_factor_spatial", 16, "\"scale_factor_spatial\" is 16 but 4 levels and a patch of 1 make 8");
    refused("scale_factor_temporal", 8, "\"scale_factor_temporal\" is 8 but");
    refused("in_channels", 4, "RGB in patches of 1 makes 3");
    refused("patch_size", 2, "\"in_channels\" is 3 and \"out_channels\" is 3; RGB in patches of 2 makes 12");
    refused("latents_mean", Json::array({1.0}), "\"latents_mean\" is [1.0] where a list of 16 numbers is expected");
    refused("latents_std", Json(std::vector<double>(16, 0.0)), "\"latents_std\" is 0.0");
    refused("latents_std", Json(std::vector<double>(16, -1.0)), "\"latents_std\" is -1.0");
    refused("latents_std", kRemoved, "\"latents_std\" is missing");
    refused("z_dim", 0, "\"z_dim\" is 0");
    refused("decoder_base_dim", 33, "times 1 is odd");
}

TEST(Umt5Config, ReadsThePublishedOne) {
    const auto config = parseUmt5Config(Json::parse(test::kUmt5Xxl));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(*config, Umt5Config{});
    EXPECT_EQ(config->innerDim(), 4096);
}

TEST(Umt5Config, RefusesWhatItCannotRun) {
    const auto refused = [](const char* key, const Json& value, const std::string& message) {
        expectRefused(parseUmt5Config, test::kUmt5Xxl, key, value, message);
    };
    refused("model_type", "t5", "\"model_type\" is 't5'; supported: umt5");
    refused("feed_forward_proj", "relu", "supported: gated-gelu");
    refused("dense_act_fn", "relu", "\"dense_act_fn\" is 'relu', which is not supported");
    refused("vocab_size", kRemoved, "\"vocab_size\" is missing");
    refused("relative_attention_num_buckets", 31, "must be even");
    refused("relative_attention_max_distance", 8, "32 buckets need more than 8");
    refused("eos_token_id", 256384, "\"eos_token_id\" is 256384");
    refused("d_kv", 0, "\"d_kv\" is 0");
    refused("layer_norm_epsilon", 1, "\"layer_norm_epsilon\" is 1");
    refused("d_kv", 1024, "make a width above");
}

TEST(SchedulerConfig, ReadsBothKinds) {
    const auto unipc = parseSchedulerConfig(Json::parse(test::kScheduler));
    ASSERT_TRUE(unipc) << unipc.error().message;
    EXPECT_EQ(*unipc, SchedulerConfig{});
    const auto euler = parseSchedulerConfig(Json::parse(
        R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 5.0})"));
    ASSERT_TRUE(euler) << euler.error().message;
    EXPECT_EQ(euler->className, "FlowMatchEulerDiscreteScheduler");
    EXPECT_EQ(euler->flowShift, 5.0);
}

TEST(SchedulerConfig, RefusesWhatItCannotRun) {
    const auto refused = [](const char* key, const Json& value, const std::string& message) {
        expectRefused(parseSchedulerConfig, test::kScheduler, key, value, message);
    };
    refused("_class_name", "DDIMScheduler", "supported: UniPCMultistepScheduler, FlowMatchEulerDiscreteScheduler");
    refused("prediction_type", "epsilon", "supported: flow_prediction");
    refused("use_flow_sigmas", false, "\"use_flow_sigmas\" is false");
    refused("use_flow_sigmas", kRemoved, "\"use_flow_sigmas\" is missing");
    refused("use_karras_sigmas", true, "only plain flow sigmas run here");
    refused("solver_order", 3, "\"solver_order\" is 3 where 1 to 2 is possible");
    refused("solver_type", "bh1", "supported: bh2");
    refused("predict_x0", false, "not supported");
    refused("disable_corrector", Json::array({0}), "not supported");
    refused("flow_shift", 0, "\"flow_shift\" is 0");
    refused("final_sigmas_type", "sigma_min", "supported: zero");
    refused("shift_terminal", 0.1, "not supported");
}

TEST(TokenizerConfig, ReadsThePublishedOne) {
    const auto config = parseTokenizerConfig(Json::parse(test::kTokenizer));
    ASSERT_TRUE(config) << config.error().message;
    TokenizerConfig expected;
    expected.specialTokens = {{"<pad>", 0}, {"</s>", 1}, {"<unk>", 2}};
    EXPECT_EQ(*config, expected);
}

TEST(TokenizerConfig, AcceptsBoundlessLengthsAndTokensAsObjects) {
    Json json = Json::parse(test::kTokenizer);
    json["model_max_length"] = Json::parse("1000000000000000019884624838656");
    json["eos_token"] = {{"content", "</s>"}, {"lstrip", false}};
    const auto config = parseTokenizerConfig(json);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->modelMaxLength, 512);
    EXPECT_EQ(config->eosToken, "</s>");
}

TEST(TokenizerConfig, RefusesWhatItCannotRun) {
    const auto refused = [](const char* key, const Json& value, const std::string& message) {
        expectRefused(parseTokenizerConfig, test::kTokenizer, key, value, message);
    };
    refused("tokenizer_class", "CLIPTokenizer", "supported: T5Tokenizer, T5TokenizerFast");
    refused("model_max_length", 1, "\"model_max_length\" is 1");
    refused("model_max_length", "512", "where a number is expected");
    refused("added_tokens_decoder", Json::array({1}), "\"added_tokens_decoder\" is [1]");
    refused("added_tokens_decoder", {{"x", Json::object()}}, "the key 'x' where a token id is expected");
    refused("added_tokens_decoder", {{"99999999999999999999", Json::object()}}, "where a token id is expected");
    refused("added_tokens_decoder", {{"3", Json::object()}}, "added token 3: the key \"content\" is missing");
    refused("eos_token", 1, "where a text is expected");
}

TEST(ModelIndex, ReadsThePublishedOne) {
    const auto index = parseModelIndex(Json::parse(test::kModelIndex));
    ASSERT_TRUE(index) << index.error().message;
    EXPECT_EQ(index->className, "WanPipeline");
    EXPECT_EQ(index->parts.size(), 5U);
    EXPECT_EQ(index->parts.at("transformer"), "WanTransformer3DModel");
    EXPECT_FALSE(parseModelIndex(Json::parse("{}")));
    EXPECT_FALSE(parseModelIndex(Json::parse("[]")));
}

TEST(ModelConfig, FilesAreNamedInMessages) {
    const test::TempFolder folder;
    folder.write("transformer/config.json", test::kTransformer13b);
    folder.write("vae/config.json", "{}");
    EXPECT_TRUE(loadWanTransformerConfig(folder.path()));
    const auto vae = loadWanVaeConfig(folder.path());
    ASSERT_FALSE(vae);
    EXPECT_THAT(vae.error().message, HasSubstr("vae/config.json: the key \"_class_name\" is missing"));
    const auto encoder = loadUmt5Config(folder.path());
    ASSERT_FALSE(encoder);
    EXPECT_THAT(encoder.error().message, HasSubstr("text_encoder/config.json is missing"));
}

}  // namespace
}  // namespace fw::weights
