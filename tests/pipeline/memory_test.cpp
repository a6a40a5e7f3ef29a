// The memory a run may use: what is chosen, that it is kept to, and what happens when it runs out all the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>

#include "core/backend/weight_stream.h"
#include "core/model/weight_loader.h"
#include "core/pipeline/generator.h"
#include "core/pipeline/memory_choice.h"
#include "core/pipeline/planner.h"
#include "core/pipeline/prompt_cache.h"

namespace fw::pipeline {
namespace {

using ::testing::HasSubstr;

std::filesystem::path modelFolder() {
    return std::filesystem::path(FW_SOURCE_DIR) / "resources" / "models" / "mini";
}

job::GenerationRequest smallRequest() {
    job::GenerationRequest request;
    request.model = modelFolder().string();
    request.prompt = "a red fox walks in the snow";
    request.width = 64;
    request.height = 64;
    request.frames = 9;
    request.steps = 2;
    request.guidance = 2.0;
    request.seed = 11;
    request.device = "cpu";
    request.dtype = "f32";
    return request;
}

// What the tests say of the device, and what they learn of it.
struct Control {
    std::optional<std::int64_t> free;                // what the device says is free; none: what is
    std::optional<std::int64_t> most;                // a larger allocation is refused
    int refusals = std::numeric_limits<int>::max();  // so many times
    int refused = 0;
    DeviceKind kind = DeviceKind::Cpu;  // says it is
    std::int64_t copies = 0;            // of blocks to the device, by streams that are gone
};

// Leaves every matrix where it is, but lets none be used before its block is on the device, or after: their sizes
// are wrong then, which ends the program.
class CountedStream final : public backend::WeightStream {
 public:
    explicit CountedStream(std::shared_ptr<Control> control) : m_control(std::move(control)) {}
    ~CountedStream() override { m_control->copies += copies(); }

 private:
    struct Matrix {
        backend::PackedLinear* packed;
        std::int64_t in;
    };
    Result<std::int64_t> takeOut(backend::PackedLinear& matrix, int group, std::int64_t) override {
        m_groups.resize(static_cast<std::size_t>(group) + 1);
        m_groups.back().push_back({&matrix, matrix.inFeatures});
        matrix.inFeatures = -1;
        return matrix.bytes;
    }
    Status makePlaces(std::int64_t) override { return {}; }
    void fetch(int group, int place) override { m_places.at(static_cast<std::size_t>(place)) = group; }
    void await(int place) override { show(place, true); }
    void leave(int place) override { show(place, false); }
    void show(int place, bool there) {
        for (const Matrix& matrix :
             m_groups.at(static_cast<std::size_t>(m_places.at(static_cast<std::size_t>(place))))) {
            matrix.packed->inFeatures = there ? matrix.in : -1;
        }
    }

    std::shared_ptr<Control> m_control;
    std::vector<std::vector<Matrix>> m_groups;
    std::array<int, kPlaces> m_places{};
};

// The CPU with a limit.
class TightDevice final : public backend::Device, public backend::StreamsWeights {
 public:
    explicit TightDevice(std::shared_ptr<Control> control)
        : m_control(std::move(control)), m_cpu(*backend::createDevice("cpu")) {}
    [[nodiscard]] backend::DeviceInfo info() const override {
        backend::DeviceInfo info = m_cpu->info();
        info.id = "tight";
        info.kind = m_control->kind;
        info.freeBytes = m_control->free.value_or(info.freeBytes);
        return info;
    }
    [[nodiscard]] Result<std::unique_ptr<backend::Buffer>> allocate(std::int64_t bytes) override {
        if (m_control->most && bytes > *m_control->most && m_control->refused < m_control->refusals) {
            ++m_control->refused;
            return fail(ErrorCode::OutOfMemory, "{} bytes of memory are needed at once, {} are free", bytes,
                        *m_control->most);
        }
        return m_cpu->allocate(bytes);
    }
    [[nodiscard]] Result<std::unique_ptr<backend::Ops>> createOps(const backend::OpsOptions& options) override {
        return m_cpu->createOps(options);
    }
    [[nodiscard]] Result<std::unique_ptr<backend::WeightStream>> createWeightStream(backend::Ops&) override {
        return std::make_unique<CountedStream>(m_control);
    }

 private:
    std::shared_ptr<Control> m_control;
    std::unique_ptr<backend::Device> m_cpu;
};

struct Outcome {
    Result<GenerationReport> report = fail(ErrorCode::Internal, "not run");
    std::vector<std::uint8_t> frames;
    std::int64_t mostHeld = 0;
};

class Memory : public testing::Test {
 protected:
    std::unique_ptr<Generator> load() {
        auto made = Generator::create(modelFolder(), std::make_unique<TightDevice>(m_control), "f32", 1);
        FW_CHECK(made.has_value(), "{}", made.error().message);
        return std::move(*made);
    }
    static Outcome run(Generator& generator, const job::GenerationRequest& request,
                       const std::function<void(const Progress&)>& watch = {}, GeneratorOptions options = {}) {
        Outcome outcome;
        GeneratorEvents events;
        events.progress = [&](const Progress& progress) {
            outcome.mostHeld = std::max(outcome.mostHeld, generator.heldBytes());
            if (watch) {
                watch(progress);
            }
        };
        const auto sink = [&](const ConstTensorView& chunk) -> Status {
            const auto* bytes = chunk.as<std::uint8_t>();
            outcome.frames.insert(outcome.frames.end(), bytes, bytes + chunk.count());
            return {};
        };
        outcome.report = generator.generate(request, options, events, sink, {});
        return outcome;
    }
    static job::Plan planOf(const job::GenerationRequest& request) {
        auto plan = makePlan(request);
        FW_CHECK(plan.has_value(), "{}", plan.error().message);
        return *plan;
    }

    std::shared_ptr<Control> m_control = std::make_shared<Control>();
};

constexpr std::int64_t kMebi = std::int64_t{1} << 20;

// text 500, transformer 300, auto-encoder 50; scratch 10, 40, 90; state 20.
job::Plan examplePlan() {
    job::Plan plan;
    plan.stateBytes = 20;
    for (const auto& [name, scratch] : {std::pair{"text", 10}, std::pair{"denoise", 40}, std::pair{"decode", 90}}) {
        job::PhaseCost phase;
        phase.phase = name;
        phase.scratchBytes = scratch;
        plan.phases.push_back(phase);
    }
    return plan;
}

job::Plan choose(std::int64_t bytes, bool onHost = true, bool look = false) {
    job::Plan plan = examplePlan();
    MemoryLimit limit;
    limit.bytes = bytes;
    limit.onHost = onHost;
    chooseMemory({500, 300, 50}, limit, look, plan);
    return plan;
}

TEST(MemoryChoice, EverythingStaysWhereItFits) {
    const job::Plan plan = choose(960);
    for (const job::PhaseCost& phase : plan.phases) {
        EXPECT_EQ(phase.parts, (job::ModelPartSet{true, true, true})) << phase.phase;
        EXPECT_EQ(phase.memoryBytes, 960) << phase.phase;
    }
    EXPECT_TRUE(plan.memory.oneArena);
    EXPECT_EQ(plan.peakBytes, 960);
    EXPECT_EQ(plan.memory.shortage, "");
}

TEST(MemoryChoice, WorkingMemoryGoesFirstThenWhatAPhaseDoesNotNeed) {
    job::Plan plan = choose(959);
    EXPECT_FALSE(plan.memory.oneArena);
    EXPECT_EQ(plan.phases[0].parts, (job::ModelPartSet{true, true, true}));
    EXPECT_EQ(plan.phases[2].parts, (job::ModelPartSet{false, true, true})) << "960 with all of them";
    plan = choose(530);
    EXPECT_EQ(plan.phases[0].parts, (job::ModelPartSet{true, false, false}));
    EXPECT_EQ(plan.phases[1].parts, (job::ModelPartSet{false, true, true}));
    EXPECT_EQ(plan.phases[2].parts, (job::ModelPartSet{false, true, true}));
    EXPECT_EQ(plan.peakBytes, 530);
    EXPECT_EQ(plan.memory.shortage, "");
    EXPECT_THAT(choose(529).memory.shortage, HasSubstr("encoding the prompt"));
}

TEST(MemoryChoice, TheTextEncoderLeavesADeviceOfItsOwn) {
    const job::Plan plan = choose(100'000, false);
    EXPECT_EQ(plan.phases[0].parts, (job::ModelPartSet{true, true, true}));
    EXPECT_EQ(plan.phases[1].parts, (job::ModelPartSet{false, true, true}));
    EXPECT_EQ(plan.phases[2].parts, (job::ModelPartSet{false, true, true}));
}

// Numbers gathered for the trace wait on the host; what is compared with waits on the device.
TEST(MemoryChoice, ProbesKeepSomeMemoryOfADeviceOfItsOwn) {
    const auto denoising = [](bool onHost) {
        job::Plan plan = examplePlan();
        plan.probes.bytes = 7;
        plan.probes.memoryBytes = 7 + 30;
        MemoryLimit limit;
        limit.onHost = onHost;
        chooseMemory({5, 300, 50}, limit, false, plan);
        return plan.phases[1].memoryBytes;
    };
    EXPECT_EQ(denoising(false), 300 + 50 + 20 + 90 + 30);
    EXPECT_EQ(denoising(true), 5 + 300 + 50 + 20 + 90 + 37);
}

TEST(MemoryChoice, PreviewsKeepTheAutoEncoder) {
    const auto denoising = [](std::int64_t bytes, bool look) {
        job::Plan plan = examplePlan();
        MemoryLimit limit;
        limit.bytes = bytes;
        chooseMemory({5, 300, 50}, limit, look, plan);
        return plan;
    };
    EXPECT_EQ(denoising(410, true).memory.shortage, "");
    EXPECT_TRUE(denoising(410, true).phases[1].parts.autoEncoder);
    EXPECT_THAT(denoising(409, true).memory.shortage, HasSubstr("denoising"));
    EXPECT_EQ(denoising(409, false).memory.shortage, "");
    EXPECT_FALSE(denoising(409, false).phases[1].parts.autoEncoder);
}

TEST_F(Memory, ABudgetIsKeptTo) {
    const job::Plan whole = planOf(smallRequest());
    EXPECT_EQ(whole.memory.shortage, "");
    EXPECT_TRUE(whole.memory.oneArena);
    const auto generator = load();
    const Outcome free = run(*generator, smallRequest());
    ASSERT_TRUE(free.report) << free.report.error().message;
    EXPECT_EQ(free.report->plan.phases[1].parts, (job::ModelPartSet{true, true, true}));

    // As small as it gets: the largest phase with what it cannot do without.
    job::GenerationRequest request = smallRequest();
    request.memoryBudget = 1;
    const auto refused = run(*generator, request);
    ASSERT_FALSE(refused.report);
    EXPECT_EQ(refused.report.error().code, ErrorCode::OutOfMemory);
    EXPECT_THAT(refused.report.error().message, HasSubstr("budget is 0.0 MiB"));
    EXPECT_THAT(refused.report.error().message, HasSubstr("encoding the prompt"));
    EXPECT_TRUE(refused.frames.empty());

    request.memoryBudget = planOf(request).peakBytes;
    ASSERT_LT(*request.memoryBudget, whole.peakBytes);
    const job::Plan least = planOf(request);
    EXPECT_EQ(least.memory.shortage, "");
    EXPECT_LE(least.peakBytes, *request.memoryBudget);
    const Outcome tight = run(*generator, request);
    ASSERT_TRUE(tight.report) << tight.report.error().message;
    EXPECT_LE(tight.mostHeld + least.stateBytes, *request.memoryBudget);
    EXPECT_LT(tight.mostHeld, free.mostHeld);
    EXPECT_NE(tight.report->plan.phases[1].parts, free.report->plan.phases[1].parts);
    request.memoryBudget = *request.memoryBudget - 1;
    EXPECT_NE(planOf(request).memory.shortage, "");
}

// The text is encoded, and the clip decoded, beside the weights of the attention method.
TEST_F(Memory, TheMethodsWeightsCountInEveryPhase) {
    job::GenerationRequest request = smallRequest();
    request.memoryBudget = 1;  // so that no phase keeps what it can do without
    const job::Plan dense = planOf(request);
    request.method = "salad";
    const job::Plan salad = planOf(request);
    const std::int64_t weights = salad.weightBytes - dense.weightBytes;
    ASSERT_GT(weights, 0);
    for (const std::size_t phase : {0U, 2U}) {
        ASSERT_FALSE(salad.phases[phase].parts.transformer);
        EXPECT_GE(salad.phases[phase].memoryBytes, dense.phases[phase].memoryBytes + weights);
    }
}

// A plan for a GPU says the same whether the GPU is in this machine or not.
TEST_F(Memory, ABudgetOfAGpuLeavesRoomForItsLibraries) {
    job::GenerationRequest request = smallRequest();
    request.memoryBudget = 512 * kMebi;
    EXPECT_EQ(planOf(request).memory.limitBytes, 512 * kMebi);
    request.device = "cuda:7";
    EXPECT_EQ(planOf(request).memory.limitBytes, (512 - 256) * kMebi);
}

// Parts that come and go, and working memory of its own for each phase, change nothing.
TEST_F(Memory, ABudgetThatLeavesTheDecoderAloneChangesNoPixel) {
    const auto generator = load();
    const Outcome free = run(*generator, smallRequest());
    ASSERT_TRUE(free.report);
    job::GenerationRequest request = smallRequest();
    request.memoryBudget = free.report->plan.peakBytes * 3 / 4;
    for (int again = 0; again < 2; ++again) {
        const Outcome tight = run(*generator, request);
        ASSERT_TRUE(tight.report) << tight.report.error().message;
        EXPECT_FALSE(tight.report->plan.memory.oneArena);
        EXPECT_EQ(tight.report->plan.memory.tile, 0);
        EXPECT_EQ(tight.frames, free.frames);
    }
}

TEST_F(Memory, WhatTheDeviceHasFreeCountsAsABudgetDoes) {
    m_control->free = 700 * kMebi;
    const auto generator = load();
    job::GenerationRequest request = smallRequest();
    ASSERT_TRUE(run(*generator, request).report);
    m_control->free = 0;  // another program took the rest; this one keeps what it has
    EXPECT_TRUE(run(*generator, request).report);
    request.width = request.height = 1024;
    const Outcome larger = run(*generator, request);
    ASSERT_FALSE(larger.report);
    EXPECT_THAT(larger.report.error().message, HasSubstr("tight has"));
    EXPECT_THAT(larger.report.error().message, HasSubstr("free"));
}

// The decoder's usual pieces do not fit, smaller ones do.
TEST_F(Memory, TheDecoderTakesSmallerPiecesWhereItMust) {
    job::GenerationRequest request = smallRequest();
    request.width = request.height = 256;
    request.steps = 1;
    request.guidance = 1.0;
    const job::Plan whole = planOf(request);
    request.memoryBudget = whole.phases[2].memoryBytes - whole.phases[2].scratchBytes / 2;
    while (!planOf(request).memory.smallerPieces) {
        *request.memoryBudget -= kMebi;
    }
    const job::Plan plan = planOf(request);
    ASSERT_EQ(plan.memory.shortage, "") << plan.peakBytes;
    EXPECT_LT(plan.phases[2].scratchBytes, whole.phases[2].scratchBytes);
    const auto generator = load();
    const Outcome made = run(*generator, request);
    ASSERT_TRUE(made.report) << made.report.error().message;
    EXPECT_EQ(made.frames.size(), 9U * 256 * 256 * 3);
    EXPECT_TRUE(made.report->plan.memory.smallerPieces);
}

// The memory of an earlier clip is no part of what a later one was said to need.
TEST_F(Memory, TheLastClipLeavesNoMoreThanTheNextWasForecast) {
    job::GenerationRequest earlier = smallRequest();
    earlier.width = 144;
    earlier.height = 128;
    earlier.steps = 1;
    job::GenerationRequest later = earlier;
    later.width = 128;
    later.cache = "pab";
    later.cacheParameters = {{"precision", "f32"}, {"from", 0.0}, {"to", 1.0}};
    later.steps = 2;
    const job::Plan plan = planOf(later);
    const std::int64_t more = arenaBytes(planOf(earlier)) - arenaBytes(plan);
    ASSERT_GT(more, 0);
    ASSERT_LT(more, plan.stateBytes) << "else the weights and the arena alone are too much";
    const auto generator = load();
    ASSERT_TRUE(run(*generator, earlier).report);
    std::int64_t held = 0;
    const Outcome made = run(*generator, later, [&](const Progress& progress) {
        if (progress.phase == Phase::Denoise) {
            held = std::max(held, generator->heldBytes());
        }
    });
    ASSERT_TRUE(made.report) << made.report.error().message;
    EXPECT_GT(held, 0);
    // Within the hundredth that forecasts promise; what the earlier clip had beyond is four of them.
    const auto forecast = static_cast<double>(made.report->plan.phases[1].memoryBytes);
    ASSERT_GT(static_cast<double>(more), 0.03 * forecast);
    EXPECT_LE(static_cast<double>(held + made.report->plan.stateBytes), 1.01 * forecast);
}

// A forecast cannot know when rules that depend on data answer, nor leave out what comparing their answers holds.
TEST_F(Memory, ComparingACachesAnswersFitsWhereWorkingMemoryIsTight) {
    const auto generator = load();
    for (const char* cache : {"first_block", "easycache"}) {
        job::GenerationRequest request = smallRequest();
        request.steps = 6;
        request.cache = cache;
        request.cacheParameters = {{"threshold", 10.0}};
        request.probes = Json{{"kinds", {"error"}}};
        request.memoryBudget = 1;
        request.memoryBudget = planOf(request).peakBytes;
        trace::Trace trace;
        GeneratorOptions options;
        options.trace = &trace;
        const Outcome made = run(*generator, request, {}, options);
        ASSERT_TRUE(made.report) << made.report.error().message;
        EXPECT_FALSE(made.report->plan.memory.oneArena);
        EXPECT_NE(trace.probes.find(trace::ProbeKind::CacheError), nullptr) << cache << " was never compared";
    }
}

// Weights larger than the device: the same clip, block by block.
TEST_F(Memory, BlocksVisitTheDeviceWhereTheirTransformerDoesNotFit) {
    Outcome whole;
    Outcome streamed;
    {
        const auto generator = load();
        whole = run(*generator, smallRequest());
        ASSERT_TRUE(whole.report);
        EXPECT_FALSE(whole.report->plan.memory.streamBlocks);
        const job::PhaseCost& steps = whole.report->plan.phases[1];
        job::GenerationRequest request = smallRequest();
        request.memoryBudget = steps.scratchBytes + whole.report->plan.stateBytes + 20 * kMebi;
        streamed = run(*generator, request);
        ASSERT_TRUE(streamed.report) << streamed.report.error().message;
        EXPECT_TRUE(streamed.report->plan.memory.streamBlocks);
        EXPECT_GT(streamed.report->plan.memory.streamedBytes, 20 * kMebi);
        EXPECT_LE(streamed.mostHeld, *request.memoryBudget);
        EXPECT_LE(streamed.report->plan.phases[1].memoryBytes, *request.memoryBudget);
        EXPECT_EQ(run(*generator, smallRequest()).frames, whole.frames) << "and back";
    }
    EXPECT_EQ(streamed.frames, whole.frames);
    // 8 layers in 2 steps of 2 passes, and once for the text of either branch.
    EXPECT_EQ(m_control->copies, 8 * (2 * 2 + 2));
}

TEST(WeightStream, CopiesOneGroupAheadAndNoneTwice) {
    const auto control = std::make_shared<Control>();
    struct Matrix final : backend::PackedLinear {};
    std::array<Matrix, 3> matrices;
    {
        CountedStream stream(control);
        for (int group = 0; group < 3; ++group) {
            Matrix& matrix = matrices.at(static_cast<std::size_t>(group));
            matrix.inFeatures = 7;
            matrix.bytes = 1000 * (group + 1);
            ASSERT_TRUE(stream.park(matrix, group));
        }
        ASSERT_TRUE(stream.settle());
        EXPECT_EQ(stream.deviceBytes(), 2 * 3072);
        EXPECT_EQ(stream.hostBytes(), 1024 + 2048 + 3072);
        ASSERT_TRUE(stream.begin(0));
        EXPECT_EQ(stream.copies(), 2);
        EXPECT_EQ(matrices[0].inFeatures, 7);
        EXPECT_EQ(matrices[1].inFeatures, -1) << "on its way";
        stream.end(0);
        EXPECT_EQ(matrices[0].inFeatures, -1);
        ASSERT_TRUE(stream.begin(1));
        EXPECT_EQ(stream.copies(), 3);
        stream.end(1);
        ASSERT_TRUE(stream.begin(1)) << "still there";
        stream.end(1);
        EXPECT_EQ(stream.copies(), 3);
        ASSERT_TRUE(stream.begin(0)) << "a new pass before the last one's end";
        EXPECT_EQ(stream.copies(), 4) << "group 1 was still there";
        EXPECT_DEATH(stream.end(1), "group 1 ends while 0 is in use");
        stream.end(0);
    }
    EXPECT_EQ(control->copies, 4);
}

// Whatever is refused from the moment a phase begins: an error that names it, and a generator that goes on.
TEST_F(Memory, RunningOutNamesThePhase) {
    const auto generator = load();
    const Outcome whole = run(*generator, smallRequest());
    ASSERT_TRUE(whole.report);
    job::GenerationRequest request = smallRequest();
    request.memoryBudget = whole.report->plan.peakBytes * 3 / 4;  // so that every phase asks for memory of its own
    for (const Phase phase : {Phase::Text, Phase::Denoise, Phase::Decode}) {
        request.prompt += " again";  // not known from before
        m_control->refused = 0;
        // Progress of a phase comes when its memory is there already, so the one before it turns the tap.
        const auto before = [&](const Progress& progress) {
            if (phase != Phase::Text && static_cast<int>(progress.phase) + 1 == static_cast<int>(phase)) {
                m_control->most = 0;
            }
        };
        if (phase == Phase::Text) {
            m_control->most = 0;
        }
        const Outcome made = run(*generator, request, before);
        m_control->most.reset();
        ASSERT_FALSE(made.report) << phaseName(phase);
        EXPECT_EQ(made.report.error().code, ErrorCode::OutOfMemory);
        EXPECT_THAT(made.report.error().message, HasSubstr(fmt::format("phase {},", phaseName(phase))));
        EXPECT_THAT(made.report.error().message, HasSubstr("bytes of memory are needed at once, 0 are free"));
        EXPECT_THAT(made.report.error().message, HasSubstr("on tight"));
        EXPECT_EQ(m_control->refused, phase == Phase::Decode ? 2 : 1) << "decoding is tried twice, no more";
        EXPECT_EQ(run(*generator, smallRequest()).frames, whole.frames) << "the generator goes on";
    }
}

TEST_F(Memory, DecodingIsTriedOnceMoreInSmallerPieces) {
    const auto generator = load();
    job::GenerationRequest request = smallRequest();
    request.frames = 13;
    const Outcome whole = run(*generator, request);
    ASSERT_TRUE(whole.report);
    request.memoryBudget = whole.report->plan.peakBytes * 3 / 4;
    m_control->refusals = 1;
    const Outcome made = run(*generator, request, [&](const Progress& progress) {
        if (progress.phase == Phase::Denoise) {
            m_control->most = 0;
        }
    });
    ASSERT_TRUE(made.report) << made.report.error().message;
    EXPECT_EQ(m_control->refused, 1);
    EXPECT_TRUE(made.report->decodedAgain);
    EXPECT_EQ(made.report->plan.memory.pieceFrames, 1);
    EXPECT_EQ(made.frames, whole.frames) << "single latent frames are the same arithmetic";
}

class PromptFolder : public Memory {
 protected:
    void SetUp() override {
        m_folder = std::filesystem::temp_directory_path() /
                   fmt::format("fw_prompts_{}_{}", ::testing::UnitTest::GetInstance()->current_test_info()->name(),
                               std::random_device{}());
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }
    [[nodiscard]] std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::directory_iterator(m_folder)) {
            found.push_back(entry.path());
        }
        std::sort(found.begin(), found.end());
        return found;
    }
    [[nodiscard]] GeneratorOptions options() const {
        GeneratorOptions options;
        options.promptFolder = m_folder;
        return options;
    }
    std::filesystem::path m_folder;
};

// On a device of its own the text encoder is loaded for a new prompt, leaves after it, and does not come back for a
// prompt that was encoded before, in this process or another.
TEST_F(PromptFolder, AKnownPromptNeedsNoTextEncoder) {
    m_control->kind = DeviceKind::Cuda;
    const Outcome first = run(*load(), smallRequest(), {}, options());
    ASSERT_TRUE(first.report) << first.report.error().message;
    EXPECT_EQ(first.report->promptsEncoded, 2) << "prompt and negative prompt";
    EXPECT_FALSE(first.report->plan.phases[1].parts.textEncoder);
    EXPECT_EQ(files().size(), 2U);

    const auto fresh = load();
    EXPECT_EQ(fresh->heldBytes(), 0) << "nothing is loaded before it is needed";
    const Outcome second = run(*fresh, smallRequest(), {}, options());
    ASSERT_TRUE(second.report) << second.report.error().message;
    EXPECT_EQ(second.report->promptsEncoded, 0);
    EXPECT_EQ(second.frames, first.frames);
    EXPECT_LE(second.mostHeld, second.report->plan.phases[2].memoryBytes) << "which is without the text encoder";

    job::GenerationRequest other = smallRequest();
    other.prompt = "a blue car";
    EXPECT_EQ(run(*fresh, other, {}, options()).report->promptsEncoded, 1);
    const auto unkept = load();
    EXPECT_EQ(run(*unkept, smallRequest()).report->promptsEncoded, 2) << "without a folder";
    EXPECT_EQ(files().size(), 3U);
}

TEST_F(PromptFolder, DamagedFilesAreIgnoredAndWrittenAnew) {
    const Outcome first = run(*load(), smallRequest(), {}, options());
    ASSERT_TRUE(first.report);
    const auto names = files();
    ASSERT_EQ(names.size(), 2U);
    const auto size = std::filesystem::file_size(names[0]);
    {
        std::fstream flipped(names[0], std::ios::in | std::ios::out | std::ios::binary);
        flipped.seekp(static_cast<std::streamoff>(size - 3));
        flipped.put('!');
    }
    std::filesystem::resize_file(names[1], 7);
    const Outcome again = run(*load(), smallRequest(), {}, options());
    ASSERT_TRUE(again.report) << again.report.error().message;
    EXPECT_EQ(again.report->promptsEncoded, 2);
    EXPECT_EQ(again.frames, first.frames);
    EXPECT_EQ(run(*load(), smallRequest(), {}, options()).report->promptsEncoded, 0) << "mended";
    EXPECT_EQ(files(), names);
}

TEST_F(PromptFolder, TheFolderKeepsToItsSizeAndForgetsWhatWasUnusedLongest) {
    const std::vector<float> rows(1024, 0.25F);
    PromptCache one(m_folder, 3 * 4200);
    const auto age = [&](const std::string& key, int hours) {
        std::filesystem::last_write_time(m_folder / (key + ".prompt.safetensors"),
                                         std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
    };
    one.add("a", 64, rows);
    age("a", 5);
    one.add("b", 64, rows);
    age("b", 9);
    ASSERT_EQ(files().size(), 2U);
    PromptCache two(m_folder, 3 * 4200);
    ASSERT_NE(two.find("b", 64), nullptr) << "used: now it is younger than the other";
    EXPECT_EQ(*two.find("b", 64), rows);
    EXPECT_EQ(two.find("b", 64)->size(), 1024U);
    two.add("c", 64, rows);
    ASSERT_EQ(files().size(), 2U);
    EXPECT_EQ(PromptCache(m_folder).find("a", 64), nullptr);
    EXPECT_NE(PromptCache(m_folder).find("b", 64), nullptr);
    EXPECT_NE(PromptCache(m_folder).find("c", 64), nullptr);
    EXPECT_EQ(PromptCache(m_folder).find("c", 63), nullptr) << "of another model";
}

// Somebody may name a folder that holds other things.
TEST_F(PromptFolder, WhatElseIsInTheFolderIsLeftAlone) {
    std::filesystem::create_directories(m_folder);
    const auto everybody = std::filesystem::status(m_folder).permissions() | std::filesystem::perms::others_read;
    std::filesystem::permissions(m_folder, everybody);
    const std::filesystem::path weights = m_folder / "model.safetensors";
    std::ofstream(weights) << std::string(9000, 'w');
    std::filesystem::last_write_time(weights,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(1000));
    PromptCache cache(m_folder, 3 * 4200);
    for (const char* key : {"a", "b", "c", "d"}) {
        cache.add(key, 64, std::vector<float>(1024, 0.5F));
    }
    EXPECT_EQ(std::filesystem::file_size(weights), 9000U);
    EXPECT_LT(files().size(), 5U) << "prompts go";
    EXPECT_EQ(std::filesystem::status(m_folder).permissions(), everybody);
}

TEST_F(PromptFolder, AFolderThatCannotBeWrittenIsNoFailure) {
    std::ofstream(m_folder) << "a file where the folder should be";
    const Outcome made = run(*load(), smallRequest(), {}, options());
    ASSERT_TRUE(made.report) << made.report.error().message;
    EXPECT_EQ(made.report->promptsEncoded, 2);
}

// A matrix that fills its pages and a bias beside it: no page more for the bias.
TEST(Footprint, OfAMatrixAndItsVectorsApart) {
    constexpr std::int64_t kPage = std::int64_t{2} << 20, kSize = 1024;
    const auto device = backend::createMetaDevice(DType::BF16, DeviceKind::Cuda);
    const auto ops = device->createOps({});
    ASSERT_TRUE(ops);
    const ConstTensorView weight(nullptr, DType::F32, {kSize, kSize}, DeviceKind::Meta);
    const ConstTensorView bias(nullptr, DType::F32, {kSize}, DeviceKind::Meta);
    const auto product = (*ops)->packLinear({{&weight, 1}, {&bias, 1}}, DType::BF16);
    ASSERT_TRUE(product);
    EXPECT_EQ(model::footprintOf(*device, **product), kPage + kSize * 4);
    const auto fp8 = (*ops)->packLinear({{&weight, 1}, {&bias, 1}}, DType::F8E4M3);
    ASSERT_TRUE(fp8);
    EXPECT_EQ(model::footprintOf(*device, **fp8), kPage / 2 + 2 * kSize * 4);
    const ConstTensorView kernel(nullptr, DType::F32, {kSize, kSize / 27 + 1, 3, 3, 3}, DeviceKind::Meta);
    const auto convolution = (*ops)->packConv3d(kernel, bias, {}, DType::BF16);
    ASSERT_TRUE(convolution);
    EXPECT_EQ(model::footprintOf(*device, **convolution), 2 * kPage + kSize * 4);
    const auto host = backend::createMetaDevice(DType::F32, DeviceKind::Cpu);
    EXPECT_EQ(model::footprintOf(*host, **product), kPage + kSize * 4);
}

// Large products of the mini model's 8 blocks: a byte an element instead of two, and a scale a row.
TEST(Fp8Plan, CountsTheBytesOfWeightsAndOfQuantisedRows) {
    job::GenerationRequest request = smallRequest();
    request.device = "cuda:9";  // not there: planned all the same
    request.dtype = "bf16";
    const auto bf16 = makePlan(request);
    ASSERT_TRUE(bf16) << bf16.error().message;
    request.dtype = "fp8";
    const auto fp8 = makePlan(request);
    ASSERT_TRUE(fp8) << fp8.error().message;
    constexpr std::int64_t kWidth = 256, kFeed = 1024;
    constexpr std::int64_t kElements = 6 * kWidth * kWidth + 2 * kWidth * kFeed;  // qkv, out, cross q and out, MLP
    constexpr std::int64_t kRows = 7 * kWidth + kFeed;
    EXPECT_EQ(bf16->weightBytes - fp8->weightBytes, 8 * (kElements - 4 * kRows));
    EXPECT_GE(fp8->stateBytes - bf16->stateBytes, fp8->tokens * (kFeed + 4));
    EXPECT_EQ(fp8->totalFlops(), bf16->totalFlops());
    request.device = "cpu";
    const auto refused = makePlan(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(refused.error().message, HasSubstr("cannot compute in fp8"));
    const auto generator = Generator::create(modelFolder(), "cpu", "fp8", 1);
    ASSERT_FALSE(generator);
    EXPECT_THAT(generator.error().message, HasSubstr("cannot compute in fp8"));
}

}  // namespace
}  // namespace fw::pipeline
