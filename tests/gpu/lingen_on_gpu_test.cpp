// A transformer of LinGen's blocks on the first GPU against the CPU: heads and states of the sizes that the chunked
// scan takes, windows that are shifted and cut off, review tokens, every rotary order.
#include <gtest/gtest.h>

#include "../golden/golden_support.h"
#include "../golden/recipe.h"
#include "core/model/video_model.h"
#include "core/weights/transformer_config.h"

namespace fw::gpu {
namespace {

using golden::Engine;
using golden::HostTensor;
using golden::require;

constexpr std::int64_t kTextRows = 9, kTextWidth = 96;

bool hasGpu() {
    for (const backend::BackendEntry& entry : backend::createBackends()) {
        if (entry.name == "cuda") {
            return !entry.devices.empty();
        }
    }
    return false;
}

// Latents of 5 x 8 x 12 tokens, and 480 of them fill seven and a half chunks.
HostTensor velocityOn(const std::string& device, DType compute, const std::filesystem::path& folder) {
    Engine engine(device);
    const Shape shape{16, 5, 16, 24};
    const auto transformer = require(model::loadTransformer(folder, *engine.device, *engine.ops, compute));
    const HostTensor latents(golden::gaussian("latents", 1, shape.product()), shape);
    const HostTensor text(golden::gaussian("text", 1, kTextRows * kTextWidth), {kTextRows, kTextWidth});
    const auto place = [&](const Shape& of) {
        return require(backend::createTensor(*engine.device, DType::F32, of));
    };
    const auto x = place(shape), words = place(text.view.shape()), velocity = place(shape);
    engine.ops->upload(latents.view, x.view);
    engine.ops->upload(text.view, words.view);
    auto context = engine.context();
    require(transformer->forward(context, x.view, 640.0, words.view, velocity.view));
    HostTensor result(shape);
    engine.ops->download(velocity.view, result.view);
    require(engine.ops->synchronize());
    return result;
}

class LinGenOnGpu : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(LinGenOnGpu, EqualsTheProcessor) {
    if (!hasGpu()) {
        GTEST_SKIP() << "no GPU";
    }
    Json config = Json::parse(R"({"_class_name": "LinGenTransformer3DModel", "patch_size": [1, 2, 2],
        "num_attention_heads": 2, "attention_head_dim": 64, "num_layers": 4, "ffn_dim": 256, "in_channels": 16,
        "out_channels": 16, "freq_dim": 64, "tesa_window": [4, 4, 4], "ssm_head_dim": 64,
        "position_embedding_size": [5, 8, 12]})");
    config["text_dim"] = kTextWidth;
    config["ssm_state_dim"] = GetParam();
    const golden::TemporaryFolder folder;
    golden::writePart(folder.path(), "transformer", config,
                      weights::tensorTable(require(weights::parseTransformerConfig(config))), 5);
    const HostTensor expected = velocityOn("cpu", DType::F32, folder.path());
    for (const DType compute : {DType::F32, DType::BF16}) {
        const HostTensor actual = velocityOn("cuda:0", compute, folder.path());
        const double error = golden::relativeError(actual.view, expected.view);
        EXPECT_LE(error, compute == DType::F32 ? 1e-4 : 3e-2) << dtypeName(compute);
    }
}

INSTANTIATE_TEST_SUITE_P(States, LinGenOnGpu, ::testing::Values(16, 64, 128));

}  // namespace
}  // namespace fw::gpu
