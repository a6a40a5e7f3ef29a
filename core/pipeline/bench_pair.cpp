#include "core/pipeline/bench_pair.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "core/pipeline/philox.h"
#include "core/weights/safetensors.h"
#include "core/weights/transformer_config.h"

namespace fw::pipeline {

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

// What a tensor of this name holds in a trained model, roughly: normal values with this mean and deviation.
struct ValueRange {
    double mean = 0.0, deviation = 0.02;
};

ValueRange rangeOf(const std::string& name) {
    const auto endsWith = [&](std::string_view end) {
        return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
    };
    if (endsWith("A_log")) {
        return {1.5, 0.5};
    }
    if (endsWith("dt_bias")) {
        return {-4.6, 1.0};
    }
    if (endsWith(".D") || (name.find("norm") != std::string::npos && endsWith(".weight"))) {
        return {1.0, 0.02};
    }
    return {};
}

std::vector<float> drawn(std::uint64_t seed, std::int64_t count, const ValueRange& range) {
    std::vector<float> values(static_cast<std::size_t>(count));
    fillNormal(seed, NoiseStream::InitialLatents, 0, values);
    for (float& value : values) {
        value = static_cast<float>(range.mean + range.deviation * static_cast<double>(value));
    }
    return values;
}

// The head of a weight file in bf16; `valueBytes` becomes what has to follow.
std::string headOf(const weights::TensorTable& table, std::int64_t& valueBytes) {
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
    valueBytes = offset;
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::string head;
    for (int byte = 0; byte < 8; ++byte) {
        head.push_back(static_cast<char>((text.size() >> (8 * byte)) & 0xFFU));
    }
    return head + text;
}

// A header, and a hole where the values would be.
Status writeHollow(const std::filesystem::path& path, const weights::TensorTable& table) {
    std::int64_t valueBytes = 0;
    const std::string head = headOf(table, valueBytes);
    std::ofstream stream(path, std::ios::binary);
    stream << head;
    stream.close();
    std::error_code error;
    std::filesystem::resize_file(path, head.size() + static_cast<std::uintmax_t>(valueBytes), error);
    return stream.good() && !error ? Status() : ioFailure(path);
}

std::vector<BFloat16> rounded(const std::vector<float>& values) {
    std::vector<BFloat16> result;
    result.reserve(values.size());
    for (const float value : values) {
        result.emplace_back(value);
    }
    return result;
}

// Matrices continue where the one before has stopped in the values that are repeated; their lengths do not divide
// the rows', so that no two rows are equal.
Status writeRepeated(const std::filesystem::path& path, const weights::TensorTable& table) {
    constexpr std::int64_t kRepeated = (std::int64_t{1} << 22) - 3;  // a prime
    constexpr std::int64_t kOwnValues = 1 << 16;                     // shorter tensors get values of their own
    const std::vector<BFloat16> tile = rounded(drawn(1, kRepeated, {}));
    std::int64_t valueBytes = 0, at = 0;
    std::ofstream stream(path, std::ios::binary);
    stream << headOf(table, valueBytes);
    const auto write = [&](const BFloat16* values, std::int64_t count) {
        stream.write(reinterpret_cast<const char*>(values), count * dtypeSize(DType::BF16));
    };
    for (const weights::TensorSpec& spec : table) {
        std::int64_t left = spec.shape.product();
        if (left <= kOwnValues) {
            const auto own = rounded(drawn(static_cast<std::uint64_t>(left), left, rangeOf(spec.name)));
            write(own.data(), left);
            continue;
        }
        while (left > 0) {
            const std::int64_t count = std::min(left, kRepeated - at);
            write(tile.data() + at, count);
            at = (at + count) % kRepeated;
            left -= count;
        }
    }
    stream.close();
    return stream.good() ? Status() : ioFailure(path);
}

Status writeRandom(const std::filesystem::path& path, const weights::TensorTable& table) {
    std::vector<std::vector<float>> storage;
    std::vector<std::pair<std::string, ConstTensorView>> tensors;
    for (const weights::TensorSpec& spec : table) {
        storage.push_back(drawn(tensors.size(), spec.shape.product(), rangeOf(spec.name)));
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
    switch (weights) {
        case PairWeights::Hollow:
            return writeHollow(path, table);
        case PairWeights::Random:
            return writeRandom(path, table);
        case PairWeights::Repeated:
            return writeRepeated(path, table);
    }
    return {};
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

Result<PairFolders> PairFolders::create() {
    std::error_code error;
    std::string pattern = (std::filesystem::temp_directory_path(error) / "fw_linear_XXXXXX").string();
    if (error || mkdtemp(pattern.data()) == nullptr) {
        return fail(ErrorCode::Io, "no temporary folder can be made as {}", pattern);
    }
    return PairFolders(std::filesystem::path(pattern));
}

Result<PairFolders> PairFolders::write(const LinearPair& pair, PairWeights weights) {
    FW_ASSIGN(PairFolders folders, create());
    FW_TRY(writeTransformer(folders.dense(), pair.dense, weights));
    FW_TRY(writeTransformer(folders.linear(), pair.linear, weights));
    return folders;
}

Result<PairFolders> PairFolders::writeOne(const Json& config, PairWeights weights) {
    FW_ASSIGN(PairFolders folders, create());
    FW_TRY(writeTransformer(folders.one(), config, weights));
    return folders;
}

PairFolders::~PairFolders() {
    std::error_code ignored;
    if (!m_root.empty()) {
        std::filesystem::remove_all(m_root, ignored);
    }
}

}  // namespace fw::pipeline
