#include "core/weights/model_config.h"

#include <algorithm>
#include <limits>

#include "core/weights/config_reader.h"
#include "core/weights/text.h"

namespace fw::weights {
namespace {

// Bounds far above any published model: they keep products of a few of them inside int64.
constexpr IntegerRange kChannels{1, 4096};
constexpr IntegerRange kWidth{1, 1 << 15};
constexpr IntegerRange kLayers{1, 1024};
constexpr NumberRange kEpsilon{1e-30, 0.1};

void requireClass(ConfigReader& reader, std::string_view name) {
    (void)reader.choice("_class_name", {name});
}

template <class Config>
Result<Config> loadFrom(const std::filesystem::path& path, Result<Config> (*parse)(const Json&)) {
    FW_ASSIGN(const Json json, readJsonFile(path));
    auto config = parse(json);
    if (!config) {
        return tl::unexpected(std::move(config).error().within(path.string()));
    }
    return config;
}

}  // namespace

Result<WanTransformerConfig> parseWanTransformerConfig(const Json& json) {
    ConfigReader reader(json);
    requireClass(reader, "WanTransformer3DModel");
    WanTransformerConfig config;
    const auto patch = reader.integers("patch_size", {3, 3}, {1, 16});
    if (patch.size() == 3) {
        config.patchT = patch[0];
        config.patchH = patch[1];
        config.patchW = patch[2];
    }
    config.heads = reader.integer("num_attention_heads", {1, 1024});
    config.headDim = reader.integer("attention_head_dim", {6, 1024});
    config.inChannels = reader.integer("in_channels", kChannels);
    config.outChannels = reader.integer("out_channels", kChannels, config.inChannels);
    config.textDim = reader.integer("text_dim", kWidth);
    config.freqDim = reader.integer("freq_dim", {2, 1 << 16});
    config.ffnDim = reader.integer("ffn_dim", {1, 1 << 20});
    config.layers = reader.integer("num_layers", kLayers);
    config.crossAttnNorm = reader.boolean("cross_attn_norm", true);
    config.eps = reader.number("eps", kEpsilon, 1e-6);
    config.ropeMaxSeqLen = reader.integer("rope_max_seq_len", {1, 1 << 20}, 1024);
    (void)reader.choice("qk_norm", {"rms_norm_across_heads"}, "rms_norm_across_heads");
    reader.only("image_dim", nullptr, "this is an image-to-video model; only text-to-video runs here");
    reader.only("added_kv_proj_dim", nullptr, "this is an image-to-video model; only text-to-video runs here");
    reader.only("pos_embed_seq_len", nullptr, "this is an image-to-video model; only text-to-video runs here");
    reader.require(config.headDim % 2 == 0,
                   fmt::format("\"attention_head_dim\" is {}, rotary positions need an even "
                               "number",
                               config.headDim));
    reader.require(config.freqDim % 2 == 0,
                   fmt::format("\"freq_dim\" is {}, sine and cosine need an even number", config.freqDim));
    reader.require(config.width() <= kWidth.high,
                   fmt::format("{} heads of {} make a width above {}", config.heads, config.headDim, kWidth.high));
    reader.require(config.inChannels == config.outChannels,
                   fmt::format("\"in_channels\" is {} and \"out_channels\" is {}; a text-to-video denoiser has as "
                               "many out as in",
                               config.inChannels, config.outChannels));
    FW_TRY(reader.status());
    return config;
}

namespace {

// The levels of the VAE and its scale factors must tell the same story.
void readVaeLevels(ConfigReader& reader, WanVaeConfig& config) {
    config.dimMult = reader.integers("dim_mult", {1, 6}, {1, 64});
    const auto levels = static_cast<std::int64_t>(config.dimMult.size());
    config.temporalDownsample = reader.booleans("temperal_downsample", std::max<std::int64_t>(levels - 1, 0));
    const auto doublings = std::count(config.temporalDownsample.begin(), config.temporalDownsample.end(), true);
    const std::int64_t temporal = std::int64_t{1} << doublings;
    const std::int64_t spatial = config.patchSize << std::max<std::int64_t>(levels - 1, 0);
    config.scaleFactorTemporal = reader.integer("scale_factor_temporal", {1, 64}, temporal);
    config.scaleFactorSpatial = reader.integer("scale_factor_spatial", {1, 1024}, spatial);
    reader.require(config.scaleFactorTemporal == temporal,
                   fmt::format("\"scale_factor_temporal\" is {} but \"temperal_downsample\" halves time {} times",
                               config.scaleFactorTemporal, doublings));
    reader.require(config.scaleFactorSpatial == spatial,
                   fmt::format("\"scale_factor_spatial\" is {} but {} levels and a patch of {} make {}",
                               config.scaleFactorSpatial, levels, config.patchSize, spatial));
}

std::vector<float> toFloats(const std::vector<double>& values) {
    std::vector<float> result(values.size());
    std::transform(values.begin(), values.end(), result.begin(), [](double v) { return static_cast<float>(v); });
    return result;
}

}  // namespace

Result<WanVaeConfig> parseWanVaeConfig(const Json& json) {
    ConfigReader reader(json);
    requireClass(reader, "AutoencoderKLWan");
    reader.only("is_residual", false, "Wan2.2's residual autoencoder does not run here, Wan2.1's does");
    reader.only("attn_scales", Json::array(), "attention between the levels does not occur in published models");
    WanVaeConfig config;
    config.baseDim = reader.integer("base_dim", kChannels);
    config.decoderBaseDim = reader.integer("decoder_base_dim", kChannels, config.baseDim);
    config.zDim = reader.integer("z_dim", {1, 256});
    config.numResBlocks = reader.integer("num_res_blocks", {1, 16});
    config.patchSize = reader.integer("patch_size", {1, 16}, 1);
    config.inChannels = reader.integer("in_channels", kChannels, 3);
    config.outChannels = reader.integer("out_channels", kChannels, 3);
    readVaeLevels(reader, config);
    const std::int64_t pixels = 3 * config.patchSize * config.patchSize;
    reader.require(config.inChannels == pixels && config.outChannels == pixels,
                   fmt::format("\"in_channels\" is {} and \"out_channels\" is {}; RGB in patches of {} makes {}",
                               config.inChannels, config.outChannels, config.patchSize, pixels));
    config.latentsMean = toFloats(reader.numbers("latents_mean", config.zDim, {-1e4, 1e4}));
    config.latentsStd = toFloats(reader.numbers("latents_std", config.zDim, {1e-6, 1e4}));
    // Every upsampler halves its channels.
    for (const std::int64_t mult : config.dimMult) {
        reader.require(config.decoderBaseDim * mult % 2 == 0,
                       fmt::format("\"decoder_base_dim\" {} times {} is odd; the decoder halves it",
                                   config.decoderBaseDim, mult));
    }
    FW_TRY(reader.status());
    return config;
}

Result<Umt5Config> parseUmt5Config(const Json& json) {
    ConfigReader reader(json);
    (void)reader.choice("model_type", {"umt5"});
    (void)reader.choice("feed_forward_proj", {"gated-gelu"}, "gated-gelu");
    reader.only("dense_act_fn", "gelu_new", "UMT5 uses the tanh form of GELU");
    Umt5Config config;
    config.vocabSize = reader.integer("vocab_size", {4, 1 << 22});
    config.dModel = reader.integer("d_model", kWidth);
    config.dKv = reader.integer("d_kv", {1, 1024});
    config.dFf = reader.integer("d_ff", {1, 1 << 20});
    config.layers = reader.integer("num_layers", kLayers);
    config.heads = reader.integer("num_heads", {1, 1024});
    config.buckets = reader.integer("relative_attention_num_buckets", {4, 1 << 12}, 32);
    config.maxDistance = reader.integer("relative_attention_max_distance", {2, 1 << 20}, 128);
    config.eps = reader.number("layer_norm_epsilon", kEpsilon, 1e-6);
    const IntegerRange ids{0, config.vocabSize - 1};
    config.padTokenId = static_cast<std::int32_t>(reader.integer("pad_token_id", ids, 0));
    config.eosTokenId = static_cast<std::int32_t>(reader.integer("eos_token_id", ids, 1));
    reader.require(
        config.buckets % 2 == 0,
        fmt::format("\"relative_attention_num_buckets\" is {}; half of them look back, half ahead, so it "
                    "must be even",
                    config.buckets));
    reader.require(config.maxDistance > config.buckets / 4,
                   fmt::format("\"relative_attention_max_distance\" is {}; {} buckets need more than {}",
                               config.maxDistance, config.buckets, config.buckets / 4));
    reader.require(config.innerDim() <= kWidth.high,
                   fmt::format("{} heads of {} make a width above {}", config.heads, config.dKv, kWidth.high));
    FW_TRY(reader.status());
    return config;
}

Result<SchedulerConfig> parseSchedulerConfig(const Json& json) {
    ConfigReader reader(json);
    SchedulerConfig config;
    config.className = reader.choice("_class_name", {"UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler"});
    config.numTrainTimesteps = reader.integer("num_train_timesteps", {1, 1'000'000}, 1000);
    const NumberRange shift{0.01, 100.0};
    for (const std::string_view key :
         {"use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_dynamic_shifting", "invert_sigmas",
          "stochastic_sampling", "thresholding"}) {
        reader.only(key, false, "only plain flow sigmas run here");
    }
    reader.only("shift_terminal", nullptr, "only plain flow sigmas run here");
    if (config.className == "UniPCMultistepScheduler") {
        config.flowShift = reader.number("flow_shift", shift, 1.0);
        config.solverOrder = reader.integer("solver_order", {1, 2}, 2);
        config.lowerOrderFinal = reader.boolean("lower_order_final", true);
        (void)reader.choice("prediction_type", {"flow_prediction"});
        (void)reader.choice("solver_type", {"bh2"}, "bh2");
        (void)reader.choice("final_sigmas_type", {"zero"}, "zero");
        reader.require(reader.boolean("use_flow_sigmas"),
                       "\"use_flow_sigmas\" is false; only flow matching runs here");
        reader.only("predict_x0", true, "only prediction of the clean latents runs here");
        reader.only("disable_corrector", Json::array(), "the corrector runs at every step here");
        reader.only("solver_p", nullptr, "a separate predictor does not run here");
    } else {
        config.flowShift = reader.number("shift", shift, 1.0);
    }
    FW_TRY(reader.status());
    return config;
}

namespace {

// added_tokens_decoder: {"0": {"content": "<pad>", "special": true, …}, …}
Status readSpecialTokens(const Json& json, TokenizerConfig& config) {
    const auto decoder = json.find("added_tokens_decoder");
    if (decoder == json.end() || decoder->is_null()) {
        return {};
    }
    if (!decoder->is_object()) {
        return fail(ErrorCode::BadModel, "\"added_tokens_decoder\" is {} where an object is expected",
                    shortText(*decoder));
    }
    for (const auto& [idText, entry] : decoder->items()) {
        const bool digits = !idText.empty() && idText.size() <= 7 &&
                            std::all_of(idText.begin(), idText.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!digits) {
            return fail(ErrorCode::BadModel, "\"added_tokens_decoder\" has the key {} where a token id is expected",
                        quoteText(idText));
        }
        ConfigReader reader(entry);
        const std::string content = reader.text("content");
        const bool special = reader.boolean("special", false);
        reader.require(!content.empty(), "\"content\" is empty");
        if (auto status = reader.status(); !status) {
            return tl::unexpected(std::move(status).error().within(fmt::format("added token {}", idText)));
        }
        if (special) {
            config.specialTokens.emplace(content, std::stoi(idText));
        }
    }
    return {};
}

// A special token is written as its text or as an object with "content".
std::string tokenText(const Json& json, ConfigReader& reader, const char* key, std::string fallback) {
    const auto found = json.find(key);
    if (found != json.end() && found->is_object() && found->contains("content") &&
        (*found)["content"].is_string()) {
        return (*found)["content"].get<std::string>();
    }
    return reader.text(key, std::move(fallback));
}

}  // namespace

Result<TokenizerConfig> parseTokenizerConfig(const Json& json) {
    ConfigReader reader(json);
    FW_TRY(reader.status());
    TokenizerConfig config;
    (void)reader.choice("tokenizer_class", {"T5Tokenizer", "T5TokenizerFast"}, "T5Tokenizer");
    // Files without a limit hold 1e30.
    const double length = reader.number("model_max_length", {2, 1e300}, 512.0);
    config.modelMaxLength = length > 4096 ? 512 : static_cast<std::int64_t>(length);
    config.padToken = tokenText(json, reader, "pad_token", config.padToken);
    config.eosToken = tokenText(json, reader, "eos_token", config.eosToken);
    config.unkToken = tokenText(json, reader, "unk_token", config.unkToken);
    FW_TRY(reader.status());
    FW_TRY(readSpecialTokens(json, config));
    return config;
}

Result<ModelIndex> parseModelIndex(const Json& json) {
    ConfigReader reader(json);
    ModelIndex index;
    index.className = reader.text("_class_name");
    reader.only("boundary_ratio", nullptr, "Wan2.2's pair of transformers does not run here");
    reader.only("expand_timesteps", false, "Wan2.2's timestep per token does not run here");
    FW_TRY(reader.status());
    for (const auto& [key, value] : json.items()) {
        // ["diffusers", "WanTransformer3DModel"]; options such as "boundary_ratio" and absent parts are left out.
        if (value.is_array() && value.size() == 2 && value[1].is_string()) {
            index.parts.emplace(key, value[1].get<std::string>());
        }
    }
    return index;
}

Result<WanTransformerConfig> loadWanTransformerConfig(const std::filesystem::path& modelFolder) {
    return loadFrom(modelFolder / "transformer" / "config.json", parseWanTransformerConfig);
}

Result<WanVaeConfig> loadWanVaeConfig(const std::filesystem::path& modelFolder) {
    return loadFrom(modelFolder / "vae" / "config.json", parseWanVaeConfig);
}

Result<Umt5Config> loadUmt5Config(const std::filesystem::path& modelFolder) {
    return loadFrom(modelFolder / "text_encoder" / "config.json", parseUmt5Config);
}

Result<TokenizerConfig> loadTokenizerConfig(const std::filesystem::path& modelFolder) {
    return loadFrom(modelFolder / "tokenizer" / "tokenizer_config.json", parseTokenizerConfig);
}

Result<SchedulerConfig> loadSchedulerConfig(const std::filesystem::path& modelFolder) {
    return loadFrom(modelFolder / "scheduler" / "scheduler_config.json", parseSchedulerConfig);
}

Result<ModelIndex> loadModelIndex(const std::filesystem::path& modelFolder) {
    return loadFrom(modelFolder / "model_index.json", parseModelIndex);
}

}  // namespace fw::weights
