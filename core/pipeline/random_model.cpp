#include "core/pipeline/random_model.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "core/pipeline/philox.h"
#include "core/weights/model_config.h"
#include "core/weights/safetensors.h"
#include "core/weights/tensor_table.h"

namespace fw::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr double kSmall = 0.02;        // of biases, and of what is added to norms' weights of 1
constexpr double kModulation = 0.1;    // as in published weights: larger ones drown everything else
constexpr std::size_t kShift = 4'099;  // between the values of one tensor and the next

struct Published {
    const char* name;
    int heads, layers, feedForward;
};
// Wan2.1, https://arxiv.org/abs/2503.20314, as its folders say.
constexpr Published kPublished[] = {{"wan2.1-t2v-1.3b", 12, 30, 8960}, {"wan2.1-t2v-14b", 40, 40, 13824}};

Json transformerConfig(const Published& published, int layers) {
    return {{"_class_name", "WanTransformer3DModel"},
            {"patch_size", {1, 2, 2}},
            {"num_attention_heads", published.heads},
            {"attention_head_dim", 128},
            {"in_channels", 16},
            {"out_channels", 16},
            {"text_dim", 4096},
            {"freq_dim", 256},
            {"ffn_dim", published.feedForward},
            {"num_layers", layers == 0 ? published.layers : layers},
            {"cross_attn_norm", true},
            {"qk_norm", "rms_norm_across_heads"},
            {"eps", 1e-6},
            {"rope_max_seq_len", 1024}};
}

Json autoEncoderConfig() {
    return {{"_class_name", "AutoencoderKLWan"},
            {"attn_scales", Json::array()},
            {"base_dim", 96},
            {"dim_mult", {1, 2, 4, 4}},
            {"num_res_blocks", 2},
            {"temperal_downsample", {false, true, true}},
            {"z_dim", 16},
            {"latents_mean", std::vector<double>(16, 0.0)},
            {"latents_std", std::vector<double>(16, 1.0)}};
}

Json textEncoderConfig(const weights::Umt5Config& vocabulary) {
    return {{"architectures", {"UMT5EncoderModel"}},
            {"model_type", "umt5"},
            {"vocab_size", vocabulary.vocabSize},
            {"d_model", 4096},
            {"d_kv", 64},
            {"d_ff", 256},
            {"num_layers", 1},
            {"num_heads", 8},
            {"relative_attention_num_buckets", 32},
            {"relative_attention_max_distance", 128},
            {"layer_norm_epsilon", 1e-6},
            {"feed_forward_proj", "gated-gelu"},
            {"is_encoder_decoder", true},
            {"pad_token_id", vocabulary.padTokenId},
            {"eos_token_id", vocabulary.eosTokenId}};
}

Json schedulerConfig() {
    return {{"_class_name", "UniPCMultistepScheduler"},
            {"flow_shift", 3.0},
            {"num_train_timesteps", 1000},
            {"prediction_type", "flow_prediction"},
            {"predict_x0", true},
            {"solver_order", 2},
            {"solver_type", "bh2"},
            {"lower_order_final", true},
            {"use_flow_sigmas", true}};
}

Json modelIndex() {
    return {{"_class_name", "WanPipeline"},
            {"scheduler", {"diffusers", "UniPCMultistepScheduler"}},
            {"text_encoder", {"transformers", "UMT5EncoderModel"}},
            {"tokenizer", {"transformers", "T5TokenizerFast"}},
            {"transformer", {"diffusers", "WanTransformer3DModel"}},
            {"vae", {"diffusers", "AutoencoderKLWan"}}};
}

Status writeJson(const fs::path& file, const Json& json) {
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    std::ofstream stream(file);
    stream << json.dump(1);
    stream.close();
    return !error && stream.good() ? Status() : fail(ErrorCode::Io, "{} cannot be written", file.string());
}

// Mean and deviation of a tensor's values, by what its name and shape say it is.
std::pair<double, double> distribution(const std::string& name, const Shape& shape) {
    if (name.ends_with("scale_shift_table")) {
        return {0.0, kModulation};
    }
    if (name.ends_with(".gamma") || (shape.rank() == 1 && name.ends_with(".weight"))) {
        return {1.0, kSmall};
    }
    if (shape.rank() < 2) {
        return {0.0, kSmall};
    }
    // Columns of a matrix or taps of a kernel; an embedding's rows are of unit size as they are.
    const bool isEmbedding = name == "shared.weight" || name.ends_with("embed_tokens.weight");
    return {0.0, isEmbedding ? 1.0 : 1.0 / std::sqrt(static_cast<double>(shape.product() / shape[0]))};
}

// Every tensor is a part of one of a few long rows of random numbers, so that the whole file is never in memory.
Status writeRandomTensors(const fs::path& file, const weights::TensorTable& table) {
    std::map<std::pair<double, double>, std::size_t> lengths;
    for (std::size_t i = 0; i < table.size(); ++i) {
        std::size_t& length = lengths[distribution(table[i].name, table[i].shape)];
        length = std::max(length, static_cast<std::size_t>(table[i].shape.product()) + i * kShift);
    }
    std::map<std::pair<double, double>, std::vector<BFloat16>> rows;
    std::vector<float> normal;
    std::uint64_t seed = 1;
    for (const auto& [kind, length] : lengths) {
        normal.resize(length);
        fillNormal(seed++, NoiseStream::InitialLatents, 0, normal);
        std::vector<BFloat16>& row = rows[kind];
        row.reserve(length);
        for (const float value : normal) {
            row.emplace_back(static_cast<float>(kind.first + kind.second * static_cast<double>(value)));
        }
    }
    std::vector<std::pair<std::string, ConstTensorView>> tensors;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const BFloat16* values = rows[distribution(table[i].name, table[i].shape)].data() + i * kShift;
        tensors.emplace_back(table[i].name, ConstTensorView(values, DType::BF16, table[i].shape));
    }
    return weights::writeSafetensors(file, tensors, {});
}

// The tokenizer of another model, told to fill up to Wan's 512 tokens.
Status writeTokenizer(const fs::path& folder, const fs::path& from) {
    constexpr int kWanTokens = 512;
    FW_ASSIGN(Json config, weights::readJsonFile(from / "tokenizer" / "tokenizer_config.json"));
    std::error_code error;
    fs::create_directories(folder, error);
    fs::copy(from / "tokenizer", folder / "tokenizer", fs::copy_options::recursive, error);
    if (error) {
        return fail(ErrorCode::Io, "{} cannot be copied to {}: {}", (from / "tokenizer").string(), folder.string(),
                    error.message());
    }
    config["model_max_length"] = kWanTokens;
    return writeJson(folder / "tokenizer" / "tokenizer_config.json", config);
}

}  // namespace

std::vector<std::string> randomModelNames() {
    std::vector<std::string> names;
    for (const Published& published : kPublished) {
        names.emplace_back(published.name);
    }
    return names;
}

Status writeRandomModel(const fs::path& folder, const RandomModelOptions& options) {
    const auto* published = std::find_if(std::begin(kPublished), std::end(kPublished),
                                         [&](const Published& known) { return options.name == known.name; });
    if (published == std::end(kPublished)) {
        return fail(ErrorCode::InvalidArgument, "no model of the size \"{}\" is known; choose {}", options.name,
                    fmt::join(randomModelNames(), " or "));
    }
    FW_TRY(writeTokenizer(folder, options.tokenizer));
    FW_ASSIGN(const weights::Umt5Config vocabulary, weights::loadUmt5Config(options.tokenizer));
    FW_TRY(writeJson(folder / "model_index.json", modelIndex()));
    FW_TRY(writeJson(folder / "scheduler" / "scheduler_config.json", schedulerConfig()));
    FW_TRY(writeJson(folder / "transformer" / "config.json", transformerConfig(*published, options.layers)));
    FW_TRY(writeJson(folder / "vae" / "config.json", autoEncoderConfig()));
    FW_TRY(writeJson(folder / "text_encoder" / "config.json", textEncoderConfig(vocabulary)));
    FW_ASSIGN(const auto transformer, weights::loadWanTransformerConfig(folder));
    FW_ASSIGN(const auto autoEncoder, weights::loadWanVaeConfig(folder));
    FW_ASSIGN(const auto textEncoder, weights::loadUmt5Config(folder));
    constexpr const char* kFile = "diffusion_pytorch_model.safetensors";
    FW_TRY(writeRandomTensors(folder / "transformer" / kFile, weights::tensorTable(transformer)));
    FW_TRY(writeRandomTensors(folder / "vae" / kFile, weights::tensorTable(autoEncoder)));
    return writeRandomTensors(folder / "text_encoder" / "model.safetensors", weights::tensorTable(textEncoder));
}

Status writeRandomSalad(const fs::path& file, const fs::path& folder) {
    FW_ASSIGN(const auto config, weights::loadWanTransformerConfig(folder));
    weights::TensorTable table;
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
        const std::string prefix = fmt::format("blocks.{}.attn1.salad_", layer);
        table.push_back({prefix + "proj.weight", {config.width(), config.width()}, {}});
        table.push_back({prefix + "proj.bias", {config.width()}, {}});
        table.push_back({prefix + "gate.weight", {1, config.width()}, {}});
        table.push_back({prefix + "gate.bias", {1}, {}});
    }
    return writeRandomTensors(file, table);
}

}  // namespace fw::pipeline
