#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/sha256.h"
#include "core/model/video_model.h"
#include "sparse_model.h"

namespace fw::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> problemsOf(const test::SparseWan& model) {
    const auto info = inspectModel(model.folder.path());
    EXPECT_TRUE(info);
    return info ? info->problems : std::vector<std::string>{"not inspected"};
}

TEST(InspectModel, AcceptsTheFullSizePublishedModel) {
    const test::SparseWan model;
    const auto info = inspectModel(model.folder.path());
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_THAT(info->problems, IsEmpty());
    EXPECT_EQ(info->family, "wan");
    EXPECT_EQ(info->name, model.folder.path().filename());
    EXPECT_EQ(model.transformer.size(), 825U);
    // Transformer and autoencoder as published, and the text encoder's 5.681 billion.
    EXPECT_EQ(info->parameters, 1'418'996'800 + 126'892'531 + 5'680'910'336);
    EXPECT_GT(info->bytes, std::int64_t{1'418'996'800 + 126'892'531} * 4 + 5'680'910'336 * 2);
    EXPECT_EQ(info->defaults.width, 832);
    EXPECT_EQ(info->defaults.height, 480);
    EXPECT_EQ(info->defaults.frames, 81);
    EXPECT_EQ(info->defaults.frameRate, (job::FrameRate{16, 1}));
    EXPECT_EQ(info->defaults.steps, 50);
    EXPECT_EQ(info->defaults.guidance, 5.0);
    EXPECT_EQ(info->defaults.shift, 3.0);
    EXPECT_EQ(info->defaults.sizeMultiple, 16);
    EXPECT_EQ(info->defaults.frameMultiple, 4);
    EXPECT_FALSE(info->preview);
}

TEST(InspectModel, AcceptsItInShards) {
    const test::SparseWan model;
    const auto part = model.folder / "transformer";
    std::filesystem::remove(part / "diffusion_pytorch_model.safetensors");
    const auto middle = model.transformer.begin() + 400;
    test::writeSparse(part / "m-00001-of-00002.safetensors", {model.transformer.begin(), middle}, "F32", 4);
    test::writeSparse(part / "m-00002-of-00002.safetensors", {middle, model.transformer.end()}, "F32", 4);
    Json map = Json::object();
    for (auto spec = model.transformer.begin(); spec != model.transformer.end(); ++spec) {
        map[spec->name] = spec < middle ? "m-00001-of-00002.safetensors" : "m-00002-of-00002.safetensors";
    }
    model.folder.write("transformer/diffusion_pytorch_model.safetensors.index.json",
                       Json{{"weight_map", map}}.dump());
    EXPECT_THAT(problemsOf(model), IsEmpty());
    std::filesystem::remove(part / "m-00002-of-00002.safetensors");
    EXPECT_THAT(problemsOf(model), ElementsAre(HasSubstr("'m-00002-of-00002.safetensors', which is missing")));
}

TEST(InspectModel, RejectsOneTensorOfAnotherShape) {
    test::SparseWan model;
    model.spec("blocks.7.attn1.to_q.weight").shape = {1536, 1535};
    model.writeTransformer();
    EXPECT_THAT(problemsOf(model),
                ElementsAre(HasSubstr("tensor 'blocks.7.attn1.to_q.weight' has shape [1536, 1535] "
                                      "where the configuration needs [1536, 1536]")));
}

TEST(InspectModel, RejectsAMissingTensorAndAnExtraOne) {
    test::SparseWan model;
    model.spec("blocks.29.ffn.net.2.bias").name = "blocks.30.ffn.net.2.bias";
    model.writeTransformer();
    EXPECT_THAT(problemsOf(model), ElementsAre(HasSubstr("tensor 'blocks.29.ffn.net.2.bias' [1536] is missing"),
                                               HasSubstr("tensor 'blocks.30.ffn.net.2.bias' [1536] is unknown")));
    model.transformer.pop_back();
    model.writeTransformer();
    EXPECT_THAT(problemsOf(model), SizeIs(3));
}

TEST(InspectModel, RejectsATruncatedFile) {
    const test::SparseWan model;
    const auto path = model.folder / "vae/diffusion_pytorch_model.safetensors";
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    EXPECT_THAT(problemsOf(model), ElementsAre(HasSubstr("lies at bytes")));
}

TEST(InspectModel, ListsEveryProblemOnce) {
    const test::SparseWan model;
    std::filesystem::remove(model.folder / "vae/config.json");
    std::filesystem::remove(model.folder / "text_encoder/model.safetensors");
    std::filesystem::remove(model.folder / "tokenizer/spiece.model");
    model.patch("transformer/config.json", {{"qk_norm", "layer_norm"}});
    model.patch("scheduler/scheduler_config.json", {{"solver_order", 3}});
    EXPECT_THAT(
        problemsOf(model),
        ElementsAre(HasSubstr("transformer/config.json: \"qk_norm\""), HasSubstr("vae/config.json is missing"),
                    HasSubstr("scheduler_config.json: \"solver_order\" is 3"),
                    HasSubstr("text_encoder holds no weights"), HasSubstr("spiece.model is missing")));
}

TEST(InspectModel, PartsThatDoNotFitTogether) {
    const test::SparseWan model;
    model.patch("transformer/config.json", {{"text_dim", 100}, {"in_channels", 8}, {"out_channels", 8}});
    model.patch("text_encoder/config.json", {{"vocab_size", 20}});
    const auto problems = problemsOf(model);
    EXPECT_THAT(problems,
                ::testing::Contains(HasSubstr("reads text of width 100 but the text encoder writes 4096")));
    EXPECT_THAT(problems, ::testing::Contains(HasSubstr("has 8 latent channels but the autoencoder has 16")));
    EXPECT_THAT(problems, ::testing::Contains(HasSubstr("but the text encoder knows 20 tokens")));
}

TEST(InspectModel, OtherPipelines) {
    const test::SparseWan model;
    model.folder.write("model_index.json", R"({"_class_name": "FluxPipeline"})");
    const auto info = inspectModel(model.folder.path());
    ASSERT_TRUE(info);
    EXPECT_EQ(info->family, "");
    EXPECT_THAT(info->problems,
                ElementsAre(HasSubstr("holds a 'FluxPipeline'; WanPipeline and LinGenPipeline run here")));
    Json index = Json::parse(test::kModelIndex);
    index["transformer_2"] = {"diffusers", "WanTransformer3DModel"};
    index["vae"] = {"diffusers", "AutoencoderKL"};
    index.erase("scheduler");
    model.folder.write("model_index.json", index.dump());
    EXPECT_THAT(problemsOf(model), ElementsAre(HasSubstr("'AutoencoderKL' as vae"), HasSubstr("names no scheduler"),
                                               HasSubstr("second transformer")));
    index["boundary_ratio"] = 0.875;
    model.folder.write("model_index.json", index.dump());
    EXPECT_THAT(problemsOf(model), ElementsAre(HasSubstr("Wan2.2's pair of transformers")));
}

TEST(InspectModel, FoldersThatAreNoModels) {
    const test::TempFolder folder;
    const auto missing = inspectModel(folder / "none");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::BadModel);
    EXPECT_THAT(missing.error().message, HasSubstr("does not exist"));
    const auto empty = inspectModel(folder.path());
    ASSERT_FALSE(empty);
    EXPECT_THAT(empty.error().message, HasSubstr("holds no model_index.json"));
    const auto file = inspectModel(folder.write("file", "x"));
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().message, HasSubstr("is not a folder"));
    // Damaged, but a model: the damage is a problem.
    folder.write("model_index.json", "{");
    const auto damaged = inspectModel(folder.path());
    ASSERT_TRUE(damaged);
    EXPECT_THAT(damaged->problems, ElementsAre(HasSubstr("model_index.json: not valid JSON")));
}

TEST(InspectModel, ReadsPreferences) {
    const test::SparseWan model;
    const std::vector<double> row(16, 0.25);
    Json preferences{{"name", "mini"}, {"description", "A small one."},
                     {"width", 256},   {"height", 240},
                     {"frames", 33},   {"fps", 12},
                     {"steps", 20},    {"guidance", 4},
                     {"shift", 2.5},   {"preview", {{"matrix", {row, row, row}}, {"bias", {0.1, 0.2, 0.3}}}}};
    model.folder.write("framewright.json", preferences.dump());
    auto info = inspectModel(model.folder.path());
    ASSERT_TRUE(info);
    EXPECT_THAT(info->problems, IsEmpty());
    EXPECT_EQ(info->name, "mini");
    EXPECT_EQ(info->description, "A small one.");
    EXPECT_EQ(info->defaults.width, 256);
    EXPECT_EQ(info->defaults.height, 240);
    EXPECT_EQ(info->defaults.frames, 33);
    EXPECT_EQ(info->defaults.frameRate, (job::FrameRate{12, 1}));
    EXPECT_EQ(info->defaults.steps, 20);
    EXPECT_EQ(info->defaults.guidance, 4.0);
    EXPECT_EQ(info->defaults.shift, 2.5);
    ASSERT_TRUE(info->preview);
    EXPECT_THAT(info->preview->matrix, SizeIs(48));
    EXPECT_THAT(info->preview->bias, ElementsAre(0.1F, 0.2F, 0.3F));
    EXPECT_THAT(info->defaults.longerFrames, IsEmpty());
    preferences["longer_frames"] = {65, 129};
    preferences["fps"] = "24000/1001";
    model.folder.write("framewright.json", preferences.dump());
    info = inspectModel(model.folder.path());
    EXPECT_EQ(info->defaults.frameRate, (job::FrameRate{24000, 1001}));
    EXPECT_THAT(info->defaults.longerFrames, ElementsAre(65, 129));
}

TEST(InspectModel, RefusesPreferencesThatCannotBe) {
    const test::SparseWan model;
    const std::pair<Json, const char*> cases[] = {
        {{{"width", 250}}, "\"width\" is 250, which is not a multiple of 16"},
        {{{"height", 0}}, "\"height\" is 0"},
        {{{"frames", 32}}, "\"frames\" is 32, which is not 4k + 1"},
        {{{"longer_frames", 129}}, "\"longer_frames\" is 129"},
        {{{"longer_frames", {66}}}, "\"longer_frames\" holds 66, which is not 4k + 1 and more than 81"},
        {{{"longer_frames", {129, 129}}}, "\"longer_frames\" holds 129, which is not 4k + 1 and more than 129"},
        {{{"fps", 0}}, "\"fps\" is 0"},
        {{{"fps", "24/0"}}, "\"fps\" is '24/0'"},
        {{{"fps", "24/1x"}}, "\"fps\" is '24/1x'"},
        {{{"fps", "/1"}}, "\"fps\" is '/1'"},
        {{{"fps", 12.5}}, "\"fps\" is 12.5"},
        {{{"steps", -1}}, "\"steps\" is -1"},
        {{{"guidance", "high"}}, "where a number is expected"},
        {{{"shift", 0}}, "\"shift\" is 0"},
        {{{"name", ""}}, "\"name\" is empty"},
        {{{"name", "a\x1b[31m"}}, "\"name\" holds control characters"},
        {{{"description", std::string(1001, 'x')}}, "more than 1000 bytes"},
        {{{"preview", 1}}, "\"preview\": the top level is 1"},
        {{{"preview", {{"matrix", {1, 2}}, {"bias", {0, 0, 0}}}}}, "\"matrix\" must be 3 lists of 16 numbers"},
        {{{"preview", {{"matrix", {{1}, {2}, {3}}}, {"bias", {0, 0, 0}}}}},
         "where a list of 16 numbers is expected"},
        {Json::array(), "where an object is expected"},
    };
    for (const auto& [json, message] : cases) {
        model.folder.write("framewright.json", json.dump());
        const auto info = inspectModel(model.folder.path());
        ASSERT_TRUE(info);
        EXPECT_THAT(info->problems, ElementsAre(HasSubstr(message))) << json;
        EXPECT_THAT(info->problems, ElementsAre(HasSubstr("framewright.json"))) << json;
        EXPECT_EQ(info->defaults.width, 832) << json;  // nothing of a refused file is taken over
    }
}

TEST(ListModels, FindsFoldersBelowEachRootOnce) {
    const test::TempFolder root;
    root.write("b/model_index.json", test::kModelIndex);
    root.write("a/model_index.json", "{");
    root.write("no-model/file", "x");
    root.write("stray-file", "x");
    std::filesystem::create_directory_symlink(root / "b", root / "z-link-to-b");
    const std::vector<std::filesystem::path> roots{root.path(), root / "none", root.path() / "."};
    const auto models = listModels(roots);
    ASSERT_THAT(models, SizeIs(2));
    EXPECT_EQ(models[0].name, "a");
    EXPECT_EQ(models[1].name, "b");
    EXPECT_THAT(models[0].problems, ::testing::Not(IsEmpty()));
}

TEST(Sha256, PublishedDigests) {
    EXPECT_EQ(Sha256().finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    Sha256 hash;
    hash.add(std::as_bytes(std::span("abc", 3)));
    EXPECT_EQ(hash.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    Sha256 first, second;
    first.addText("ab");
    first.addText("c");
    second.addText("a");
    second.addText("bc");
    EXPECT_NE(first.finish(), second.finish());
}

// Writes one byte of a file in place.
void poke(const std::filesystem::path& path, std::int64_t fromEnd, char value) {
    std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(-fromEnd, std::ios::end);
    stream.put(value);
    ASSERT_TRUE(stream.good());
}

TEST(ModelHash, ChangesWithWeightsAndConfigsOnly) {
    const test::SparseWan model(test::SparseWan::Size::Small);
    const auto hashNow = [&] {
        const auto hash = modelHash(model.folder.path());
        EXPECT_TRUE(hash) << hash.error().message;
        return hash ? *hash : std::string();
    };
    const std::string before = hashNow();
    EXPECT_EQ(before.size(), 64U);
    EXPECT_EQ(hashNow(), before);
    model.folder.write("framewright.json", R"({"name": "renamed"})");
    EXPECT_EQ(hashNow(), before);
    // The last tensor of the file is the output's bias, 64 numbers: all of it counts.
    const auto transformer = model.folder / "transformer/diffusion_pytorch_model.safetensors";
    poke(transformer, 1, 'x');
    EXPECT_NE(hashNow(), before);
    poke(transformer, 1, '\0');
    EXPECT_EQ(hashNow(), before);
    model.patch("scheduler/scheduler_config.json", {{"flow_shift", 5.0}});
    const std::string otherShift = hashNow();
    EXPECT_NE(otherShift, before);
    std::filesystem::remove(model.folder / "vae/config.json");
    const auto missing = modelHash(model.folder.path());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::BadModel);
    EXPECT_THAT(missing.error().message, HasSubstr("vae/config.json is missing"));
}

TEST(ModelHash, DoesNotDependOnSharding) {
    const test::SparseWan model(test::SparseWan::Size::Small);
    const std::string whole = *modelHash(model.folder.path());
    const auto part = model.folder / "vae";
    const auto table = weights::tensorTable(*weights::loadWanVaeConfig(model.folder.path()));
    std::filesystem::remove(part / "diffusion_pytorch_model.safetensors");
    const auto middle = table.begin() + 50;
    test::writeSparse(part / "a.safetensors", {table.begin(), middle}, "F32", 4);
    test::writeSparse(part / "b.safetensors", {middle, table.end()}, "F32", 4);
    Json map = Json::object();
    for (auto spec = table.begin(); spec != table.end(); ++spec) {
        map[spec->name] = spec < middle ? "a.safetensors" : "b.safetensors";
    }
    model.folder.write("vae/diffusion_pytorch_model.safetensors.index.json", Json{{"weight_map", map}}.dump());
    EXPECT_EQ(*modelHash(model.folder.path()), whole);
}

}  // namespace
}  // namespace fw::model
