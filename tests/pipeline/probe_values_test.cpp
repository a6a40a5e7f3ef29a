// Gates, words, times and what is left of a failed run, against double precision and against the run itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "core/backend/arena.h"
#include "core/pipeline/generator.h"
#include "core/pipeline/probe_recorder.h"
#include "mini_runs.h"

namespace fw::pipeline {
namespace {

using testing::HasSubstr;
using trace::ProbeKind;

constexpr std::int64_t kTokens = 2 * 3 * 5, kProbedHeads = 3, kProbedWidth = 16, kText = 11;

class ProbeValues : public testing::Test {
 protected:
    void SetUp() override {
        m_device = std::move(*backend::createDevice("cpu"));
        m_ops = std::move(*m_device->createOps({.threads = 2}));
        m_arena = std::move(*backend::Arena::create(*m_device, 1 << 20));
        m_method = std::move(*method::createAttentionMethod("dense", Json::object()));
        m_context = std::make_unique<method::RunContext>(
            method::RunContext{.ops = *m_ops, .arena = *m_arena, .selfAttention = *m_method, .cancel = {}});
        m_context->step = 0;
    }

    std::unique_ptr<ProbeRecorder> recorder(job::Probe kind, std::vector<trace::PromptWord> words = {}) {
        ProbeSetup setup;
        setup.selection.kinds = {kind};
        setup.info.grid = {2, 3, 5};
        setup.info.heads = kProbedHeads;
        setup.info.layers = 1;
        setup.info.words = std::move(words);
        setup.info.steps = {0};
        setup.info.probedLayers = {0};
        setup.steps = 1;
        setup.readsRows = true;
        auto made = ProbeRecorder::create(*m_device, *m_ops, std::move(setup));
        FW_CHECK(made.has_value(), "{}", made.error().message);
        return std::move(*made);
    }

    static std::vector<float> random(std::int64_t count, unsigned seed) {
        std::mt19937 generator(seed);
        std::normal_distribution<float> normal(0.0F, 1.5F);
        std::vector<float> values(static_cast<std::size_t>(count));
        std::generate(values.begin(), values.end(), [&] { return normal(generator); });
        return values;
    }

    std::unique_ptr<backend::Device> m_device;
    std::unique_ptr<backend::Ops> m_ops;
    std::unique_ptr<backend::Arena> m_arena;
    std::unique_ptr<method::AttentionMethod> m_method;
    std::unique_ptr<method::RunContext> m_context;
};

double sigmoid(double x) {
    return 1.0 / (1.0 + std::exp(-x));
}

TEST_F(ProbeValues, GatesAndTheLinearShareAreTheirDefinitions) {
    constexpr float kLambda = 0.75F;
    const std::int64_t channels = kProbedHeads * kProbedWidth;
    const std::vector<float> branch = random(kTokens * channels, 1), logits = random(kTokens, 2);
    std::vector<float> sparse = random(kTokens * channels, 3);
    method::SelfAttentionCall call;
    call.out = TensorView(sparse.data(), DType::F32, {1, kTokens, kProbedHeads, kProbedWidth});
    for (const auto mode : {backend::GateMode::Token, backend::GateMode::Sample, backend::GateMode::None}) {
        const auto probes = recorder(job::Probe::Gate);
        backend::BranchOptions options{.scale = kLambda, .gate = mode, .logits = {}};
        options.logits = ConstTensorView(logits.data(), DType::F32, {1, kTokens, 1});
        ASSERT_TRUE(probes->branchReady(
            *m_context, call, ConstTensorView(branch.data(), DType::F32, {1, kTokens, channels}), options));
        const trace::ProbeData data = probes->take();
        const std::vector<float> gates = data.find(ProbeKind::Gate)->values(0);
        const std::vector<float> share = data.find(ProbeKind::LinearShare)->values(0);
        ASSERT_EQ(gates.size(), static_cast<std::size_t>(kTokens));
        double meanLogit = 0.0, sparseSquares = 0.0, addedSquares = 0.0, meanGate = 0.0;
        for (const float logit : logits) {
            meanLogit += double{logit} / static_cast<double>(kTokens);
        }
        for (std::int64_t token = 0; token < kTokens; ++token) {
            const auto at = static_cast<std::size_t>(token);
            const double gate = mode == backend::GateMode::None    ? 1.0
                                : mode == backend::GateMode::Token ? sigmoid(double{logits[at]})
                                                                   : sigmoid(meanLogit);
            EXPECT_NEAR(double{gates[at]}, gate, 5e-4) << "token " << token;  // f16
            meanGate += gate * double{kLambda} / static_cast<double>(kTokens);
            for (std::int64_t c = 0; c < channels; ++c) {
                const auto i = static_cast<std::size_t>(token * channels + c);
                sparseSquares += double{sparse[i]} * double{sparse[i]};
                addedSquares += std::pow(gate * double{kLambda} * double{branch[i]}, 2.0);
            }
        }
        const auto rms = [&](double squares) {
            return std::sqrt(squares / static_cast<double>(kTokens * channels));
        };
        EXPECT_NEAR(double{share[0]}, rms(sparseSquares), 1e-5);
        EXPECT_NEAR(double{share[1]}, rms(addedSquares), 1e-5);
        EXPECT_NEAR(double{share[2]}, meanGate, 1e-5);
    }
}

// What one layer's gate came to is on its way while the next layer's is looked at.
TEST_F(ProbeValues, GatesOfLayersOneBehindTheOther) {
    const std::int64_t channels = kProbedHeads * kProbedWidth;
    ProbeSetup setup;
    setup.selection.kinds = {job::Probe::Gate, job::Probe::Stats};
    setup.info.grid = {2, 3, 5};
    setup.info.heads = kProbedHeads;
    setup.info.layers = 3;
    setup.info.steps = {0};
    setup.info.probedLayers = {0, 1, 2};
    setup.steps = 1;
    setup.readsRows = true;
    const auto probes = std::move(*ProbeRecorder::create(*m_device, *m_ops, std::move(setup)));
    const std::vector<float> branch = random(kTokens * channels, 21), q = random(kTokens * channels, 22);
    std::vector<std::vector<float>> logits;
    std::vector<float> out = random(kTokens * channels, 23);
    for (int layer = 0; layer < 3; ++layer) {
        logits.push_back(random(kTokens, 30 + static_cast<unsigned>(layer)));
        method::SelfAttentionCall call;
        call.layer = layer;
        call.scale = 0.25F;
        call.q = call.k = ConstTensorView(q.data(), DType::F32, {1, kTokens, kProbedHeads, kProbedWidth});
        call.out = TensorView(out.data(), DType::F32, {1, kTokens, kProbedHeads, kProbedWidth});
        const ConstTensorView own(logits.back().data(), DType::F32, {1, kTokens, 1});
        ASSERT_TRUE(probes->branchReady(*m_context, call,
                                        ConstTensorView(branch.data(), DType::F32, {1, kTokens, channels}),
                                        {.scale = 1.0F, .gate = backend::GateMode::Token, .logits = own}));
        ASSERT_TRUE(probes->attentionDone(*m_context, call));
    }
    const trace::ProbeData data = probes->take();
    const trace::ProbeTable& gates = *data.find(ProbeKind::Gate);
    ASSERT_EQ(gates.size(), 3);
    EXPECT_EQ(data.find(ProbeKind::LinearShare)->size(), 3);
    EXPECT_EQ(data.find(ProbeKind::HeadStats)->size(), 3 * kProbedHeads);
    for (int layer = 0; layer < 3; ++layer) {
        const std::vector<float> values = gates.values(gates.find({0, 0, layer, -1}));
        for (std::size_t token = 0; token < values.size(); ++token) {
            EXPECT_NEAR(double{values[token]}, sigmoid(double{logits[static_cast<std::size_t>(layer)][token]}),
                        5e-4);
        }
    }
}

// The share is what the operation itself adds.
TEST_F(ProbeValues, TheLinearShareIsWhatIsAdded) {
    const std::int64_t channels = kProbedHeads * kProbedWidth;
    const std::vector<float> branch = random(kTokens * channels, 4), logits = random(kTokens, 5);
    std::vector<float> out = random(kTokens * channels, 6);
    const std::vector<float> before = out;
    method::SelfAttentionCall call;
    call.out = TensorView(out.data(), DType::F32, {1, kTokens, kProbedHeads, kProbedWidth});
    const backend::BranchOptions options{.scale = 0.5F,
                                         .gate = backend::GateMode::Token,
                                         .logits = ConstTensorView(logits.data(), DType::F32, {1, kTokens, 1})};
    const ConstTensorView view(branch.data(), DType::F32, {1, kTokens, channels});
    const auto probes = recorder(job::Probe::Gate);
    ASSERT_TRUE(probes->branchReady(*m_context, call, view, options));
    m_ops->addBranch(TensorView(out.data(), DType::F32, {1, kTokens, channels}), view, options);
    ASSERT_TRUE(m_ops->synchronize());
    double squares = 0.0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        squares += std::pow(double{out[i]} - double{before[i]}, 2.0);
    }
    const std::vector<float> share = probes->take().find(ProbeKind::LinearShare)->values(0);
    EXPECT_NEAR(double{share[1]}, std::sqrt(squares / static_cast<double>(out.size())), 1e-5);
}

TEST_F(ProbeValues, WordHeatIsTheMassOfTheWordsTokens) {
    const std::vector<float> q = random(kTokens * kProbedHeads * kProbedWidth, 7),
                             k = random(kText * kProbedHeads * kProbedWidth, 8);
    const std::vector<trace::PromptWord> words{{"a", 0, 1}, {"long", 1, 3}, {"fox", 6, 2}};
    constexpr std::int64_t kFirstToken = 1;  // behind the padding's key
    constexpr float kPadding = 30.0F;
    const auto probes = recorder(job::Probe::Words, words);
    constexpr float kProbedScale = 0.25F;
    ASSERT_TRUE(probes->crossAttention(
        *m_context, 0,
        {.q = ConstTensorView(q.data(), DType::F32, {1, kTokens, kProbedHeads, kProbedWidth}),
         .k = ConstTensorView(k.data(), DType::F32, {1, kText, kProbedHeads, kProbedWidth}),
         .options = {.scale = kProbedScale, .firstKeyWeight = kPadding},
         .firstToken = kFirstToken}));
    const trace::ProbeData data = probes->take();
    const std::vector<float> heat = data.find(ProbeKind::WordHeat)->values(0);
    ASSERT_EQ(heat.size(), words.size() * static_cast<std::size_t>(kTokens));
    for (std::int64_t token = 0; token < kTokens; ++token) {
        std::array<double, 3> expected{};
        for (std::int64_t head = 0; head < kProbedHeads; ++head) {
            std::array<double, kText> row{};
            double sum = 0.0;
            for (std::int64_t key = 0; key < kText; ++key) {
                double dot = 0.0;
                for (std::int64_t d = 0; d < kProbedWidth; ++d) {
                    dot += double{q[static_cast<std::size_t>((token * kProbedHeads + head) * kProbedWidth + d)]} *
                           double{k[static_cast<std::size_t>((key * kProbedHeads + head) * kProbedWidth + d)]};
                }
                row[static_cast<std::size_t>(key)] =
                    (key == 0 ? double{kPadding} : 1.0) * std::exp(double{kProbedScale} * dot);
                sum += row[static_cast<std::size_t>(key)];
            }
            for (std::size_t word = 0; word < words.size(); ++word) {
                for (std::int32_t i = 0; i < words[word].count; ++i) {
                    expected[word] += row[static_cast<std::size_t>(words[word].first + kFirstToken + i)] / sum /
                                      static_cast<double>(kProbedHeads);
                }
            }
        }
        for (std::size_t word = 0; word < words.size(); ++word) {
            EXPECT_NEAR(double{heat[word * static_cast<std::size_t>(kTokens) + static_cast<std::size_t>(token)]},
                        expected[word], 5e-4)
                << words[word].text << " at token " << token;
        }
    }
}

// --- whole runs of the embedded model

job::GenerationRequest clipRequest() {
    job::GenerationRequest request = miniRequest(2);
    request.width = 128;
    request.height = 128;
    request.frames = 9;
    request.probes = Json{{"kinds", "default"}, {"steps", "all"}};
    return request;
}

const model::FrameSink kNoFrames = [](const ConstTensorView&) -> Status { return {}; };

// From the first row of a step to the first of the next. A machine that is busy elsewhere stretches some gaps,
// never all of them: one step of a few runs suffices.
TEST(ProbedClip, TimesOfModulesAddUpToTheStep) {
    auto generator = Generator::create(clipRequest().model, "cpu", "f32", 1);
    ASSERT_TRUE(generator);
    double best = 1.0;
    for (int attempt = 0; attempt < 8 && best > 0.05; ++attempt) {
        trace::Trace trace;
        GeneratorOptions options;
        options.trace = &trace;
        ASSERT_TRUE((*generator)->generate(clipRequest(), options, {}, kNoFrames, {}));
        std::array<std::int64_t, 2> sum{}, begin{}, end{};
        begin.fill(std::numeric_limits<std::int64_t>::max());
        for (const trace::Row& row : trace.rows()) {
            if (row.step < 0 || row.module == trace::Module::AttentionCore) {
                continue;  // lies inside self_attention
            }
            const auto step = static_cast<std::size_t>(row.step);
            sum[step] += row.durationUs;
            begin[step] = std::min(begin[step], row.startUs);
            end[step] = std::max(end[step], row.startUs + row.durationUs);
        }
        for (std::size_t step = 0; step < 2; ++step) {
            const auto whole = static_cast<double>(end[step] - begin[step]);
            EXPECT_LE(static_cast<double>(sum[step]), 1.001 * whole) << "no time is counted twice";
            best = std::min(best, 1.0 - static_cast<double>(sum[step]) / whole);
        }
    }
    EXPECT_LE(best, 0.05) << "more than 5 % of a step belong to no module";
}

// Its trace says where.
TEST(ProbedClip, AFailedRunLeavesWhatWasSeen) {
    auto generator = Generator::create(clipRequest().model, "cpu", "f32", 1);
    ASSERT_TRUE(generator);
    job::GenerationRequest request = clipRequest();
    request.width = request.height = 64;
    request.frames = 5;
    request.steps = 4;
    trace::Trace trace;
    GeneratorOptions options;
    options.trace = &trace;
    // Finite, but not any more once channels are added up.
    std::vector<float> noise(16 * 2 * 8 * 8, 0.0F);
    for (std::size_t i = 0; i < noise.size(); i += 5) {
        noise[i] = std::numeric_limits<float>::max();
    }
    options.initialNoise = ConstTensorView(noise.data(), DType::F32, {16, 2, 8, 8});
    const auto report = (*generator)->generate(request, options, {}, kNoFrames, {});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::InvalidArgument) << "of the settings, not of the program";
    EXPECT_THAT(report.error().message, HasSubstr("not finite at step 1 of 4"));
    EXPECT_THAT(report.error().message, HasSubstr("self_attention in layer 1 of"));
    EXPECT_THAT(report.error().message, HasSubstr("another seed"));
    EXPECT_FALSE(trace.rows().empty());
    ASSERT_TRUE(trace.probes.isPresent());
    const trace::ProbeTable* maps = trace.probes.find(ProbeKind::AttentionMap);
    ASSERT_NE(maps, nullptr) << "the attention of the layer that failed was read before its output was";
    const trace::ProbeSite& last = maps->site(maps->size() - 1);
    EXPECT_EQ(std::pair(last.step, last.layer), std::pair(0, 7)) << "the pass that failed was read to its end";
    const bool all = std::all_of(trace.rows().begin(), trace.rows().end(),
                                 [](const trace::Row& row) { return row.step < 0 || row.branch == 0; });
    EXPECT_TRUE(all) << "the negative prompt's pass of the step that failed never began";
}

// The second look ends in an error whatever it finds, and in none where nothing is wrong.
TEST_F(ProbeValues, TheSentinelLooksAgainOnlyWhereSomethingIsWrong) {
    const auto probes = recorder(job::Probe::Finite);
    std::vector<float> values(24, 1.0F);
    const ConstTensorView velocity(values.data(), DType::F32, {2, 3, 2, 2});
    const ConstTensorView output(values.data(), DType::F32, {1, 4, 6});
    EXPECT_TRUE(*probes->passDone(*m_context, velocity));
    EXPECT_TRUE(probes->moduleDone(*m_context, trace::Module::FeedForward, 0, output));
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
        const auto fresh = recorder(job::Probe::Finite);
        values[23] = bad;
        m_context->branch = 1;
        EXPECT_FALSE(*fresh->passDone(*m_context, velocity));
        const Status found = fresh->moduleDone(*m_context, trace::Module::FeedForward, 0, output);
        ASSERT_FALSE(found);
        EXPECT_THAT(found.error().message, HasSubstr("the output of feed_forward in layer 1 of"));
        EXPECT_THAT(found.error().message, HasSubstr("step 1 of 1 (negative prompt's pass)"));
        const auto nothing = fresh->passDone(*m_context, velocity);
        ASSERT_FALSE(nothing);
        EXPECT_THAT(nothing.error().message, HasSubstr("step cache"));
        m_context->branch = 0;
    }
    // Without the probe nobody looks.
    EXPECT_TRUE(*recorder(job::Probe::Gate)->passDone(*m_context, velocity));
}

}  // namespace
}  // namespace fw::pipeline
