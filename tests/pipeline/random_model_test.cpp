// Models of a published size with random weights: the engine takes them for what they imitate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/pipeline/generator.h"
#include "core/pipeline/random_model.h"
#include "core/weights/model_config.h"
#include "core/weights/safetensors.h"
#include "core/weights/tensor_table.h"

namespace fw::pipeline {
namespace {

namespace fs = std::filesystem;

// One model for all tests: it has hundreds of megabytes even with one layer.
class RandomModel : public ::testing::Test {
 protected:
    static RandomModelOptions options() {
        RandomModelOptions options;
        options.layers = 1;
        options.tokenizer = fs::path(FW_SOURCE_DIR) / "resources" / "models" / "mini";
        return options;
    }
    static fs::path folder() { return fs::path(testing::TempDir()) / "fw_random_model"; }
    static void SetUpTestSuite() {
        fs::remove_all(folder());
        const Status written = writeRandomModel(folder(), options());
        ASSERT_TRUE(written) << written.error().message;
    }
    static void TearDownTestSuite() { fs::remove_all(folder()); }

    static job::GenerationRequest request() {
        job::GenerationRequest request;
        request.model = folder().string();
        request.prompt = "a fox";
        request.steps = 2;
        request.seed = 1;
        request.device = "cpu";
        request.dtype = "bf16";
        return request;
    }
};

TEST_F(RandomModel, HasThePublishedSizes) {
    const auto info = model::inspectModel(folder());
    ASSERT_TRUE(info);
    EXPECT_THAT(info->problems, testing::IsEmpty());
    const auto config = weights::loadWanTransformerConfig(folder());
    ASSERT_TRUE(config);
    // Of the published transformer, and of one of its 30 layers.
    constexpr std::int64_t kPublished = 1'418'996'800, kLayer = 46'440'704;
    EXPECT_EQ(weights::parameterCount(weights::tensorTable(*config)), kPublished - 29 * kLayer);
    job::GenerationRequest usual = request();
    usual.width = 832;
    usual.height = 480;
    usual.frames = 81;
    const auto plan = makePlan(usual);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->tokens, 32'760);
    EXPECT_EQ(plan->textTokens, 512);
}

TEST_F(RandomModel, TakesARandomAdapterOfSalad) {
    const fs::path adapter = folder() / "salad.safetensors";
    ASSERT_TRUE(writeRandomSalad(adapter, folder()));
    job::GenerationRequest sparse = request();
    sparse.width = sparse.height = 256;
    sparse.frames = 17;
    sparse.method = "salad";
    sparse.methodParameters = {{"sparsity", 0.9}};
    sparse.adapters = {{adapter.string(), 1.0}};
    const auto plan = makePlan(sparse);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_GT(plan->attention.sparsity(), 0.5);
}

TEST_F(RandomModel, ValuesAreFiniteAndOfTheSizeTheirPlaceAsksFor) {
    const auto file =
        weights::SafetensorsFile::open(folder() / "transformer" / "diffusion_pytorch_model.safetensors");
    ASSERT_TRUE(file);
    for (const auto& [name, view] : (*file)->tensors()) {
        EXPECT_TRUE(weights::checkFinite(view, name)) << name;
    }
    const ConstTensorView matrix = (*file)->tensor("blocks.0.ffn.net.2.weight").value();
    double squares = 0.0;
    for (std::int64_t i = 0; i < matrix.count(); ++i) {
        const auto value = static_cast<double>(static_cast<float>(matrix.as<BFloat16>()[i]));
        squares += value * value;
    }
    EXPECT_NEAR(squares * 8960.0 / static_cast<double>(matrix.count()), 1.0, 0.01);
}

TEST_F(RandomModel, AnUnknownSizeIsRefusedWithTheKnownOnes) {
    RandomModelOptions unknown = options();
    unknown.name = "wan9";
    const Status refused = writeRandomModel(folder() / "other", unknown);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("wan2.1-t2v-1.3b"));
}

}  // namespace
}  // namespace fw::pipeline
