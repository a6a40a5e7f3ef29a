// LinGen's parts against the published Mamba2, and whole transformers against the training code.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "core/model/video_model.h"
#include "core/model/weight_loader.h"
#include "core/pipeline/generator.h"
#include "core/weights/transformer_config.h"
#include "golden_support.h"
#include "recipe.h"

namespace fw::golden {
namespace {

// One Mamba2 mixer made of this engine's operations, rows in one direction as published.
class Mamba2Golden : public testing::TestWithParam<const char*> {
 protected:
    Mamba2Golden() : m_case(GetParam()), m_options(m_fixture.metadata("cases").at(m_case)) {}

    [[nodiscard]] std::int64_t option(const char* name) const { return m_options.at(name).get<std::int64_t>(); }
    // A weight of the fixture's recipe.
    [[nodiscard]] HostTensor weight(const std::string& name, const Shape& shape) const {
        const auto seed = m_fixture.metadata("seed").get<std::uint64_t>();
        const std::string known = name == "norm.weight" ? "ssm.norm.weight" : name;
        return recipeWeight(m_case + "/" + known, seed, shape);
    }
    // Rows [K, C] of a kernel stored as [C, 1, K].
    [[nodiscard]] static HostTensor transposed(const HostTensor& kernel, std::int64_t channels, std::int64_t taps) {
        HostTensor result({taps, channels});
        for (std::int64_t i = 0; i < channels * taps; ++i) {
            result.values[static_cast<std::size_t>(i % taps * channels + i / taps)] =
                kernel.values[static_cast<std::size_t>(i)];
        }
        return result;
    }

    Fixture m_fixture{"mamba2"};
    Engine m_engine;
    std::string m_case;
    Json m_options;
};

TEST_P(Mamba2Golden, AgreesWithThePublishedMixer) {
    const std::int64_t width = option("hidden_size"), heads = option("num_heads"), headDim = option("head_dim");
    const std::int64_t groups = option("n_groups"), state = option("state_size"), taps = option("conv_kernel");
    const std::int64_t inner = width * option("expand"), channels = inner + 2 * groups * state;
    const HostTensor in = weight("in_proj.weight", {inner + channels + heads, width});
    const HostTensor out = weight("out_proj.weight", {width, inner});
    const HostTensor kernel = transposed(weight("conv1d.weight", {channels, 1, taps}), channels, taps);
    const HostTensor bias = weight("conv1d.bias", {channels});
    HostTensor stepBias = weight("dt_bias", {heads});
    if (m_case == "forgetting") {
        stepBias.values = {-9.0F, -2.0F, 1.0F, 25.0F};
        stepBias.view = TensorView(stepBias.values.data(), DType::F32, {heads});
    }
    const HostTensor decay = weight("A_log", {heads}), skip = weight("D", {heads});
    const HostTensor norm = weight("norm.weight", {inner});
    backend::Ops& ops = *m_engine.ops;
    const ConstTensorView inView = in.view, outView = out.view;
    const auto project = require(ops.packLinear({{&inView, 1}, {}}, DType::F32));
    const auto finish = require(ops.packLinear({{&outView, 1}, {}}, DType::F32));
    for (const std::int64_t length : m_fixture.metadata("lengths").get<std::vector<std::int64_t>>()) {
        const std::string key = fmt::format("{}.{}.", m_case, length);
        HostTensor hidden(values(key + "hidden", 1, length * width), {1, length, width});
        HostTensor projected({1, length, inner + channels + heads}), rows({1, length, channels});
        HostTensor scanned({1, length, inner}), gated({1, length, inner}), mixed({1, length, width});
        const auto part = [](const HostTensor& from, std::int64_t first, std::int64_t count) {
            return from.view.slice(2, first, first + count);
        };
        ops.linear(hidden.view, *project, projected.view);
        ops.scanConv(part(projected, inner, channels), kernel.view, bias.view, {}, rows.view);
        const backend::StateSpaceInput input{
            .x = part(rows, 0, inner).split(2, heads, headDim),
            .b = part(rows, inner, groups * state).split(2, groups, state),
            .c = part(rows, inner + groups * state, groups * state).split(2, groups, state),
            .step = part(projected, inner + channels, heads),
            .stepBias = stepBias.view,
            .decay = decay.view,
            .skip = skip.view,
            .initialState = {},
            .finalState = {},
            .reverse = false};
        ops.stateSpaceScan({&input, 1}, {.order = {}, .chunk = option("chunk_size")},
                           scanned.view.split(2, heads, headDim));
        ops.gatedRmsNorm(scanned.view, part(projected, 0, inner), norm.view, groups,
                         m_fixture.metadata("eps").get<float>(), gated.view);
        ops.linear(gated.view, *finish, mixed.view);
        require(ops.synchronize());
        const auto row = [](const HostTensor& tensor) {
            return tensor.view.reshape({tensor.view.dim(1), tensor.view.dim(2)});
        };
        expectClose(row(rows), m_fixture.tensor(key + "conv"), DType::F32);
        expectClose(row(scanned), m_fixture.tensor(key + "scan"), DType::F32);
        expectClose(row(gated), m_fixture.tensor(key + "norm"), DType::F32);
        expectClose(row(mixed), m_fixture.tensor(key + "mixer"), DType::F32);
    }
}

class LinGenGolden : public testing::TestWithParam<std::tuple<const char*, DType>> {
 protected:
    LinGenGolden() : m_key(std::get<0>(GetParam())), m_compute(std::get<1>(GetParam())) {
        const Json config = m_fixture.metadata("configs").at(m_key);
        m_config = require(weights::parseTransformerConfig(config));
        writePart(m_folder.path(), "transformer", config, weights::tensorTable(m_config),
                  m_fixture.metadata("seed").get<std::uint64_t>());
    }

    Fixture m_fixture{"lingen"};
    TemporaryFolder m_folder;
    Engine m_engine;
    std::string m_key;
    DType m_compute;
    weights::TransformerConfig m_config;
};

TEST_P(LinGenGolden, AgreesWithTheTrainingCode) {
    if (!m_engine.supports(m_compute)) {
        GTEST_SKIP() << "no " << dtypeName(m_compute) << " on this machine";
    }
    const auto transformer =
        require(model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, m_compute));
    const Shape shape = shapeOf(m_fixture.metadata("latents").at(m_key));
    const HostTensor latents(values(m_key + ".latents", 1, shape.product()), shape);
    const auto rows = m_fixture.metadata("text_rows").get<std::int64_t>();
    const HostTensor text(values(m_key + ".text", 1, rows * m_config.dit.textDim), {rows, m_config.dit.textDim});
    HostTensor velocity(shape);
    auto context = m_engine.context();
    require(transformer->forward(context, latents.view, m_fixture.metadata("timestep").get<double>(), text.view,
                                 velocity.view));
    expectClose(velocity.view, m_fixture.tensor(m_key + ".velocity"), m_compute);
    EXPECT_EQ(m_engine.arena->mark(), 0);
    EXPECT_GT(context.attentionWork.pairs, 0);
    EXPECT_LT(context.attentionWork.pairs, context.attentionWork.densePairs);

    // A dry run of the same pass costs the same and needs as much memory.
    const auto device = backend::createMetaDevice(m_compute);
    const auto ops = require(device->createOps({}));
    const auto arena = backend::Arena::createMeta();
    const auto forecast = require(model::loadTransformer(m_folder.path(), *device, *ops, m_compute));
    EXPECT_LE(forecast->weightBytes(), transformer->weightBytes());  // a device may pad
    method::RunContext dry{.ops = *ops, .arena = *arena, .selfAttention = *m_engine.dense, .cancel = {}};
    const auto meta = [](const Shape& s) { return TensorView(nullptr, DType::F32, s, DeviceKind::Meta); };
    const backend::OpCost before = m_engine.ops->cost();
    require(forecast->forward(dry, meta(shape), 640.0, meta(text.view.shape()), meta(shape)));
    require(transformer->forward(context, latents.view, 640.0, text.view, velocity.view));
    EXPECT_EQ(ops->cost().flops, m_engine.ops->cost().flops - before.flops);
    EXPECT_EQ(arena->highWater(), m_engine.arena->highWater());
}

// The embedded LinGen model stores its largest matrices in eight bits a value.
TEST(MiniLinGen, MatricesOfEightBitsAreReadWithTheScalesOfTheirRows) {
    const auto folder = std::filesystem::path(FW_SOURCE_DIR) / "resources/models/mini-lingen";
    const auto info = require(model::inspectModel(folder));
    EXPECT_THAT(info.problems, testing::IsEmpty());
    EXPECT_EQ(info.family, "lingen");
    const Engine engine("cpu", 1);
    const auto config = require(weights::loadTransformerConfig(folder));
    auto loader = require(model::WeightLoader::open(folder, "transformer", weights::tensorTable(config),
                                                    *engine.device, *engine.ops));
    const auto raw = require(loader.mapped("blocks.3.attn1.to_q.weight"));
    ASSERT_EQ(raw.dtype(), DType::I8);
    const auto scales = require(loader.mapped("blocks.3.attn1.to_q.SCB"));
    const std::vector<float> values = require(loader.hostFloats("blocks.3.attn1.to_q.weight"));
    ASSERT_EQ(values.size(), static_cast<std::size_t>(raw.count()));
    const auto width = static_cast<std::size_t>(raw.dim(1));
    double largest = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const float scale = scales.as<float>()[i / width];
        EXPECT_FLOAT_EQ(values[i],
                        static_cast<float>(static_cast<const std::int8_t*>(raw.data())[i]) * scale / 127);
        largest = std::max(largest, static_cast<double>(std::abs(values[i])));
    }
    EXPECT_GT(largest, 0.01);
    // The matrix that a product reads is the same one.
    const auto packed = require(loader.linear({"blocks.3.attn1.to_q"}, false, DType::F32));
    const Shape one{1, static_cast<std::int64_t>(width)};
    HostTensor x(std::vector<float>(width, 0.0F), one);
    x.values[5] = 1.0F;
    HostTensor y({1, raw.dim(0)});
    engine.ops->linear(x.view, *packed, y.view);
    require(engine.ops->synchronize());
    for (std::size_t row = 0; row < static_cast<std::size_t>(raw.dim(0)); ++row) {
        EXPECT_FLOAT_EQ(y.values[row], values[row * width + 5]);
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, LinGenGolden,
                         testing::Combine(testing::Values("stock", "attention", "plain"),
                                          testing::Values(DType::F32, DType::BF16)),
                         [](const auto& name) {
                             return fmt::format("{}_{}", std::get<0>(name.param),
                                                dtypeName(std::get<1>(name.param)));
                         });

INSTANTIATE_TEST_SUITE_P(Cases, Mamba2Golden, testing::Values("stock", "groups", "forgetting"),
                         [](const auto& name) { return std::string(name.param); });

// A whole model folder: mini's parts around a random transformer with LinGen's blocks.
class LinGenFolder : public testing::Test {
 protected:
    LinGenFolder() {
        const std::filesystem::path mini = std::filesystem::path(FW_SOURCE_DIR) / "resources" / "models" / "mini";
        for (const char* part : {"vae", "text_encoder", "tokenizer", "scheduler"}) {
            std::filesystem::create_directory_symlink(mini / part, folder() / part);
        }
        std::ifstream stream(mini / "model_index.json");
        Json index = Json::parse(stream);
        index["_class_name"] = "LinGenPipeline";
        index["transformer"] = {"framewright", "LinGenTransformer3DModel"};
        std::ofstream(folder() / "model_index.json") << index.dump();
        writeTransformer({});
    }
    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder.path(); }

    void writeTransformer(const Json& changes) {
        Json config = Json::parse(R"({"_class_name": "LinGenTransformer3DModel", "patch_size": [1, 2, 2],
            "num_attention_heads": 2, "attention_head_dim": 32, "num_layers": 4, "ffn_dim": 64, "in_channels": 16,
            "out_channels": 16, "text_dim": 256, "freq_dim": 32, "tesa_window": [4, 4, 4], "ssm_head_dim": 32,
            "ssm_state_dim": 16, "position_embedding_size": [3, 4, 4]})");
        if (changes.is_object()) {
            config.update(changes);
        }
        const auto parsed = weights::parseTransformerConfig(config);
        writePart(folder(), "transformer", config, parsed ? weights::tensorTable(*parsed) : weights::TensorTable{},
                  5);
    }
    [[nodiscard]] job::GenerationRequest request(std::int64_t frames) const {
        job::GenerationRequest result;
        result.model = folder().string();
        result.prompt = "a red heart";
        result.width = result.height = 64;
        result.frames = frames;
        result.steps = 3;
        result.seed = 3;
        result.threads = 1;
        result.dtype = "f32";
        return result;
    }
    [[nodiscard]] static std::vector<std::uint8_t> draw(pipeline::Generator& generator,
                                                        const job::GenerationRequest& request) {
        std::vector<std::uint8_t> frames;
        const auto sink = [&](const ConstTensorView& view) -> Status {
            frames.insert(frames.end(), view.as<std::uint8_t>(), view.as<std::uint8_t>() + view.count());
            return {};
        };
        const auto report = require(generator.generate(request, {}, {}, sink, {}));
        const job::Plan plan = require(pipeline::makePlan(request));
        EXPECT_EQ(report.plan.flopsPerForward, plan.flopsPerForward);
        return frames;
    }

 private:
    TemporaryFolder m_folder;
};

TEST_F(LinGenFolder, DrawsClipsLongerThanItsTables) {
    EXPECT_EQ(require(model::inspectModel(folder())).family, "lingen");
    EXPECT_THAT(require(model::inspectModel(folder())).problems, testing::IsEmpty());
    const auto generator = require(pipeline::Generator::create(folder(), "cpu", "f32", 1));
    const std::vector<std::uint8_t> frames = draw(*generator, request(21));
    EXPECT_EQ(frames.size(), 21U * 64 * 64 * 3);
    EXPECT_EQ(draw(*generator, request(21)), frames);
    // Step caches see its blocks as they see any other's.
    for (const char* cache : {"pab", "first_block"}) {
        job::GenerationRequest cached = request(9);
        cached.cache = cache;
        cached.steps = 6;
        EXPECT_EQ(draw(*generator, cached).size(), 9U * 64 * 64 * 3) << cache;
    }
}

// The windows of even and odd layers, which the model cuts itself, by their definition: boxes of 4 x 4 x 4 tokens,
// in odd layers moved by half a box.
TEST_F(LinGenFolder, ProbesSeeItsWindows) {
    const auto generator = require(pipeline::Generator::create(folder(), "cpu", "f32", 1));
    job::GenerationRequest wanted = request(37);  // 10 x 4 x 4 tokens: three boxes, or three others
    wanted.probes = Json{{"kinds", {"map", "stats", "mask", "kept"}}, {"steps", {1}}, {"samples", 0}};
    trace::Trace trace;
    pipeline::GeneratorOptions options;
    options.trace = &trace;
    const auto ignore = [](const ConstTensorView&) -> Status { return {}; };
    const auto report = require(generator->generate(wanted, options, {}, ignore, {}));
    std::int64_t bytes = 0;
    for (const auto& [kind, table] : trace.probes.tables) {
        bytes += table.data().bytes() + 5 * 4 * table.size();
    }
    EXPECT_EQ(bytes, report.plan.probes.bytes) << "what was forecast";
    const std::int64_t tokens = trace.probes.info.tokens(), tiles = trace.probes.info.maskTileCount();
    ASSERT_EQ(tokens, 160);
    ASSERT_EQ(tiles, 3) << "runs of 64 tokens";
    const trace::ProbeTable& masks = *trace.probes.find(trace::ProbeKind::Mask);
    const trace::ProbeTable& kept = *trace.probes.find(trace::ProbeKind::KeptMass);
    ASSERT_EQ(masks.size(), 4) << "a layer each, of all heads";
    ASSERT_EQ(kept.size(), 4 * 2);
    EXPECT_EQ(trace.probes.find(trace::ProbeKind::AttentionMap)->size(), 4 * 2);
    for (std::int32_t layer = 0; layer < 4; ++layer) {
        // Height and width are as long as a window: only time is cut.
        const auto boxOf = [&](std::int64_t token) { return (token / 16 + (layer % 2 == 1 ? 2 : 0)) / 4; };
        std::vector<bool> expected(static_cast<std::size_t>(tiles * tiles));
        for (std::int64_t query = 0; query < tokens; ++query) {
            for (std::int64_t key = 0; key < tokens; ++key) {
                if (boxOf(query) == boxOf(key)) {
                    expected[static_cast<std::size_t>(query / 64 * tiles + key / 64)] = true;
                }
            }
        }
        const std::int64_t record = masks.find({1, 0, layer, -1});
        ASSERT_GE(record, 0);
        for (std::int64_t bit = 0; bit < tiles * tiles; ++bit) {
            EXPECT_EQ(trace::maskBit(masks.record(record), tiles, bit / tiles, bit % tiles),
                      expected[static_cast<std::size_t>(bit)])
                << "layer " << layer << ", tile " << bit / tiles << " to " << bit % tiles;
        }
        for (std::int32_t head = 0; head < 2; ++head) {
            for (const float share : kept.values(kept.find({1, 0, layer, head}))) {
                EXPECT_GT(share, 0.0F);
                EXPECT_LT(share, 1.0F) << "the rest lies outside the window";
            }
        }
    }
    EXPECT_FALSE(std::equal(masks.record(0).as<std::uint8_t>(), masks.record(0).as<std::uint8_t>() + 2,
                            masks.record(1).as<std::uint8_t>()))
        << "windows of odd layers are others";
}

TEST_F(LinGenFolder, CostsGrowInStepWithItsLength) {
    const auto flops = [&](std::int64_t frames) {
        return static_cast<double>(require(pipeline::makePlan(request(frames))).flopsPerForward);
    };
    // Latent frames 9, 33 and 65. Only what does not depend on the clip, and windows at its end, bend the line.
    const double perFrame = (flops(129) - flops(33)) / 24.0;
    EXPECT_NEAR((flops(257) - flops(129)) / 32.0, perFrame, 0.01 * perFrame);
    const job::Plan plan = require(pipeline::makePlan(request(129)));
    EXPECT_LT(plan.attention.pairs, plan.attention.densePairs / 4);
}

// A clip of eleven seconds: frames leave in pieces, progress grows to its end, previews come, and decoding takes no
// more memory than that of a short clip.
TEST_F(LinGenFolder, LongClipsStream) {
    job::GenerationRequest wanted = request(257);
    wanted.steps = 2;
    const auto generator = require(pipeline::Generator::create(folder(), "cpu", "f32", 1));
    pipeline::GeneratorOptions options;
    options.preview = pipeline::PreviewKind::Projection;
    std::vector<double> progress;
    int previews = 0;
    pipeline::GeneratorEvents events;
    events.progress = [&](const pipeline::Progress& seen) { progress.push_back(seen.fraction); };
    events.preview = [&](const pipeline::Preview&) { ++previews; };
    std::int64_t frames = 0, largestPiece = 0;
    const auto sink = [&](const ConstTensorView& piece) -> Status {
        frames += piece.dim(0);
        largestPiece = std::max(largestPiece, piece.dim(0));
        return {};
    };
    const auto report = require(generator->generate(wanted, options, events, sink, {}));
    EXPECT_EQ(frames, 257);
    EXPECT_LE(largestPiece, 16) << "of the four latent frames decoded at once";
    EXPECT_EQ(previews, 2);
    ASSERT_GT(progress.size(), 10U) << "decoding reports as well";
    EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
    EXPECT_GT(progress.back(), 0.9);
    EXPECT_LE(progress.back(), 1.0);
}

TEST_F(LinGenFolder, MemoryOfLongClipsIsThatOfTheirTokens) {
    const auto scratch = [&](std::int64_t frames, std::size_t phase) {
        return static_cast<double>(require(pipeline::makePlan(request(frames))).phases.at(phase).scratchBytes);
    };
    constexpr std::size_t kDenoise = 1, kDecode = 2;
    EXPECT_EQ(scratch(513, kDecode), scratch(33, kDecode)) << "decoding streams";
    // Latent frames 65, 129 and 257.
    const double perFrame = (scratch(513, kDenoise) - scratch(257, kDenoise)) / 64.0;
    EXPECT_NEAR((scratch(1025, kDenoise) - scratch(513, kDenoise)) / 128.0, perFrame, 0.01 * perFrame);

    // More than the model has positions for, or than fits, is refused before the run, with the numbers.
    const auto unplaced = pipeline::makePlan(request(4097));
    ASSERT_FALSE(unplaced);
    EXPECT_THAT(unplaced.error().message, testing::HasSubstr("the model knows 1024 positions per axis"));
    job::GenerationRequest wanted = request(2049);
    wanted.width = wanted.height = 512;
    wanted.memoryBudget = std::int64_t{512} << 20;
    const job::Plan plan = require(pipeline::makePlan(wanted));
    EXPECT_THAT(plan.memory.shortage, testing::HasSubstr("the budget is 512.0 MiB"));
    const auto generator = require(pipeline::Generator::create(folder(), "cpu", "f32", 1));
    int pieces = 0;
    const auto sink = [&](const ConstTensorView&) -> Status {
        ++pieces;
        return {};
    };
    const auto refused = generator->generate(wanted, {}, {}, sink, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
    EXPECT_EQ(refused.error().message, plan.memory.shortage);
    EXPECT_EQ(pieces, 0);
}

TEST_F(LinGenFolder, RefusesWhatItCannotRun) {
    job::GenerationRequest wanted = request(9);
    wanted.method = "top_k";
    const auto plan = pipeline::makePlan(wanted);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(plan.error().message, testing::HasSubstr("the attention method top_k does not apply"));

    const auto generator = require(pipeline::Generator::create(folder(), "cpu", "f32", 1));
    const auto ignore = [](const ConstTensorView&) -> Status { return {}; };
    const auto refused = generator->generate(wanted, {}, {}, ignore, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, plan.error().message);

    // More frames than the program offers: as many as the model has positions for.
    const auto longer = pipeline::makePlan(request(4101));
    ASSERT_FALSE(longer);
    EXPECT_THAT(longer.error().message, testing::HasSubstr("4101; it must be from 1 to 4097"));

    const auto problem = [&](const Json& changes) {
        writeTransformer(changes);
        const auto info = require(model::inspectModel(folder()));
        return info.problems.empty() ? std::string() : info.problems.front();
    };
    EXPECT_THAT(problem({{"scan_orders", {"s_row", "spiral"}}}), testing::HasSubstr("'spiral' is not known"));
    EXPECT_THAT(problem({{"ssm_state_dim", 20}}), testing::HasSubstr("\"ssm_state_dim\" is 20"));
    EXPECT_THAT(problem({{"ssm_head_dim", 48}}), testing::HasSubstr("does not divide the inner width 128"));
    writeTransformer({});
    Json other = Json::parse(std::ifstream(folder() / "transformer" / "config.json"));
    other["ssm_state_dim"] = 24;
    std::ofstream(folder() / "transformer" / "config.json") << other.dump();
    const auto info = require(model::inspectModel(folder()));
    EXPECT_THAT(info.problems, testing::Contains(testing::HasSubstr("blocks.0.ssm.in_proj.weight")));
}

}  // namespace
}  // namespace fw::golden
