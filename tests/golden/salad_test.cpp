// SALAD and its adapters: the engine against the tuning code in PyTorch, and adapters that do not fit refused.
#include <gmock/gmock.h>

#include <cmath>
#include <deque>
#include <fstream>
#include <limits>

#include "core/method/painted_masks.h"
#include "core/model/adapter.h"
#include "core/model/wan_transformer.h"
#include "golden_support.h"
#include "recipe.h"

namespace fw::golden {
namespace {

using testing::HasSubstr;

using Tensors = std::vector<std::pair<std::string, ConstTensorView>>;

class SaladGolden : public testing::Test {
 protected:
    SaladGolden() {
        const Json config = m_fixture.metadata("config");
        m_config = require(weights::parseWanTransformerConfig(config));
        writePart(m_folder.path(), "transformer", config, weights::tensorTable(m_config),
                  m_fixture.metadata("seed").get<std::uint64_t>());
        m_file = require(weights::SafetensorsFile::open(std::filesystem::path(FW_SOURCE_DIR) / "tests" / "golden" /
                                                        "fixtures" / "salad.safetensors"));
    }

    // The adapter of a case as it is shipped.
    [[nodiscard]] Tensors tensorsOf(const std::string& name) const {
        Tensors tensors;
        for (const auto& [key, view] : m_file->tensors()) {
            if (key.starts_with(name + "/")) {
                tensors.emplace_back(key.substr(name.size() + 1), view);
            }
        }
        return tensors;
    }
    [[nodiscard]] std::map<std::string, std::string> metadataOf(const std::string& name) const {
        return m_fixture.metadata("cases").at(name).at("metadata").get<std::map<std::string, std::string>>();
    }
    job::Adapter write(const Tensors& tensors, const std::map<std::string, std::string>& metadata,
                       const std::string& name = "adapter") const {
        const auto path = m_folder.path() / (name + ".safetensors");
        require(weights::writeSafetensors(path, tensors, metadata));
        return {path.string(), 1.0};
    }

    // The error of opening the adapter for SALAD; empty when it was accepted.
    [[nodiscard]] std::string refusal(const Tensors& tensors, const std::map<std::string, std::string>& metadata) {
        const job::Adapter adapter = write(tensors, metadata);
        const auto set = model::AdapterSet::open({&adapter, 1}, m_folder.path());
        if (!set) {
            EXPECT_EQ(set.error().code, ErrorCode::BadModel);
            return set.error().message;
        }
        const method::MethodEntry* entry = require(method::findAttentionMethod("salad"));
        const auto loaded = set->methodWeights(*entry, {*m_engine.device, *m_engine.ops, DType::F32});
        if (!loaded) {
            return loaded.error().message;
        }
        const auto method = method::createAttentionMethod("salad", Json::object(), loaded->get());
        return method ? "" : method.error().message;
    }

    // The velocity with these adapters merged and this method.
    HostTensor velocity(const std::vector<job::Adapter>& adapters, const std::string& id, const Json& parameters,
                        DType compute = DType::F32, method::PaintedMasks* painted = nullptr) {
        const auto set = require(model::AdapterSet::open(adapters, m_folder.path()));
        const auto transformer = require(
            model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, compute, {.merged = &set}));
        return velocityOf(*transformer, set, id, parameters, compute, painted);
    }
    // The velocity of a transformer as it is; the set is for the method's weights alone.
    HostTensor velocityOf(model::VideoTransformer& transformer, const model::AdapterSet& set, const std::string& id,
                          const Json& parameters, DType compute = DType::F32,
                          method::PaintedMasks* painted = nullptr) {
        const method::MethodEntry* entry = require(method::findAttentionMethod(id));
        const auto weights = require(set.methodWeights(*entry, {*m_engine.device, *m_engine.ops, compute}));
        const auto method = require(method::createAttentionMethod(id, parameters, weights.get()));
        const Shape shape = shapeOf(m_fixture.metadata("latents"));
        const HostTensor latents(values("salad.latents", 1, shape.product()), shape);
        const auto rows = m_fixture.metadata("text_rows").get<std::int64_t>();
        const HostTensor text(values("salad.text", 1, rows * m_config.textDim), {rows, m_config.textDim});
        HostTensor result(shape);
        method::RunContext context{
            .ops = *m_engine.ops, .arena = *m_engine.arena, .selfAttention = *method, .cancel = {}};
        context.painted = painted;
        require(transformer.forward(context, latents.view, m_fixture.metadata("timestep").get<double>(), text.view,
                                    result.view));
        return result;
    }

    Fixture m_fixture{"salad"};
    std::unique_ptr<weights::SafetensorsFile> m_file;
    TemporaryFolder m_folder;
    Engine m_engine;
    weights::WanTransformerConfig m_config;
};

TEST_F(SaladGolden, AgreesWithTheTuningCode) {
    const Json cases = m_fixture.metadata("cases");
    for (const auto& [name, entry] : cases.items()) {
        const job::Adapter adapter = write(tensorsOf(name), metadataOf(name));
        const ConstTensorView expected = m_fixture.tensor(name + ".velocity");
        expectClose(velocity({adapter}, "salad", entry.at("parameters")).view, expected, DType::F32);
        if (m_engine.supports(DType::BF16)) {
            expectClose(velocity({adapter}, "salad", entry.at("parameters"), DType::BF16).view, expected,
                        DType::BF16);
        }
        const HostTensor dense = velocity({}, "dense", Json::object());
        EXPECT_GT(relativeError(dense.view, expected), 1e-2) << name << " tells the two apart";
    }
}

// A projection of zeros, and a weight of zero, leave the sparse branch alone, bit for bit.
TEST_F(SaladGolden, WithoutItsBranchItIsTheSparseMethod) {
    Tensors tensors;
    std::vector<std::vector<BFloat16>> zeros;
    for (const auto& [name, view] : tensorsOf("window_b")) {
        const bool projection = name.find("salad_proj") != std::string::npos;
        if (projection) {
            zeros.emplace_back(static_cast<std::size_t>(view.count()));
        }
        tensors.emplace_back(name,
                             projection ? ConstTensorView(zeros.back().data(), DType::BF16, view.shape()) : view);
    }
    const Json sparse{{"sparsity", 0.7}, {"order", "alternate"}};
    const HostTensor alone = velocity({}, "sliding_window", sparse);
    const HostTensor zero = velocity({write(tensors, {})}, "salad", sparse);
    EXPECT_EQ(zero.values, alone.values);
    Json scaled = sparse;
    scaled["branch_scale"] = 0.0;
    const HostTensor off = velocity({write(tensorsOf("window_b"), {})}, "salad", scaled);
    EXPECT_EQ(off.values, alone.values);
    const HostTensor on = velocity({write(tensorsOf("window_b"), {})}, "salad", sparse);
    EXPECT_NE(on.values, alone.values);
    scaled["branch_scale"] = 1.0;
    scaled["drop_branches"] = 1.0;
    const HostTensor dropped =
        velocity({write(tensorsOf("window_b"), {{"branch_norms", "[0.1, 0.2]"}})}, "salad", scaled);
    EXPECT_EQ(dropped.values, alone.values);
}

// Where somebody may paint over the sparse branch, the linear one is added in a pass behind it.
TEST_F(SaladGolden, TheBranchIsTheSameInAPassOfItsOwn) {
    const job::Adapter adapter = write(tensorsOf("window"), metadataOf("window"));
    for (const Json& parameters :
         {Json::object(), Json{{"gate", "sample"}}, Json{{"sparse", "top_k"}, {"sparsity", 0.3}}}) {
        method::PaintedMasks nothing{job::WhatIf()};
        EXPECT_EQ(velocity({adapter}, "salad", parameters, DType::F32, &nothing).values,
                  velocity({adapter}, "salad", parameters).values)
            << parameters.dump();
    }
}

TEST_F(SaladGolden, EverySwitchChangesTheResult) {
    const job::Adapter adapter = write(tensorsOf("window"), metadataOf("window"));
    const HostTensor usual = velocity({adapter}, "salad", Json::object());
    for (const Json& changed :
         {Json{{"gate", "off"}}, Json{{"gate", "sample"}}, Json{{"rope_form", "b"}}, Json{{"projection", false}},
          Json{{"branch_scale", 0.5}}, Json{{"order", "alternate"}}, Json{{"sparse", "top_k"}, {"sparsity", 0.3}},
          Json{{"sink_frame", true}}}) {
        EXPECT_NE(velocity({adapter}, "salad", changed).values, usual.values) << changed.dump();
    }
    EXPECT_EQ(velocity({adapter}, "salad", {{"gate", "token"}, {"rope_form", "a"}, {"order", "table"}}).values,
              usual.values);
}

// The same change under the names of three styles, at two strengths, alone and together.
TEST_F(SaladGolden, LoraFilesOfEveryStyleChangeTheModelAlike) {
    constexpr std::int64_t kRank = 3;
    const std::int64_t width = m_config.width();
    const std::vector<float> down = values("lora.down", 3, kRank * width), up = values("lora.up", 3, width * kRank);
    const float alpha = 1.5F;
    const ConstTensorView a(down.data(), DType::F32, {kRank, width}), b(up.data(), DType::F32, {width, kRank}),
        scale(&alpha, DType::F32, Shape{});
    const auto run = [&](const Tensors& tensors, double strength) {
        job::Adapter adapter = write(tensors, {});
        adapter.strength = strength;
        return velocity({adapter}, "dense", Json::object()).values;
    };
    const std::string peft = "transformer.blocks.1.attn1.to_out.0.lora_";
    const std::string original = "diffusion_model.blocks.1.self_attn.o.";
    const auto base = velocity({}, "dense", Json::object()).values;
    const auto half = run({{peft + "A.weight", a}, {peft + "B.weight", b}}, 0.5);
    EXPECT_NE(half, base);
    EXPECT_EQ(
        run({{"blocks.1.attn1.to_out.0.lora_A.weight", a}, {"blocks.1.attn1.to_out.0.lora_B.weight", b}}, 0.5),
        half);
    EXPECT_EQ(run({{original + "lora_down.weight", a}, {original + "lora_up.weight", b}}, 0.5), half);
    // alpha / rank = 1/2 at strength 1 is the same change.
    EXPECT_EQ(
        run({{original + "lora_down.weight", a}, {original + "lora_up.weight", b}, {original + "alpha", scale}},
            1.0),
        half);
    EXPECT_EQ(run({{peft + "A.weight", a}, {peft + "B.weight", b}}, 0.0), base);
    const job::Adapter once = write({{peft + "A.weight", a}, {peft + "B.weight", b}}, {});
    const auto opposite = velocity({{once.file, 0.75}, {once.file, -0.75}}, "dense", Json::object());
    EXPECT_LE(relativeError(opposite.view, ConstTensorView(base.data(), DType::F32, opposite.view.shape())), 1e-5)
        << "two that cancel each other";
}

// W' = W + strength · up · down, by hand.
TEST_F(SaladGolden, MergesTheProductOfThePair) {
    constexpr std::int64_t kRank = 2;
    const std::int64_t width = m_config.width();
    const std::vector<float> down = values("lora.down", 5, kRank * width), up = values("lora.up", 5, width * kRank);
    job::Adapter adapter =
        write({{"blocks.0.attn2.to_k.lora_A.weight", ConstTensorView(down.data(), DType::F32, {kRank, width})},
               {"blocks.0.attn2.to_k.lora_B.weight", ConstTensorView(up.data(), DType::F32, {width, kRank})}},
              {});
    adapter.strength = -2.0;
    const auto set = require(model::AdapterSet::open({&adapter, 1}, m_folder.path()));
    EXPECT_TRUE(set.changes("blocks.0.attn2.to_k"));
    EXPECT_FALSE(set.changes("blocks.0.attn2.to_v"));
    std::vector<float> weight(static_cast<std::size_t>(width * width), 1.0F);
    set.merge("blocks.0.attn2.to_k", weight);
    for (std::int64_t row = 0; row < width; ++row) {
        for (std::int64_t column = 0; column < width; ++column) {
            double expected = 1.0;
            for (std::int64_t r = 0; r < kRank; ++r) {
                expected -= 2.0 * static_cast<double>(up[static_cast<std::size_t>(row * kRank + r)]) *
                            static_cast<double>(down[static_cast<std::size_t>(r * width + column)]);
            }
            ASSERT_NEAR(static_cast<double>(weight[static_cast<std::size_t>(row * width + column)]), expected,
                        1e-5);
        }
    }
}

// A file of LoRA pairs for matrices of every place and activation: small numbers from a seed.
class LoraFile {
 public:
    LoraFile(const weights::TensorTable& table, std::uint64_t seed, std::int64_t rank) {
        const char* matrices[] = {"blocks.0.attn1.to_q",
                                  "blocks.0.attn1.to_v",
                                  "blocks.1.attn1.to_out.0",
                                  "blocks.0.attn2.to_q",
                                  "blocks.1.attn2.to_v",
                                  "blocks.0.attn2.to_out.0",
                                  "blocks.0.ffn.net.0.proj",
                                  "blocks.1.ffn.net.2",
                                  "proj_out",
                                  "condition_embedder.time_proj",
                                  "condition_embedder.time_embedder.linear_1",
                                  "condition_embedder.text_embedder.linear_1"};
        for (const weights::TensorSpec& spec : table) {
            for (const std::string matrix : matrices) {
                if (spec.name == matrix + ".weight") {
                    add(matrix + ".lora_A.weight", seed, {rank, spec.shape[1]});
                    add(matrix + ".lora_B.weight", seed, {spec.shape[0], rank});
                }
            }
        }
        FW_CHECK(m_tensors.size() == 2 * std::size(matrices), "{} tensors", m_tensors.size());
    }
    [[nodiscard]] const Tensors& tensors() const { return m_tensors; }

 private:
    void add(const std::string& name, std::uint64_t seed, const Shape& shape) {
        m_values.push_back(values(name, seed, shape.product()));
        for (float& value : m_values.back()) {
            value *= 0.25F;
        }
        m_tensors.emplace_back(name, ConstTensorView(m_values.back().data(), DType::F32, shape));
    }
    std::deque<std::vector<float>> m_values;
    Tensors m_tensors;
};

// Beside the matrices as in them, and nothing is left when they go.
TEST_F(SaladGolden, LoraBesideTheMatricesDoesWhatMergingDoes) {
    const auto table = weights::tensorTable(m_config);
    const LoraFile first(table, 11, 3), second(table, 12, 8);
    std::vector<job::Adapter> adapters{write(first.tensors(), {}, "first"), write(second.tensors(), {}, "second")};
    adapters[0].strength = 0.75;
    adapters[1].strength = -0.5;
    const auto set = require(model::AdapterSet::open(adapters, m_folder.path()));
    const model::AdapterSet none;
    const HostTensor base = velocity({}, "dense", Json::object());
    const HostTensor merged = velocity(adapters, "dense", Json::object());
    ASSERT_GT(relativeError(merged.view, base.view), 0.05) << "the change is a large one";
    for (const DType compute : {DType::F32, DType::BF16}) {
        if (!m_engine.supports(compute)) {
            continue;
        }
        const auto transformer =
            require(model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, compute));
        const std::int64_t bytes = transformer->weightBytes();
        const HostTensor before = velocityOf(*transformer, none, "dense", Json::object(), compute);
        require(transformer->setBeside(set, *m_engine.ops));
        EXPECT_GT(transformer->weightBytes(), bytes);
        const HostTensor beside = velocityOf(*transformer, none, "dense", Json::object(), compute);
        if (compute == DType::F32) {
            EXPECT_LE(relativeError(beside.view, merged.view), 1e-5);
        } else {
            expectClose(beside.view, merged.view, compute);
        }
        // Others take their place; the same two in turns add up alike.
        adapters[0].strength = 0.25;
        const auto weaker = require(model::AdapterSet::open(adapters, m_folder.path()));
        require(transformer->setBeside(weaker, *m_engine.ops));
        const HostTensor other = velocityOf(*transformer, none, "dense", Json::object(), compute);
        EXPECT_GT(relativeError(other.view, beside.view), 0.01);
        adapters[0].strength = 0.75;
        require(transformer->setBeside(none, *m_engine.ops));
        EXPECT_EQ(transformer->weightBytes(), bytes);
        EXPECT_EQ(velocityOf(*transformer, none, "dense", Json::object(), compute).values, before.values)
            << "to the bit";
    }
}

// An adapter of a method and its LoRA, against the tuning code.
TEST_F(SaladGolden, AgreesWithTheTuningCodeWithLoraBeside) {
    const job::Adapter adapter = write(tensorsOf("window"), metadataOf("window"));
    const auto set = require(model::AdapterSet::open({&adapter, 1}, m_folder.path()));
    ASSERT_TRUE(set.hasLora());
    const auto transformer =
        require(model::loadTransformer(m_folder.path(), *m_engine.device, *m_engine.ops, DType::F32));
    const Json parameters = m_fixture.metadata("cases").at("window").at("parameters");
    const HostTensor without = velocityOf(*transformer, set, "salad", parameters);
    require(transformer->setBeside(set, *m_engine.ops));
    const HostTensor beside = velocityOf(*transformer, set, "salad", parameters);
    const ConstTensorView expected = m_fixture.tensor("window.velocity");
    expectClose(beside.view, expected, DType::F32);
    EXPECT_GT(relativeError(without.view, expected), relativeError(beside.view, expected) * 100.0);
}

TEST_F(SaladGolden, RefusesAdaptersThatDoNotFit) {
    const Tensors whole = tensorsOf("window");
    EXPECT_EQ(refusal(whole, metadataOf("window")), "");

    const auto without = [&](const std::string& part) {
        Tensors rest;
        std::copy_if(whole.begin(), whole.end(), std::back_inserter(rest),
                     [&](const auto& tensor) { return tensor.first != part; });
        return rest;
    };
    EXPECT_THAT(refusal(without("blocks.1.attn1.salad_gate.bias"), {}), HasSubstr("salad_gate.bias"));
    EXPECT_THAT(refusal(without("blocks.0.attn1.to_v.lora_B.weight"), {}),
                HasSubstr("blocks.0.attn1.to_v is not complete"));
    Tensors layerless;
    std::copy_if(whole.begin(), whole.end(), std::back_inserter(layerless),
                 [](const auto& tensor) { return !tensor.first.starts_with("blocks.1.attn1.salad_"); });
    EXPECT_THAT(refusal(layerless, {}), HasSubstr("layer 1 has no salad_proj; the file is not complete"));
    EXPECT_EQ(refusal(layerless, {{"dropped_layers", "[1]"}}), "");
    EXPECT_THAT(refusal(whole, {{"dropped_layers", "[1]"}}), HasSubstr("although dropped_layers names it"));
    EXPECT_THAT(refusal(whole, {{"dropped_layers", "often"}}), HasSubstr("a list of layers expected"));

    const auto with = [&](const std::string& name, const ConstTensorView& view) {
        Tensors changed = without(name);
        changed.emplace_back(name, view);
        return changed;
    };
    std::vector<float> numbers(std::size_t{128} * 128, 0.5F);
    const auto floats = [&](const Shape& shape) { return ConstTensorView(numbers.data(), DType::F32, shape); };
    EXPECT_THAT(refusal(with("blocks.0.attn1.salad_proj.weight", floats({128, 128})), {}),
                HasSubstr("the tensor is [64, 64] there: the adapter was made for another model"));
    EXPECT_THAT(refusal(with("blocks.5.attn1.salad_gate.bias", floats({1})), {}),
                HasSubstr("this model has 2 layers"));
    EXPECT_THAT(refusal(with("blocks.0.attn1.to_q.lora_A.weight", floats({4, 128})), {}),
                HasSubstr("[rank, 64] and [64, rank] fit"));
    EXPECT_THAT(refusal(with("blocks.0.attn9.to_q.lora_A.weight", floats({4, 64})), {}),
                HasSubstr("does not have"));
    EXPECT_THAT(refusal(with("blocks.0.attn1.secret", floats({4})), {}), HasSubstr("blocks.0.attn1.secret"));
    numbers[3] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THAT(refusal(with("blocks.0.attn1.salad_proj.weight", floats({64, 64})), {}),
                HasSubstr("salad_proj.weight"));
    std::vector<std::uint8_t> table{0, 2};
    EXPECT_THAT(refusal(with("blocks.0.attn1.salad_head_order", ConstTensorView(table.data(), DType::U8, {2})), {}),
                HasSubstr("holds 0 or 1"));

    EXPECT_THAT(refusal(whole, {{"base", "another"}}), HasSubstr("was trained for another model"));
    EXPECT_EQ(refusal(whole, {{"base", require(model::baseFingerprint(m_folder.path()))}}), "");
    EXPECT_THAT(refusal(whole, {{"gate", "door"}}), HasSubstr("gate 'door'"));
    EXPECT_THAT(refusal(whole, {{"rope_form", "c"}}), HasSubstr("rope_form 'c'"));
    EXPECT_THAT(refusal(whole, {{"eps", "-1"}}), HasSubstr("eps '-1'"));
    EXPECT_THAT(refusal(whole, {{"branch_norms", "[1]"}}), HasSubstr("one number for each of 2 layers"));
}

// Files of other families hold LoRA pairs too, or halves of them: the family is what the user has to know.
TEST_F(SaladGolden, RefusesOtherFamiliesByName) {
    const std::vector<float> numbers(std::size_t{64} * 64, 0.5F);
    const auto floats = [&](const Shape& shape) { return ConstTensorView(numbers.data(), DType::F32, shape); };
    const std::string peft = "blocks.1.attn1.to_q.", original = "diffusion_model.blocks.1.self_attn.q.";
    const Tensors lora{{peft + "lora_A.weight", floats({4, 64})}, {peft + "lora_B.weight", floats({64, 4})}};
    const job::Adapter plain = write(lora, {});
    EXPECT_TRUE(model::AdapterSet::open({&plain, 1}, m_folder.path()));
    const std::pair<std::string, const char*> families[] = {
        {peft + "lora_magnitude_vector", "is a DoRA"},
        {peft + "lora_magnitude_vector.default.weight", "is a DoRA"},
        {original + "dora_scale", "is a DoRA"},
        {original + "hada_w1_a", "is a LoHa"},
        {original + "hada_t2", "is a LoHa"},
        {original + "lokr_w1", "is a LoKr"},
        {original + "lokr_w2_b", "is a LoKr"},
        {original + "oft_blocks", "is an OFT"},
        {original + "lora_mid.weight", "is a LoCon"},
        {original + "diff", "is a full difference (weights"},
        {original + "diff_b", "is a full difference (biases"},
        {"lora_unet_blocks_0_self_attn_q.hada_w2_b", "is a LoHa"},
        {"base_model.model.blocks.0.ffn.net.2.ia3_l", "is an IA³"}};
    for (const auto& [name, family] : families) {
        Tensors mixed = lora;
        mixed.emplace_back(name, floats({64}));
        const std::string message = refusal(mixed, {});
        EXPECT_THAT(message, HasSubstr(family));
        EXPECT_THAT(message, HasSubstr(name));
        EXPECT_THAT(message, HasSubstr("lora_A and lora_B"));
        EXPECT_THAT(refusal({{name, floats({64})}}, {}), HasSubstr(family)) << "without a pair beside it";
    }
    // Neither half a pair beside it nor a number that is not finite comes first.
    const float broken = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THAT(refusal({{original + "alpha", ConstTensorView(&broken, DType::F32, Shape{})},
                         {original + "lokr_w1", floats({8, 8})}},
                        {}),
                HasSubstr("is a LoKr"));
}

TEST(Salad, NeedsAnAdapterAndSaysSo) {
    const auto method = method::createAttentionMethod("salad", Json::object());
    ASSERT_FALSE(method);
    EXPECT_THAT(method.error().message, HasSubstr("--adapter"));
}

// The published count on the 1.3B configuration.
TEST(Salad, AddsSeventyMillionParametersToTheSmallWan) {
    weights::WanTransformerConfig config;
    config.heads = 12;
    config.headDim = 128;
    config.ffnDim = 8960;
    config.layers = 30;
    const method::MethodEntry* entry = require(method::findAttentionMethod("salad"));
    EXPECT_EQ(model::methodParameters(*entry, config), 70'871'070);
    EXPECT_EQ(weights::parameterCount(weights::tensorTable(config)), 1'418'996'800);
}

TEST(LoraKeys, AreReadInEveryStyle) {
    const std::pair<const char*, const char*> names[] = {
        {"transformer.blocks.3.attn1.to_q.lora_A.weight", "blocks.3.attn1.to_q"},
        {"base_model.model.blocks.3.attn2.to_out.0.lora_B.default.weight", "blocks.3.attn2.to_out.0"},
        {"diffusion_model.blocks.11.self_attn.q.lora_down.weight", "blocks.11.attn1.to_q"},
        {"diffusion_model.blocks.0.cross_attn.o.alpha", "blocks.0.attn2.to_out.0"},
        {"diffusion_model.blocks.0.ffn.2.lora_B.weight", "blocks.0.ffn.net.2"},
        {"diffusion_model.time_projection.1.lora_up.weight", "condition_embedder.time_proj"},
        {"head.head.lora_A.weight", "proj_out"}};
    for (const auto& [name, matrix] : names) {
        const auto key = model::loraKey(name);
        ASSERT_TRUE(key) << name;
        EXPECT_EQ(key->matrix, matrix) << name;
    }
    EXPECT_FALSE(model::loraKey("blocks.0.attn1.to_q.weight"));
    EXPECT_FALSE(model::loraKey("diffusion_model.blocks.0.self_attn.q.diff_b"));
}

}  // namespace
}  // namespace fw::golden
