// A whole clip of the embedded model at its smallest: what the generator promises besides the reference's pixels.
#include "core/pipeline/generator.h"
#include "core/pipeline/checkpoint.h"
#include "core/pipeline/model_parts.h"
#include "core/weights/safetensors.h"
#include "mini_runs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

namespace fw::pipeline {
namespace {

std::filesystem::path modelFolder() {
    return std::filesystem::path(FW_SOURCE_DIR) / "resources" / "models" / "mini";
}

job::GenerationRequest smallRequest() {
    return miniRequest(3);
}

// Everything a run gives back.
struct Outcome {
    Result<GenerationReport> report = fail(ErrorCode::Internal, "not run");
    std::vector<float> latents;
    std::vector<std::uint8_t> frames;
    std::vector<Progress> progress;
    std::vector<int> previewSteps, exactSteps;
    std::vector<std::uint8_t> lastExact;
};

class Generate : public testing::Test {
 protected:
    static void SetUpTestSuite() { s_generator = load(1).release(); }
    static void TearDownTestSuite() {
        delete s_generator;
        s_generator = nullptr;
    }
    static std::unique_ptr<Generator> load(int threads) {
        auto generator = Generator::create(modelFolder(), "cpu", "f32", threads);
        FW_CHECK(generator.has_value(), "{}", generator.error().message);
        return std::move(*generator);
    }

    static Outcome run(const job::GenerationRequest& request, GeneratorOptions options = {},
                       const CancelToken& cancel = {}, Generator& generator = *s_generator) {
        Outcome result;
        options.latentsReady = [&](const ConstTensorView& latents) -> Status {
            const auto* values = latents.as<float>();
            result.latents.assign(values, values + latents.count());
            return {};
        };
        GeneratorEvents events;
        events.progress = [&](const Progress& progress) { result.progress.push_back(progress); };
        events.preview = [&](const Preview& preview) {
            (preview.exact ? result.exactSteps : result.previewSteps).push_back(preview.step);
            if (preview.exact) {
                const auto* bytes = preview.rgb.as<std::uint8_t>();
                result.lastExact.assign(bytes, bytes + preview.rgb.count());
            }
        };
        const auto sink = [&](const ConstTensorView& chunk) -> Status {
            const auto* bytes = chunk.as<std::uint8_t>();
            result.frames.insert(result.frames.end(), bytes, bytes + chunk.count());
            return {};
        };
        result.report = generator.generate(request, options, events, sink, cancel);
        return result;
    }

    static Generator* s_generator;
};
Generator* Generate::s_generator = nullptr;

// The forecast knows what a sparse method leaves out, step by step; what does not fit never starts.
TEST_F(Generate, SparseMethodsMakeClipsAndAreForecast) {
    job::GenerationRequest request = smallRequest();
    const auto dense = makePlan(request);
    ASSERT_TRUE(dense) << dense.error().message;
    EXPECT_EQ(dense->attention.sparsity(), 0.0);
    request.method = "sliding_window";
    request.methodParameters = {{"sparsity", 0.8}, {"dense_steps", 1}};
    const auto plan = makePlan(request);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_NEAR(plan->attention.sparsity(), 0.8 * 2 / 3, 0.05) << "one of three steps is dense";
    EXPECT_LT(plan->totalFlops(), dense->totalFlops());

    trace::Trace trace;
    GeneratorOptions options;
    options.trace = &trace;
    const Outcome outcome = run(request, options);
    ASSERT_TRUE(outcome.report) << outcome.report.error().message;
    EXPECT_EQ(outcome.frames.size(), 5U * 64 * 64 * 3);
    std::int64_t pairs = 0;
    for (const trace::Row& row : trace.rows()) {
        pairs += row.module == trace::Module::AttentionCore ? row.pairs : 0;
    }
    EXPECT_EQ(pairs, plan->attention.pairs) << "the run does what the plan says";

    request.methodParameters = {{"sparsity", 0.99}};
    const Outcome refused = run(request);
    ASSERT_FALSE(refused.report);
    EXPECT_EQ(refused.report.error().code, ErrorCode::InvalidArgument);
    EXPECT_TRUE(refused.progress.empty()) << "nothing was computed";
}

TEST_F(Generate, GivesEveryFrameAndASeedGivesOneClip) {
    const Outcome first = run(smallRequest());
    ASSERT_TRUE(first.report) << first.report.error().message;
    EXPECT_EQ(first.frames.size(), 5U * 64 * 64 * 3);
    EXPECT_EQ(first.report->stepSeconds.size(), 3U);
    EXPECT_EQ(run(smallRequest()).frames, first.frames) << "the second clip of a kept model";

    job::GenerationRequest other = smallRequest();
    other.seed = 12;
    EXPECT_NE(run(other).frames, first.frames);
}

TEST_F(Generate, ThreadsChangeNoMoreThanRounding) {
    const auto two = load(2);
    const Outcome a = run(smallRequest());
    const Outcome b = run(smallRequest(), {}, {}, *two);
    ASSERT_TRUE(a.report && b.report);
    ASSERT_EQ(a.latents.size(), b.latents.size());
    double difference = 0.0;
    double size = 0.0;
    for (std::size_t i = 0; i < a.latents.size(); ++i) {
        difference += std::pow(a.latents[i] - b.latents[i], 2.0);
        size += std::pow(a.latents[i], 2.0);
    }
    EXPECT_LT(std::sqrt(difference / size), 1e-4);
}

// The arena is as large as the dry run says and running out of it ends the program: a forecast that is too small
// fails here.
TEST_F(Generate, NeedsWhatTheForecastSays) {
    const auto plan = makePlan(smallRequest());
    ASSERT_TRUE(plan) << plan.error().message;
    const Outcome made = run(smallRequest());
    ASSERT_TRUE(made.report);
    ASSERT_EQ(plan->phases.size(), made.report->plan.phases.size());
    for (std::size_t i = 0; i < plan->phases.size(); ++i) {
        EXPECT_EQ(plan->phases[i].flops, made.report->plan.phases[i].flops) << plan->phases[i].phase;
        EXPECT_EQ(plan->phases[i].scratchBytes, made.report->plan.phases[i].scratchBytes);
    }
    EXPECT_EQ(plan->weightBytes, made.report->plan.weightBytes);
    EXPECT_EQ(plan->tokens, 2 * 4 * 4);

    job::GenerationRequest guided = smallRequest();
    guided.negativePrompt = guided.prompt;  // the keys of a text are as many as its tokens
    const auto both = makePlan(guided);
    job::GenerationRequest unguided = guided;
    unguided.guidance = 1.0;
    const auto half = makePlan(unguided);
    ASSERT_TRUE(both);
    ASSERT_TRUE(half);
    EXPECT_EQ(half->forwardsPerStep, 1);
    EXPECT_NEAR(static_cast<double>(half->flopsPerForward) / static_cast<double>(both->flopsPerForward), 1.0, 1e-4)
        << "joining the branches costs next to nothing";
}

TEST_F(Generate, ProgressOnlyGrowsAndEndsAtOne) {
    const Outcome made = run(smallRequest());
    ASSERT_TRUE(made.report);
    ASSERT_FALSE(made.progress.empty());
    for (std::size_t i = 1; i < made.progress.size(); ++i) {
        EXPECT_GE(made.progress[i].fraction, made.progress[i - 1].fraction);
        EXPECT_GE(made.progress[i].phase, made.progress[i - 1].phase);
    }
    EXPECT_LE(made.progress.back().fraction, 1.0);
    EXPECT_EQ(made.progress.back().phase, Phase::Decode);
}

TEST_F(Generate, PreviewsComeAsOftenAsAskedAndChangeNothing) {
    GeneratorOptions options;
    options.preview = PreviewKind::Projection;
    options.previewEvery = 2;
    const Outcome seen = run(smallRequest(), options);
    EXPECT_EQ(seen.previewSteps, (std::vector<int>{2, 3}));
    EXPECT_EQ(seen.frames, run(smallRequest()).frames);
    options.preview = PreviewKind::Vae;
    EXPECT_EQ(run(smallRequest(), options).frames, seen.frames);
}

TEST_F(Generate, PreviewsKeepToTheirShareOfTheTime) {
    GeneratorOptions options;
    options.preview = PreviewKind::Projection;
    options.previewShare = 1e-9;  // the first one uses it up for ever
    EXPECT_EQ(run(smallRequest(), options).previewSteps, std::vector<int>{1});
    options.previewShare = 1e9;
    EXPECT_EQ(run(smallRequest(), options).previewSteps, (std::vector<int>{1, 2, 3}));
}

TEST_F(Generate, AnExactPreviewIsTheClipIfItEndedThere) {
    GeneratorOptions options;
    int asked = 0;
    options.exactPreviewWanted = [&] { return ++asked == 2; };
    const Outcome seen = run(smallRequest(), options);
    EXPECT_EQ(asked, 3);
    EXPECT_EQ(seen.exactSteps, std::vector<int>{2});
    EXPECT_TRUE(seen.previewSteps.empty());
    EXPECT_EQ(seen.frames, run(smallRequest()).frames) << "looking changes nothing";

    GeneratorOptions stop;
    CancelSource finish;
    stop.finishEarly = finish.token();
    int steps = 0;
    stop.exactPreviewWanted = [&] {
        if (++steps == 2) {
            finish.cancel();
        }
        return false;
    };
    EXPECT_EQ(run(smallRequest(), stop).frames, seen.lastExact);
}

TEST(Plan, CountsWhatTilesGatherOnTheHost) {
    job::GenerationRequest request = smallRequest();
    const auto whole = makePlan(request);
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(whole->hostBytes, 0);
    request.width = 1312;
    request.height = 784;
    const auto tiled = makePlan(request);
    ASSERT_TRUE(tiled) << tiled.error().message;
    EXPECT_GT(tiled->hostBytes, 5 * 1312 * 784 * 3) << "the clip and the overlaps of its tiles";
    EXPECT_EQ(tiled->peakBytes,
              tiled->weightBytes + tiled->stateBytes + tiled->hostBytes + tiled->phases[1].scratchBytes +
                  std::max<std::int64_t>(0, tiled->phases[2].scratchBytes - tiled->phases[1].scratchBytes));
}

TEST_F(Generate, StopsEarlyWithTheEstimate) {
    CancelSource finish;
    GeneratorOptions options;
    options.finishEarly = finish.token();
    options.preview = PreviewKind::Projection;
    finish.cancel();  // before the first step there is no estimate: one step is taken
    const Outcome made = run(smallRequest(), options);
    ASSERT_TRUE(made.report) << made.report.error().message;
    EXPECT_TRUE(made.report->finishedEarly);
    EXPECT_EQ(made.report->stepSeconds.size(), 1U);
    EXPECT_EQ(made.frames.size(), 5U * 64 * 64 * 3);
    EXPECT_NE(made.frames, run(smallRequest()).frames);
}

TEST_F(Generate, IsCancelledInEveryPhase) {
    for (const Phase phase : {Phase::Text, Phase::Denoise, Phase::Decode}) {
        CancelSource source;
        GeneratorEvents events;
        events.progress = [&](const Progress& progress) {
            if (progress.phase == phase) {
                source.cancel();
            }
        };
        const auto report = s_generator->generate(
            smallRequest(), {}, events, [](const ConstTensorView&) -> Status { return {}; }, source.token());
        ASSERT_FALSE(report) << phaseName(phase);
        EXPECT_EQ(report.error().code, ErrorCode::Cancelled) << phaseName(phase);
    }
    EXPECT_TRUE(run(smallRequest()).report) << "the generator can be used again";
}

TEST_F(Generate, RefusesNoiseThatCannotBe) {
    std::vector<float> noise(static_cast<std::size_t>(16 * 2 * 8 * 8), 0.5F);
    const auto made = [&](const Shape& shape, DType dtype = DType::F32) {
        GeneratorOptions options;
        options.initialNoise = ConstTensorView(noise.data(), dtype, shape);
        return run(smallRequest(), options);
    };
    EXPECT_TRUE(made({16, 2, 8, 8}).report);
    for (const Outcome& refused : {made({16, 2, 8, 4}), made({16, 2, 8, 8}, DType::I32)}) {
        ASSERT_FALSE(refused.report);
        EXPECT_EQ(refused.report.error().code, ErrorCode::InvalidArgument);
    }
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        noise[77] = bad;
        const Outcome refused = made({16, 2, 8, 8});
        ASSERT_FALSE(refused.report);
        EXPECT_NE(refused.report.error().message.find("finite"), std::string::npos);
    }
}

TEST_F(Generate, SaysWhatToChangeWhereNumbersBreakDown) {
    std::vector<float> noise(static_cast<std::size_t>(16 * 2 * 8 * 8), std::numeric_limits<float>::max());
    GeneratorOptions options;
    options.initialNoise = ConstTensorView(noise.data(), DType::F32, {16, 2, 8, 8});
    const Outcome broken = run(smallRequest(), options);
    ASSERT_FALSE(broken.report);
    EXPECT_EQ(broken.report.error().code, ErrorCode::InvalidArgument) << "no defect of the program";
    const std::string& message = broken.report.error().message;
    EXPECT_NE(message.find("not finite at step 1 of"), std::string::npos) << message;
    EXPECT_NE(message.find("lower adapter strengths"), std::string::npos) << message;
    EXPECT_NE(message.find("another seed"), std::string::npos) << message;
    EXPECT_EQ(message.find("precision f32"), std::string::npos) << message << ": it is f32 already";
}

// Merged weights belong to their strengths: the same model, asked for another, merges anew.
TEST_F(Generate, AnotherStrengthOfAnAdapterIsMergedAnew) {
    const std::string file = (modelFolder() / "adapters" / "salad.safetensors").string();
    const auto latentsOf = [&](Generator& generator, std::vector<job::Adapter> adapters) {
        job::GenerationRequest request = smallRequest();
        request.adapters = std::move(adapters);
        std::vector<float> latents;
        GeneratorOptions options;
        options.latentsReady = [&](const ConstTensorView& view) -> Status {
            latents.assign(view.as<float>(), view.as<float>() + view.count());
            return {};
        };
        const auto sink = [](const ConstTensorView&) -> Status { return {}; };
        const auto report = generator.generate(request, options, {}, sink, {});
        EXPECT_TRUE(report) << report.error().message;
        return latents;
    };
    const auto none = latentsOf(*s_generator, {});
    const auto whole = latentsOf(*s_generator, {{file, 1.0}});
    const auto half = latentsOf(*s_generator, {{file, 0.5}});
    const auto two = latentsOf(*s_generator, {{file, 0.5}, {file, 0.25}});
    const auto softer = latentsOf(*s_generator, {{file, 0.25}, {file, 0.25}});
    EXPECT_NE(whole, none);
    EXPECT_NE(half, whole);
    EXPECT_NE(half, none);
    EXPECT_NE(two, half);
    EXPECT_NE(softer, two) << "only the strength of one of several changed";
    EXPECT_EQ(latentsOf(*s_generator, {{file, 0.0}}), none);
    EXPECT_EQ(latentsOf(*s_generator, {}), none) << "nothing of them is left";
    auto fresh = Generator::create(modelFolder(), "cpu", "f32", 1);
    ASSERT_TRUE(fresh) << fresh.error().message;
    EXPECT_EQ(latentsOf(**fresh, {{file, 0.5}}), half) << "as by an engine that had no other before";
}

// Beside the model the same clip comes out within rounding, what it takes is forecast, and a change of strength
// keeps what is loaded.
TEST_F(Generate, LoraBesideTheModelNeedsNoReloading) {
    const std::string file = (modelFolder() / "adapters" / "salad.safetensors").string();
    const auto apart = [&](std::vector<job::Adapter> adapters) {
        job::GenerationRequest request = smallRequest();
        request.adapters = std::move(adapters);
        request.lora = job::LoraUse::Apart;
        return request;
    };
    job::GenerationRequest merged = apart({{file, 0.5}});
    merged.lora = job::LoraUse::Merged;
    const auto mergedPlan = makePlan(merged), apartPlan = makePlan(apart({{file, 0.5}}));
    ASSERT_TRUE(mergedPlan && apartPlan);
    EXPECT_GT(apartPlan->totalFlops(), mergedPlan->totalFlops());

    const Outcome first = run(merged), beside = run(apart({{file, 0.5}}));
    ASSERT_TRUE(first.report && beside.report) << beside.report.error().message;
    EXPECT_EQ(beside.report->request.lora, job::LoraUse::Apart);
    double error = 0.0, size = 0.0;
    for (std::size_t i = 0; i < first.latents.size(); ++i) {
        const double value = static_cast<double>(first.latents[i]);
        error += std::pow(static_cast<double>(beside.latents[i]) - value, 2.0);
        size += value * value;
    }
    EXPECT_LE(std::sqrt(error / size), 1e-3);
    EXPECT_EQ(run(apart({})).latents, run(smallRequest()).latents) << "without any there is no difference";
    const Outcome again = run(apart({{file, 0.5}}));
    EXPECT_EQ(again.latents, beside.latents);

    FW_CHECK(backend::createDevice("cpu").has_value(), "no processor");
    auto meta = loadParts(modelFolder(), backend::createMetaDevice(DType::F32, DeviceKind::Cpu), DType::F32, 1, {});
    ASSERT_TRUE(meta) << meta.error().message;
    auto parts = openParts(*meta, std::move(*backend::createDevice("cpu")), 1);
    ASSERT_TRUE(parts) << parts.error().message;
    const auto use = [&](const job::GenerationRequest& request) -> const model::VideoTransformer* {
        EXPECT_TRUE(useAdapters(*parts, modelFolder(), request));
        const bool kept = parts->transformer != nullptr;
        EXPECT_TRUE(bringParts(*parts, {false, true, false}, {}));
        return kept ? parts->transformer.get() : nullptr;
    };
    use(smallRequest());
    const model::VideoTransformer* loaded = use(apart({{file, 0.5}}));
    ASSERT_NE(loaded, nullptr) << "from none to some beside";
    const std::int64_t bytes = parts->transformer->weightBytes();
    EXPECT_EQ(use(apart({{file, 0.25}})), loaded) << "another strength";
    EXPECT_EQ(parts->transformer->weightBytes(), bytes);
    EXPECT_EQ(use(apart({{file, 0.25}, {file, 0.5}})), loaded) << "one more";
    EXPECT_GT(parts->transformer->weightBytes(), bytes);
    EXPECT_EQ(use(smallRequest()), loaded) << "none again";
    EXPECT_LT(parts->transformer->weightBytes(), bytes);
    EXPECT_EQ(use(merged), nullptr) << "merged: loaded again";
    EXPECT_EQ(use(apart({{file, 0.5}})), nullptr) << "and nothing of it is left";
}

// Two files of the same bytes are one adapter, and the one asked for last is read when the transformer is, which a
// small budget drops meanwhile. One that changed after it was chosen is not merged.
TEST_F(Generate, AnAdapterIsReadFromWhereItWasAskedForLast) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_two_adapters_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const std::filesystem::path first = folder / "first.safetensors", second = folder / "second.safetensors";
    for (const auto& file : {first, second}) {
        std::filesystem::copy_file(modelFolder() / "adapters" / "salad.safetensors", file);
    }
    auto meta = loadParts(modelFolder(), backend::createMetaDevice(DType::F32, DeviceKind::Cpu), DType::F32, 1, {});
    ASSERT_TRUE(meta) << meta.error().message;
    auto parts = openParts(*meta, std::move(*backend::createDevice("cpu")), 1);
    ASSERT_TRUE(parts) << parts.error().message;
    job::GenerationRequest request = smallRequest();
    for (const auto& file : {first, second}) {
        request.adapters = {{file.string(), 0.5}};
        ASSERT_TRUE(useAdapters(*parts, modelFolder(), request));
    }
    std::filesystem::remove(first);
    EXPECT_TRUE(bringParts(*parts, {false, true, false}, {}));

    parts->transformer.reset();
    std::fstream changed(second, std::ios::in | std::ios::out | std::ios::binary);
    changed.seekp(-4, std::ios::end);
    changed.write("\0\0\0\0", 4);
    changed.close();
    const Status refused = bringParts(*parts, {false, true, false}, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("changed"), std::string::npos) << refused.error().message;
    std::filesystem::remove_all(folder);
}

// Copying such a value once parsed would need a stack as deep as it is.
TEST_F(Generate, ACheckpointNestedWithoutEndIsRefused) {
    const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "fw_deep_checkpoint";
    const std::string brackets = std::string(1'000'000, '[') + std::string(1'000'000, ']');
    const float value = 0.0F;
    ASSERT_TRUE(weights::writeSafetensors(
        file, {{"sample", {&value, DType::F32, {1}}}},
        {{"format", "framewright checkpoint 1"}, {"request", fmt::format(R"({{"prompt": {}}})", brackets)}}));
    const auto request = checkpointRequest(file);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(request.error().message.find("nested"), std::string::npos) << request.error().message;
    std::filesystem::remove(file);
}

// Whoever resumes begins anew on InvalidArgument; any other error would come back at every try.
TEST_F(Generate, ADamagedCheckpointIsAWrongArgument) {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "fw_damaged_checkpoint";
    std::filesystem::create_directories(folder);
    GeneratorOptions saving;
    saving.checkpointFile = folder / "whole";
    ASSERT_TRUE(run(smallRequest(), saving).report);
    const auto whole = weights::SafetensorsFile::open(folder / "whole").value();
    const ConstTensorView sample = whole->tensor("sample").value();
    std::vector<float> spoilt(sample.as<float>(), sample.as<float>() + sample.count());
    spoilt[3] = std::numeric_limits<float>::quiet_NaN();
    const auto rewrite = [&](const char* name,
                             const std::function<void(std::map<std::string, ConstTensorView>&)>& change) {
        auto tensors = whole->tensors();
        change(tensors);
        ASSERT_TRUE(weights::writeSafetensors(folder / name, {tensors.begin(), tensors.end()}, whole->metadata()));
    };
    rewrite("same", [](auto&) {});
    rewrite("not_a_number", [&](auto& tensors) {
        tensors["sample"] = {spoilt.data(), DType::F32, sample.shape()};
    });
    rewrite("no_estimate", [](auto& tensors) { tensors.erase("estimate"); });
    rewrite("other_shape", [&](auto& tensors) { tensors["sample"] = {spoilt.data(), DType::F32, {1}}; });
    rewrite("other_type", [&](auto& tensors) { tensors["sample"] = {spoilt.data(), DType::I32, sample.shape()}; });
    std::filesystem::copy_file(folder / "whole", folder / "cut");
    std::filesystem::resize_file(folder / "cut", std::filesystem::file_size(folder / "whole") / 2);
    std::filesystem::copy_file(folder / "whole", folder / "empty");
    std::filesystem::resize_file(folder / "empty", 0);
    for (const char* name :
         {"not_a_number", "no_estimate", "other_shape", "other_type", "cut", "empty", "missing"}) {
        GeneratorOptions resuming;
        resuming.resumeFrom = folder / name;
        const Outcome refused = run(smallRequest(), resuming);
        ASSERT_FALSE(refused.report) << name;
        EXPECT_EQ(refused.report.error().code, ErrorCode::InvalidArgument) << name;
        const std::string& message = refused.report.error().message;
        EXPECT_NE(message.find((folder / name).string()), std::string::npos) << message;
    }
    GeneratorOptions resuming;
    resuming.resumeFrom = folder / "same";
    const Outcome resumed = run(smallRequest(), resuming);
    ASSERT_TRUE(resumed.report) << resumed.report.error().message;
    EXPECT_EQ(resumed.report->resumedSteps, 3);
    std::filesystem::remove_all(folder);
}

// A disk that takes no checkpoint, here a folder that stands in its place, costs no step.
TEST_F(Generate, CheckpointsThatCannotBeWrittenAreNotedAndCostNothing) {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "fw_no_checkpoint";
    std::filesystem::create_directories(folder / "checkpoint");
    GeneratorOptions options;
    options.checkpointFile = folder / "checkpoint";
    int saved = 0;
    options.checkpointSaved = [&](int) { ++saved; };
    options.stepFolder = folder / "none";
    const Outcome refused = run(smallRequest(), options);
    ASSERT_TRUE(refused.report) << refused.report.error().message;
    EXPECT_EQ(refused.latents, run(smallRequest()).latents);
    EXPECT_EQ(saved, 0) << "nobody is told of a checkpoint there is not";
    ASSERT_EQ(refused.report->notes.size(), 2U);
    for (const auto& [note, part] :
         {std::pair(refused.report->notes[0], "Checkpoints"), std::pair(refused.report->notes[1], "Kept steps")}) {
        EXPECT_TRUE(
            note.starts_with(fmt::format("{} that could not be written: 3, the first after step 1 (", part)))
            << note;
        EXPECT_NE(note.find(folder.string()), std::string::npos) << note;
    }
    options.stepFolder = folder;
    options.checkpointFile = folder / "file";
    const Outcome written = run(smallRequest(), options);
    ASSERT_TRUE(written.report) << written.report.error().message;
    EXPECT_TRUE(written.report->notes.empty());
    EXPECT_EQ(saved, 3);
    std::filesystem::remove_all(folder);
}

TEST_F(Generate, AStoppingSinkEndsTheClip) {
    const auto report = s_generator->generate(
        smallRequest(), {}, {},
        [](const ConstTensorView&) -> Status { return fail(ErrorCode::Io, "the disk is full"); }, {});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::Io);
}

}  // namespace
}  // namespace fw::pipeline
