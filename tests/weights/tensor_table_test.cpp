// Tensor tables against the published models' counts, and the comparison of files with them.
#include "core/weights/tensor_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "published_configs.h"
#include "temp_folder.h"

namespace fw::weights {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(TensorTable, CountsOfThePublishedTransformers) {
    WanTransformerConfig config = *parseWanTransformerConfig(Json::parse(test::kTransformer13b));
    EXPECT_EQ(tensorTable(config).size(), 825U);
    EXPECT_EQ(parameterCount(tensorTable(config)), 1'418'996'800);
    config = WanTransformerConfig{};  // 14B
    EXPECT_EQ(tensorTable(config).size(), 1095U);
    EXPECT_EQ(parameterCount(tensorTable(config)), 14'288'491'584);
    config.crossAttnNorm = false;
    EXPECT_EQ(tensorTable(config).size(), 1095U - 2 * 40);
}

TEST(TensorTable, CountsOfThePublishedAutoencoder) {
    const TensorTable table = tensorTable(*parseWanVaeConfig(Json::parse(test::kVae)));
    EXPECT_EQ(parameterCount(table), 126'892'531);
    const auto shapeOf = [&](std::string_view name) {
        const auto found =
            std::find_if(table.begin(), table.end(), [&](const TensorSpec& s) { return s.name == name; });
        return found == table.end() ? std::string("none") : found->shape.text();
    };
    EXPECT_EQ(shapeOf("encoder.down_blocks.2.resample.1.weight"), "[96, 96, 3, 3]");
    EXPECT_EQ(shapeOf("encoder.down_blocks.5.time_conv.weight"), "[192, 192, 3, 1, 1]");
    EXPECT_EQ(shapeOf("decoder.up_blocks.0.upsamplers.0.time_conv.weight"), "[768, 384, 3, 1, 1]");
    EXPECT_EQ(shapeOf("decoder.up_blocks.1.resnets.0.conv_shortcut.weight"), "[384, 192, 1, 1, 1]");
    EXPECT_EQ(shapeOf("decoder.up_blocks.2.upsamplers.0.time_conv.weight"), "none");
    EXPECT_EQ(shapeOf("encoder.conv_out.weight"), "[32, 384, 3, 3, 3]");
}

TEST(TensorTable, CountsOfThePublishedTextEncoder) {
    const TensorTable table = tensorTable(Umt5Config{});
    EXPECT_EQ(table.size(), 24U * 10 + 2);
    EXPECT_NEAR(static_cast<double>(parameterCount(table)), 5.681e9, 0.001e9);
}

// A small complete text encoder: the table's own tensors, zero, with changes.
struct SmallFile {
    std::vector<float> zeros = std::vector<float>(4096, 0.0F);
    TensorTable table;
    std::vector<std::pair<std::string, ConstTensorView>> tensors;

    SmallFile() {
        Umt5Config config;
        config.vocabSize = 8;
        config.dModel = 4;
        config.dKv = 2;
        config.dFf = 6;
        config.layers = 1;
        config.heads = 2;
        table = tensorTable(config);
        for (const TensorSpec& spec : table) {
            tensors.emplace_back(spec.name, ConstTensorView(zeros.data(), DType::F32, spec.shape));
        }
    }

    [[nodiscard]] std::vector<std::string> differences(std::size_t limit = 8) const {
        const test::TempFolder folder;
        EXPECT_TRUE(writeSafetensors(folder / "w.safetensors", tensors, {}));
        const auto file = SafetensorsFile::open(folder / "w.safetensors");
        EXPECT_TRUE(file);
        const auto result = compareWithTable(**file, table, limit);
        EXPECT_EQ(result.empty(), checkTable(**file, table).has_value());
        return result;
    }
};

TEST(CompareWithTable, AcceptsACompleteFile) {
    EXPECT_THAT(SmallFile().differences(), IsEmpty());
}

TEST(CompareWithTable, AcceptsTheTiedEmbeddingUnderEitherNameOrBoth) {
    SmallFile file;
    ASSERT_EQ(file.tensors[0].first, "shared.weight");
    file.tensors[0].first = "encoder.embed_tokens.weight";
    EXPECT_THAT(file.differences(), IsEmpty());
    file.tensors.emplace_back("shared.weight", file.tensors[0].second);
    EXPECT_THAT(file.differences(), IsEmpty());
}

TEST(CompareWithTable, NamesEachDifference) {
    SmallFile file;
    file.tensors[1].second = ConstTensorView(file.zeros.data(), DType::F32, {3, 3});
    file.tensors[2].second = ConstTensorView(file.zeros.data(), DType::I32, file.table[2].shape);
    file.tensors[3].first = "surprise";
    EXPECT_THAT(
        file.differences(),
        ElementsAre(HasSubstr("SelfAttention.q.weight' has shape [3, 3] where the configuration needs [4, 4]"),
                    HasSubstr("SelfAttention.k.weight' has type i32"),
                    HasSubstr("SelfAttention.v.weight' [4, 4] is missing"),
                    HasSubstr("'surprise' [4, 4] is unknown")));
    EXPECT_THAT(file.differences(1), ElementsAre(HasSubstr("q.weight"), HasSubstr("3 more tensors differ")));
}

TEST(CompareWithTable, AcceptsMatricesOfEightBitsWithTheirRowsScales) {
    SmallFile file;
    const auto matrix = std::find_if(file.tensors.begin(), file.tensors.end(),
                                     [](const auto& entry) { return entry.first.ends_with(".q.weight"); });
    ASSERT_NE(matrix, file.tensors.end());
    matrix->second = ConstTensorView(file.zeros.data(), DType::I8, matrix->second.shape());
    EXPECT_THAT(file.differences(), ElementsAre(HasSubstr("i8 with a scale for every row")));
    const std::string scales = rowScalesOf(matrix->first);
    const std::string format = matrix->first + "_format";
    const std::int64_t rows = matrix->second.dim(0);
    file.tensors.emplace_back(scales, ConstTensorView(file.zeros.data(), DType::F32, {rows}));
    file.tensors.emplace_back(format, ConstTensorView(file.zeros.data(), DType::U8, {1}));
    EXPECT_THAT(file.differences(), IsEmpty());
    file.tensors[file.tensors.size() - 2].second = ConstTensorView(file.zeros.data(), DType::F32, {rows - 1});
    EXPECT_THAT(file.differences(), SizeIs(3));
}

TEST(FindWeightFile, TakesFilesAndIndexesOfEitherLibrary) {
    for (const char* name :
         {"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json",
          "model.safetensors", "model.safetensors.index.json"}) {
        const test::TempFolder folder;
        const auto none = findWeightFile(folder.path(), "vae");
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().code, ErrorCode::BadModel);
        const auto path = folder.write(std::string("vae/") + name, "x");
        EXPECT_EQ(*findWeightFile(folder.path(), "vae"), path);
    }
}

}  // namespace
}  // namespace fw::weights
