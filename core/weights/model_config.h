// The configuration files of a model folder in the diffusers layout, read into types and checked.
//
// Every reader refuses what this engine cannot run exactly as the reference does: BadModel names the key, its value
// and what would fit. Keys that do not change the result (dropout, _diffusers_version, …) are ignored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::weights {

// transformer/config.json, _class_name WanTransformer3DModel (text to video: no image branch).
struct WanTransformerConfig {
    std::int64_t patchT = 1, patchH = 2, patchW = 2;  // patch_size
    std::int64_t heads = 40;                          // num_attention_heads
    std::int64_t headDim = 128;                       // attention_head_dim; even, at least 6
    std::int64_t inChannels = 16, outChannels = 16;   // equal
    std::int64_t textDim = 4096;                      // width of the text encoder's output
    std::int64_t freqDim = 256;                       // width of the timestep's sinusoid; even
    std::int64_t ffnDim = 13824;
    std::int64_t layers = 40;           // num_layers
    bool crossAttnNorm = true;          // an affine layer norm (norm2) in front of cross-attention
    double eps = 1e-6;                  // of every normalisation
    std::int64_t ropeMaxSeqLen = 1024;  // positions per axis

    [[nodiscard]] std::int64_t width() const { return heads * headDim; }
    bool operator==(const WanTransformerConfig&) const = default;
};

// vae/config.json, _class_name AutoencoderKLWan, is_residual false (Wan2.1's form, also with pixel patches).
struct WanVaeConfig {
    std::int64_t baseDim = 96;                                // base_dim: channels of the encoder's first level
    std::int64_t decoderBaseDim = 96;                         // decoder_base_dim; base_dim where the file has none
    std::int64_t zDim = 16;                                   // latent channels
    std::vector<std::int64_t> dimMult{1, 2, 4, 4};            // one per level
    std::int64_t numResBlocks = 2;                            // per encoder level; the decoder has one more
    std::vector<bool> temporalDownsample{false, true, true};  // "temperal_downsample": one per level but the last
    std::int64_t patchSize = 1;  // pixels per side folded into channels; 1 where the file has none
    std::int64_t inChannels = 3, outChannels = 3;                  // 3·patchSize²
    std::int64_t scaleFactorTemporal = 4, scaleFactorSpatial = 8;  // agree with the levels and the patch
    std::vector<float> latentsMean, latentsStd;                    // zDim each; std positive

    bool operator==(const WanVaeConfig&) const = default;
};

// text_encoder/config.json, model_type umt5.
struct Umt5Config {
    std::int64_t vocabSize = 256384;
    std::int64_t dModel = 4096;
    std::int64_t dKv = 64;  // per head; heads·dKv need not be dModel
    std::int64_t dFf = 10240;
    std::int64_t layers = 24;
    std::int64_t heads = 64;
    std::int64_t buckets = 32;       // relative_attention_num_buckets; even, at least 4
    std::int64_t maxDistance = 128;  // relative_attention_max_distance; above buckets / 4
    double eps = 1e-6;               // layer_norm_epsilon
    std::int32_t padTokenId = 0, eosTokenId = 1;
    // feed_forward_proj is always gated-gelu: wo(gelu_tanh(wi_0 x) · wi_1 x).

    [[nodiscard]] std::int64_t innerDim() const { return heads * dKv; }
    bool operator==(const Umt5Config&) const = default;
};

// tokenizer/tokenizer_config.json of a T5 tokenizer.
struct TokenizerConfig {
    std::int64_t modelMaxLength = 512;  // 512 (Wan's own limit) where the file has none or more than 4096
    std::string padToken = "<pad>", eosToken = "</s>", unkToken = "<unk>";
    // Text of every special token that is recognised inside a prompt → its id (added_tokens_decoder).
    std::map<std::string, std::int32_t> specialTokens;

    bool operator==(const TokenizerConfig&) const = default;
};

// scheduler/scheduler_config.json: flow matching by UniPCMultistepScheduler or FlowMatchEulerDiscreteScheduler.
struct SchedulerConfig {
    std::string className = "UniPCMultistepScheduler";
    std::int64_t numTrainTimesteps = 1000;
    double flowShift = 3.0;        // flow_shift or shift
    std::int64_t solverOrder = 2;  // 1 or 2; UniPC only
    bool lowerOrderFinal = true;   // UniPC only

    bool operator==(const SchedulerConfig&) const = default;
};

// model_index.json: class name per part ("transformer" → "WanTransformer3DModel"). Wan2.2's options are refused.
struct ModelIndex {
    std::string className;  // "WanPipeline"
    std::map<std::string, std::string> parts;
};

// JSON text of at most 16 MiB, 64 levels and a million values, UTF-8, no key twice in one object. BadModel says
// what and where.
[[nodiscard]] Result<Json> parseJsonText(std::string_view text);
// The same from a file; messages name it. BadModel, also when the file is missing; Io when it cannot be read.
[[nodiscard]] Result<Json> readJsonFile(const std::filesystem::path& path);

[[nodiscard]] Result<WanTransformerConfig> parseWanTransformerConfig(const Json& json);
[[nodiscard]] Result<WanVaeConfig> parseWanVaeConfig(const Json& json);
[[nodiscard]] Result<Umt5Config> parseUmt5Config(const Json& json);
[[nodiscard]] Result<TokenizerConfig> parseTokenizerConfig(const Json& json);
[[nodiscard]] Result<SchedulerConfig> parseSchedulerConfig(const Json& json);
[[nodiscard]] Result<ModelIndex> parseModelIndex(const Json& json);

// The same from a model's root folder: <root>/transformer/config.json and so on; messages name the file.
[[nodiscard]] Result<WanTransformerConfig> loadWanTransformerConfig(const std::filesystem::path& modelFolder);
[[nodiscard]] Result<WanVaeConfig> loadWanVaeConfig(const std::filesystem::path& modelFolder);
[[nodiscard]] Result<Umt5Config> loadUmt5Config(const std::filesystem::path& modelFolder);
[[nodiscard]] Result<TokenizerConfig> loadTokenizerConfig(const std::filesystem::path& modelFolder);
[[nodiscard]] Result<SchedulerConfig> loadSchedulerConfig(const std::filesystem::path& modelFolder);
[[nodiscard]] Result<ModelIndex> loadModelIndex(const std::filesystem::path& modelFolder);

}  // namespace fw::weights
