// The published full-size configuration: accepted by name and shape, and its cost forecast, without its weights.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "core/model/video_model.h"
#include "golden_support.h"

namespace fw::golden {
namespace {

// transformer/config.json of Wan2.1-T2V-1.3B-Diffusers.
Json publishedConfig() {
    return {{"_class_name", "WanTransformer3DModel"},
            {"patch_size", {1, 2, 2}},
            {"num_attention_heads", 12},
            {"attention_head_dim", 128},
            {"in_channels", 16},
            {"out_channels", 16},
            {"text_dim", 4096},
            {"freq_dim", 256},
            {"ffn_dim", 8960},
            {"num_layers", 30},
            {"cross_attn_norm", true},
            {"qk_norm", "rms_norm_across_heads"},
            {"eps", 1e-6},
            {"rope_max_seq_len", 1024}};
}

// A weight file with the right header and a hole of the right size behind it.
void writeHollow(const std::filesystem::path& path, const weights::TensorTable& table) {
    Json header = Json::object();
    std::int64_t offset = 0;
    for (const weights::TensorSpec& spec : table) {
        const std::int64_t end = offset + spec.shape.product() * dtypeSize(DType::BF16);
        header[spec.name] = {{"dtype", "BF16"},
                             {"shape", std::vector<std::int64_t>(spec.shape.begin(), spec.shape.end())},
                             {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof(length));
    file << text;
    file.close();
    std::filesystem::resize_file(path, sizeof(length) + length + static_cast<std::uintmax_t>(offset));
}

class FullSize : public testing::Test {
 protected:
    FullSize() {
        std::filesystem::create_directories(m_folder.path() / "transformer");
        writeConfig(publishedConfig());
    }
    void writeConfig(const Json& config) {
        m_table = weights::tensorTable(require(weights::parseWanTransformerConfig(config)));
        std::ofstream(m_folder.path() / "transformer" / "config.json") << config.dump();
    }
    void writeWeights() {
        writeHollow(m_folder.path() / "transformer" / "diffusion_pytorch_model.safetensors", m_table);
    }

    TemporaryFolder m_folder;
    weights::TensorTable m_table;
    Engine m_meta{"meta"};
};

TEST_F(FullSize, IsAcceptedByNameAndShapeAndItsWorkIsForeseen) {
    EXPECT_EQ(weights::parameterCount(m_table), 1'418'996'800);
    writeWeights();
    auto transformer = require(model::loadTransformer(m_folder.path(), *m_meta.device, *m_meta.ops, DType::BF16));
    EXPECT_EQ(transformer->geometry().layers, 30);
    // bf16 matrices, f32 for the path of the timestep and small vectors.
    EXPECT_GT(transformer->weightBytes(), 2 * 1'418'996'800LL);
    EXPECT_LT(transformer->weightBytes(), 2 * 1'418'996'800LL * 103 / 100);

    auto context = m_meta.context();
    const TensorView latents(nullptr, DType::F32, {16, 21, 60, 104}, DeviceKind::Meta);  // 832 × 480, 81 frames
    const TensorView text(nullptr, DType::F32, {512, 4096}, DeviceKind::Meta);
    const std::int64_t before = m_meta.ops->cost().flops;
    require(transformer->forward(context, latents, 999.0, text, latents));
    const auto flops = static_cast<double>(m_meta.ops->cost().flops - before);
    // 197.8 T self-attention, 82 T products, 3.1 T cross-attention at 32,760 tokens.
    EXPECT_NEAR(flops, 282.9e12, 2e12);
    // Scratch grows linearly in the tokens: no tokens × tokens matrix (4.3 GB in f32) anywhere.
    EXPECT_LT(m_meta.arena->highWater(), std::int64_t{2} << 30);
}

// Where a norm stands between self-attention and cross-attention, the output of the one is added with that of the
// other. It lies in memory until then, but not through the feed-forward network, which takes most.
TEST_F(FullSize, AnOutputThatWaitsIsGoneBeforeThePeak) {
    const auto scratchOf = [&](bool norm) {
        Json config = publishedConfig();
        config["cross_attn_norm"] = norm;
        writeConfig(config);
        writeWeights();
        Engine meta("meta");
        auto transformer = require(model::loadTransformer(m_folder.path(), *meta.device, *meta.ops, DType::BF16));
        auto context = meta.context();
        const TensorView latents(nullptr, DType::F32, {16, 21, 60, 104}, DeviceKind::Meta);
        const TensorView text(nullptr, DType::F32, {512, 4096}, DeviceKind::Meta);
        require(transformer->forward(context, latents, 999.0, text, latents));
        return meta.arena->highWater();
    };
    EXPECT_EQ(scratchOf(true), scratchOf(false));
}

TEST_F(FullSize, NamesTheTensorThatIsMissing) {
    const std::string name = m_table[40].name;
    m_table.erase(m_table.begin() + 40);
    writeWeights();
    const auto result = model::loadTransformer(m_folder.path(), *m_meta.device, *m_meta.ops, DType::BF16);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::BadModel);
    EXPECT_NE(result.error().message.find(name), std::string::npos) << result.error().message;
}

TEST(Weights, ThatAreNotFiniteAreRefusedByName) {
    const Fixture fixture("transformer");
    const Json config = fixture.metadata("configs").at("b");
    const auto table = weights::tensorTable(require(weights::parseWanTransformerConfig(config)));
    const TemporaryFolder folder;
    Engine engine;
    for (const std::string name : {"blocks.1.attn1.to_k.weight", "blocks.0.scale_shift_table", "proj_out.bias"}) {
        writePart(folder.path(), "transformer", config, table, 0, name);
        const auto result = model::loadTransformer(folder.path(), *engine.device, *engine.ops, DType::F32);
        ASSERT_FALSE(result) << name;
        EXPECT_EQ(result.error().code, ErrorCode::BadModel);
        EXPECT_NE(result.error().message.find(name), std::string::npos) << result.error().message;
    }
}

}  // namespace
}  // namespace fw::golden
