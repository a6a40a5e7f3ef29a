#include "app/cli/bench_linear_models.h"

#include <stdlib.h>

#include <fstream>
#include <system_error>

#include "core/pipeline/philox.h"
#include "core/weights/safetensors.h"
#include "core/weights/transformer_config.h"

namespace fw::cli {

namespace {

constexpr const char* kWeightFile = "diffusion_pytorch_model.safetensors";

Json sharedConfig(std::int64_t heads, std::int64_t headDim, std::int64_t layers, std::int64_t textWidth) {
    return {{"_class_name", "WanTransformer3DModel"},
            {"patch_size", {1, 2, 2}},
            {"num_attention_heads", heads},
            {"attention_head_dim", headDim},
            {"num_layers", layers},
            {"ffn_dim", 4 * heads * headDim},
            {"in_channels", 16},
            {"out_channels", 16},
            {"text_dim", textWidth},
            {"freq_dim", 256},
            {"rope_max_seq_len", 1024}};
}

Json linearConfig(Json config, const Json& mixer) {
    config["_class_name"] = "LinGenTransformer3DModel";
    config.update(mixer);
    return config;
}

Status ioFailure(const std::filesystem::path& path) {
    return fail(ErrorCode::Io, "{} cannot be written; is there room for temporary files?", path.string());
}

// A header, and a hole where the values would be.
Status writeHollow(const std::filesystem::path& path, const weights::TensorTable& table) {
    Json header = Json::object();
    std::int64_t offset = 0;
    for (const weights::TensorSpec& spec : table) {
        const std::int64_t end = offset + spec.shape.product() * dtypeSize(DType::BF16);
        Json extents = Json::array();
        for (const std::int64_t extent : spec.shape) {
            extents.push_back(extent);
        }
        header[spec.name] = {{"dtype", "BF16"}, {"shape", extents}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::ofstream stream(path, std::ios::binary);
    for (int byte = 0; byte < 8; ++byte) {
        stream.put(static_cast<char>((text.size() >> (8 * byte)) & 0xFFU));
    }
    stream << text;
    stream.close();
    std::error_code error;
    std::filesystem::resize_file(path, 8 + text.size() + static_cast<std::uintmax_t>(offset), error);
    return stream.good() && !error ? Status() : ioFailure(path);
}

Status writeRandom(const std::filesystem::path& path, const weights::TensorTable& table) {
    std::vector<std::vector<float>> storage;
    std::vector<std::pair<std::string, ConstTensorView>> tensors;
    for (const weights::TensorSpec& spec : table) {
        std::vector<float> values(static_cast<std::size_t>(spec.shape.product()));
        pipeline::fillNormal(tensors.size(), pipeline::NoiseStream::InitialLatents, 0, values);
        for (float& value : values) {
            value *= 0.02F;
        }
        storage.push_back(std::move(values));
        tensors.emplace_back(spec.name, ConstTensorView(storage.back().data(), DType::F32, spec.shape));
    }
    return weights::writeSafetensors(path, tensors, {});
}

Status writeTransformer(const std::filesystem::path& folder, const Json& json, PairWeights weights) {
    FW_ASSIGN(const auto config, weights::parseTransformerConfig(json));
    std::error_code error;
    std::filesystem::create_directories(folder / "transformer", error);
    std::ofstream stream(folder / "transformer" / "config.json");
    stream << json.dump();
    stream.close();
    if (error || !stream.good()) {
        return ioFailure(folder);
    }
    const auto table = weights::tensorTable(config);
    const auto path = folder / "transformer" / kWeightFile;
    return weights == PairWeights::Hollow ? writeHollow(path, table) : writeRandom(path, table);
}

}  // namespace

LinearPair largePair() {
    LinearPair pair;
    pair.name = "4B-like: width 3072, 28 layers, 24 heads of 128";
    pair.dense = sharedConfig(24, 128, 28, 4096);
    pair.linear = linearConfig(pair.dense, {{"tesa_window", {8, 4, 4}},
                                            {"ssm_expand", 2},
                                            {"ssm_state_dim", 128},
                                            {"ssm_chunk_size", 256},
                                            {"review_pooling", {2, 2, 2}},
                                            {"position_embedding_size", {136, 64, 64}}});
    pair.textRows = 512;
    pair.sizes = {{"256x256, 17 s", {16, 34, 32, 32}, 29, 26, 0, 0},
                  {"512x512, 17 s", {16, 34, 64, 64}, 210, 102, 5370, 1065},
                  {"512x512, 34 s", {16, 68, 64, 64}, 822, 211, 21475, 2560},
                  {"768x768, 17 s", {16, 34, 96, 96}, 833, 228, 0, 0},
                  {"512x512, 68 s", {16, 136, 64, 64}, 4926, 428, 86050, 5840},
                  {"1024x1024, 17 s", {16, 34, 128, 128}, 0, 0, 86020, 5960}};
    return pair;
}

LinearPair smallPair(std::int64_t frames) {
    LinearPair pair;
    pair.name = "mini: width 256, 8 layers, 4 heads of 64";
    pair.dense = sharedConfig(4, 64, 8, 256);
    pair.linear = linearConfig(pair.dense, {{"tesa_window", {9, 4, 4}},
                                            {"ssm_expand", 1},
                                            {"ssm_num_groups", 4},
                                            {"position_embedding_size", {33, 20, 20}}});
    pair.textRows = 64;
    for (std::int64_t length = 33; length <= frames; length += length < 129 ? 32 : 64) {
        pair.sizes.push_back({fmt::format("256x256, {} frames", length), {16, (length - 1) / 4 + 1, 32, 32}});
    }
    return pair;
}

Result<PairFolders> PairFolders::write(const LinearPair& pair, PairWeights weights) {
    std::error_code error;
    std::string pattern = (std::filesystem::temp_directory_path(error) / "fw_linear_XXXXXX").string();
    if (error || mkdtemp(pattern.data()) == nullptr) {
        return fail(ErrorCode::Io, "no temporary folder can be made as {}", pattern);
    }
    PairFolders folders{std::filesystem::path(pattern)};
    FW_TRY(writeTransformer(folders.dense(), pair.dense, weights));
    FW_TRY(writeTransformer(folders.linear(), pair.linear, weights));
    return folders;
}

PairFolders::~PairFolders() {
    std::error_code ignored;
    if (!m_root.empty()) {
        std::filesystem::remove_all(m_root, ignored);
    }
}

}  // namespace fw::cli
