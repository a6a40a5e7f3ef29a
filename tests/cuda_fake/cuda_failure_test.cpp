// What happens when a GPU is missing, too old, full or lost: with a library in the CUDA engine's place that fails
// on demand.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/backend/device.h"
#include "core/backend/device_choice.h"
#include "core/backend/ops.h"
#include "core/pipeline/generator.h"
#include "core/pipeline/random_model.h"
#include "fake_cuda.h"

namespace fw::test {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class CudaFailure : public ::testing::Test {
 protected:
    void SetUp() override {
        setenv("FW_CUDA_LIBRARY", FW_FAKE_CUDA, 1);
        void* handle = ::dlopen(FW_FAKE_CUDA, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        ASSERT_NE(handle, nullptr) << ::dlerror();
        m_control = reinterpret_cast<FakeCudaControlEntry>(::dlsym(handle, kFakeCudaControl))();
        *m_control = {.held = m_control->held, .mostHeld = m_control->held};
        fs::remove_all(m_folder);
        fs::create_directories(m_folder);
    }
    void TearDown() override {
        fs::remove_all(m_folder);
        unsetenv("FW_CUDA_LIBRARY");
    }

    static job::GenerationRequest request() {
        job::GenerationRequest request;
        request.prompt = "a red fox walks in the snow";
        request.width = request.height = 64;
        request.frames = 9;
        request.steps = 3;
        request.guidance = 2.0;
        request.seed = 11;
        request.device = "cuda:0";
        return request;
    }
    static std::unique_ptr<pipeline::Generator> load() {
        auto generator = pipeline::Generator::create(fs::path(FW_SOURCE_DIR) / "resources" / "models" / "mini",
                                                     "cuda:0", "bf16", 1);
        EXPECT_TRUE(generator) << generator.error().message;
        return std::move(*generator);
    }
    using Watch = std::function<void(const pipeline::Progress&)>;
    static Result<pipeline::GenerationReport> run(pipeline::Generator& generator,
                                                  const job::GenerationRequest& request, const Watch& watch = {},
                                                  const pipeline::GeneratorOptions& options = {}) {
        pipeline::GeneratorEvents events;
        events.progress = watch;
        return generator.generate(request, options, events, [](const ConstTensorView&) { return Status(); }, {});
    }

    FakeCudaControl* m_control = nullptr;
    fs::path m_folder = fs::path(testing::TempDir()) / "fw_cuda_failure";
};

// The sentence reaches whoever asked for the GPU; whoever left the choice gets the CPU, and is told why.
TEST_F(CudaFailure, AGpuThatCannotBeUsedIsNamedOrPassedOver) {
    const std::pair<FakeGpu, const char*> cases[] = {
        {FakeGpu::NoDriver, "no NVIDIA driver is installed"},
        {FakeGpu::OldDriver, "supports CUDA 11.4, this build needs 13.0; update the driver"},
        {FakeGpu::NoDevice, "the NVIDIA driver has no device"},
        {FakeGpu::OldDevice, "Fake GPU has compute capability 7.5, 8.0 or newer is needed"}};
    for (const auto& [gpu, sentence] : cases) {
        m_control->gpu = gpu;
        const auto refused = backend::createDevice("cuda:0");
        ASSERT_FALSE(refused) << sentence;
        EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
        EXPECT_THAT(refused.error().message, HasSubstr(sentence));
        const auto chosen = backend::chooseDevice("auto");
        ASSERT_TRUE(chosen) << chosen.error().message;
        EXPECT_EQ(chosen->device->info().kind, DeviceKind::Cpu);
        EXPECT_THAT(chosen->note, HasSubstr(sentence));
        EXPECT_EQ(backend::createDevice("auto").value()->info().kind, DeviceKind::Cpu);
    }
}

TEST_F(CudaFailure, AnArchitectureWithoutCodeIsPassedOverWithItsReason) {
    m_control->gpu = FakeGpu::NoCode;
    const auto chosen = backend::chooseDevice("auto");
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_EQ(chosen->device->info().kind, DeviceKind::Cpu);
    EXPECT_THAT(chosen->note, HasSubstr("no kernel image is available"));
    const auto asked =
        pipeline::Generator::create(fs::path(FW_SOURCE_DIR) / "resources" / "models" / "mini", "cuda:0", "bf16", 1);
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(asked.error().message, HasSubstr("no kernel image is available"));
}

TEST_F(CudaFailure, MemoryThatRunsOutNamesPhaseAndBytesAndTheGeneratorGoesOn) {
    using pipeline::Phase;
    const std::int64_t before = m_control->held;
    pipeline::GeneratorOptions known;  // a prompt from before: its phase asks for no memory
    known.promptFolder = m_folder / "prompts";
    ASSERT_TRUE(run(*load(), request(), {}, known));
    for (const Phase phase : {Phase::Text, Phase::Denoise, Phase::Decode}) {
        SCOPED_TRACE(pipeline::phaseName(phase));
        const auto generator = load();  // nothing of it is on the device yet
        m_control->outOfMemory = phase == Phase::Text;
        const auto made = run(
            *generator, request(),
            [&](const pipeline::Progress& progress) {
                const bool lastBefore = phase == Phase::Denoise
                                            ? progress.phase == Phase::Text
                                            : progress.phase == Phase::Denoise && progress.step == progress.steps;
                m_control->outOfMemory = m_control->outOfMemory || lastBefore;
            },
            phase == Phase::Text ? pipeline::GeneratorOptions{} : known);
        m_control->outOfMemory = false;
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, ErrorCode::OutOfMemory);
        EXPECT_THAT(made.error().message,
                    HasSubstr(fmt::format("memory ran out in the phase {},", pipeline::phaseName(phase))));
        EXPECT_THAT(made.error().message, HasSubstr("bytes of memory are needed at once on cuda:0"));
        const auto again = run(*generator, request());
        EXPECT_TRUE(again) << again.error().message;
    }
    EXPECT_EQ(m_control->held, before) << "everything went back";
}

// Whatever allocation is refused (weights of any part, the step cache, memory to work in): a sentence with phase
// and bytes, or a clip decoded in smaller pieces; and the next clip is made.
TEST_F(CudaFailure, EveryAllocationMayBeTheOneThatFails) {
    job::GenerationRequest wanted = request();
    wanted.steps = 6;
    wanted.cache = "pab";
    wanted.method = "salad";
    wanted.methodParameters = {{"sparsity", 0.5}};
    const std::int64_t before = m_control->held;
    m_control->allocations = 0;
    {
        const auto generator = load();
        const auto made = run(*generator, wanted);
        ASSERT_TRUE(made) << made.error().message;
    }
    const std::int64_t count = m_control->allocations;
    ASSERT_GT(count, 100);
    constexpr std::int64_t kTried = 40;
    std::map<std::string, int> phases;
    for (std::int64_t i = 0; i <= kTried; ++i) {
        SCOPED_TRACE(i * (count - 1) / kTried);
        m_control->allocations = 0;
        m_control->failAt = i * (count - 1) / kTried;
        auto generator = pipeline::Generator::create(fs::path(FW_SOURCE_DIR) / "resources" / "models" / "mini",
                                                     "cuda:0", "bf16", 1);
        if (!generator) {
            m_control->failAt = -1;
            EXPECT_THAT(generator.error().message, HasSubstr("cuda:0 has no memory left"));
            continue;
        }
        auto made = run(**generator, wanted);
        m_control->failAt = -1;
        if (made) {
            EXPECT_TRUE(made->decodedAgain);
            continue;
        }
        EXPECT_EQ(made.error().code, ErrorCode::OutOfMemory);
        const std::string& sentence = made.error().message;
        EXPECT_THAT(sentence, HasSubstr("bytes of memory are needed at once on cuda:0"));
        const std::string opening = "memory ran out in the phase ";
        ASSERT_TRUE(sentence.starts_with(opening)) << sentence;
        ++phases[sentence.substr(opening.size(), sentence.find(',') - opening.size())];
        made = run(**generator, wanted);
        EXPECT_TRUE(made) << made.error().message;
    }
    EXPECT_GT(phases["text"], 3);
    EXPECT_GT(phases["denoise"], 3);
    EXPECT_EQ(m_control->held, before) << "everything went back";
}

// What was computed until then is in the checkpoint: a fresh process goes on from there.
TEST_F(CudaFailure, ALostDeviceEndsTheRunAndTheNextProcessGoesOn) {
    pipeline::GeneratorOptions options;
    options.checkpointFile = m_folder / "run.checkpoint";
    {
        const auto generator = load();
        const auto made = run(
            *generator, request(),
            [&](const pipeline::Progress& progress) {
                m_control->lost =
                    m_control->lost || (progress.phase == pipeline::Phase::Denoise && progress.step == 2);
            },
            options);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, ErrorCode::DeviceLost);
        EXPECT_THAT(made.error().message, HasSubstr("unspecified launch failure"));
        const auto again = run(*generator, request());
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().code, ErrorCode::DeviceLost) << "this process is done with the device";
    }
    m_control->lost = false;
    const auto generator = load();
    options.resumeFrom = options.checkpointFile;
    const auto resumed = run(*generator, request(), {}, options);
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_EQ(resumed->resumedSteps, 2);
    EXPECT_EQ(resumed->stepSeconds.size(), 1U);
}

// Its tokens are listed for the device: those of the clip, not of ten thousand frames of ten thousand rows.
TEST_F(CudaFailure, APaintedBoxLargerThanTheClipEndsWithIt) {
    const auto generator = load();
    job::GenerationRequest painted = request();
    painted.whatIf =
        Json{{"from_step", 1},
             {"masks", {{{"layer", 0}, {"head", 0}, {"box", {10000, 10000, 10000}}, {"rows", {"0"}}}}}};
    const auto made = run(*generator, painted);
    ASSERT_TRUE(made) << made.error().message;
}

// Weights of the published sizes have an allocation each, and none of them is a whole number of pages.
TEST_F(CudaFailure, TheForecastLiesWithinAHundredthOfWhatAllocationsTake) {
    const fs::path model = m_folder / "model", adapter = m_folder / "salad.safetensors";
    pipeline::RandomModelOptions options;
    options.layers = 2;
    options.tokenizer = fs::path(FW_SOURCE_DIR) / "resources" / "models" / "mini";
    ASSERT_TRUE(pipeline::writeRandomModel(model, options));
    ASSERT_TRUE(pipeline::writeRandomSalad(adapter, model));
    for (const bool salad : {false, true}) {
        const std::int64_t before = m_control->held;
        auto generator = pipeline::Generator::create(model, "cuda:0", "bf16", 1);
        ASSERT_TRUE(generator) << generator.error().message;
        job::GenerationRequest wanted = request();
        wanted.width = wanted.height = 128;
        if (salad) {
            wanted.method = "salad";
            wanted.methodParameters = {{"sparsity", 0.5}};
            wanted.adapters = {{adapter.string(), 1.0}};
        }
        ASSERT_TRUE(run(**generator, wanted));
        wanted.prompt = "another one, for which the text encoder comes back beside the other parts";
        m_control->mostHeld = 0;
        const auto made = run(**generator, wanted);
        ASSERT_TRUE(made) << made.error().message;
        const auto measured = static_cast<double>(m_control->mostHeld - before);
        const auto forecast = static_cast<double>(made->plan.peakBytes);
        EXPECT_GT(measured, 100e6);
        EXPECT_NEAR(forecast / measured, 1.0, 0.01) << (salad ? "SALAD" : "dense");
    }
}

}  // namespace
}  // namespace fw::test
