#include "core/pipeline/sampler.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/backend/device.h"
#include "core/weights/safetensors.h"
#include "tests/golden/recipe.h"

namespace fw::pipeline {
namespace {

std::vector<double> uniPcTimesteps(double shift, int steps) {
    return makeSchedule({.kind = job::SamplerKind::UniPc, .steps = steps, .shift = shift}).timesteps;
}

// Published tables of Wan2.1: n = 50, flow shift 3 (480p) and 5 (720p).
TEST(Schedule, GivesWansTimesteps) {
    EXPECT_EQ(
        uniPcTimesteps(3.0, 50),
        (std::vector<double>{999, 993, 986, 979, 971, 964, 956, 948, 940, 931, 923, 914, 904, 895, 885, 875, 864,
                             853, 842, 830, 818, 805, 792, 779, 765, 750, 735, 719, 702, 685, 667, 648, 628, 607,
                             586, 563, 539, 514, 487, 459, 429, 398, 365, 329, 292, 251, 208, 162, 113, 60}));
    EXPECT_EQ(
        uniPcTimesteps(5.0, 50),
        (std::vector<double>{999, 995, 991, 987, 982, 978, 973, 968, 963, 957, 952, 946, 940, 934, 927, 921, 914,
                             906, 899, 890, 882, 873, 864, 854, 844, 833, 822, 810, 797, 783, 769, 754, 738, 720,
                             702, 682, 661, 638, 613, 586, 556, 524, 489, 450, 407, 359, 305, 244, 175, 96}));
    const auto shift8 = uniPcTimesteps(8.0, 50);
    EXPECT_EQ(std::vector<double>(shift8.end() - 6, shift8.end()),
              (std::vector<double>{523, 473, 413, 341, 254, 146}));
}

TEST(Schedule, FallsFromOneToZero) {
    for (const auto kind : {job::SamplerKind::UniPc, job::SamplerKind::Euler}) {
        for (const int steps : {1, 2, 3, 7, 50, 1000}) {
            for (const double shift : {0.01, 1.0, 3.0, 100.0}) {
                const SigmaSchedule schedule = makeSchedule({.kind = kind, .steps = steps, .shift = shift});
                ASSERT_EQ(schedule.sigmas.size(), static_cast<std::size_t>(steps) + 1);
                ASSERT_EQ(schedule.timesteps.size(), static_cast<std::size_t>(steps));
                EXPECT_NEAR(schedule.sigmas.front(), 1.0, 2e-6);
                EXPECT_EQ(schedule.sigmas.back(), 0.0);
                for (std::size_t i = 0; i + 1 < schedule.sigmas.size(); ++i) {
                    EXPECT_GT(schedule.sigmas[i], schedule.sigmas[i + 1]) << steps << " steps, shift " << shift;
                }
            }
        }
    }
}

// A sampler's state on the CPU, its tensors owned.
struct SamplerRun {
    explicit SamplerRun(const SamplerOptions& options, std::int64_t count) : schedule(makeSchedule(options)) {
        device = backend::createDevice("cpu").value();
        ops = device->createOps({.threads = 1}).value();
        std::vector<TensorView> views;
        for (int i = 0; i < stateTensorCount(options.kind); ++i) {
            owned.push_back(backend::createTensor(*device, DType::F32, {count}).value());
            views.push_back(owned.back().view);
        }
        state = makeState(options.kind, views);
        owned.push_back(backend::createTensor(*device, DType::F32, {count}).value());
        velocity = owned.back().view;
    }
    std::unique_ptr<backend::Device> device;
    std::unique_ptr<backend::Ops> ops;
    std::vector<backend::OwnedTensor> owned;
    SigmaSchedule schedule;
    SamplerState state;
    TensorView velocity;
};

// The made-up model of the fixtures: v = 0.8 x - target + 0.05 (timestep / 1000) x².
void predict(SamplerRun& run, const std::vector<float>& target) {
    const double timestep = run.schedule.timesteps[static_cast<std::size_t>(run.state.step)];
    const auto* x = run.state.sample.as<float>();
    auto* v = run.velocity.mutableAs<float>();
    for (std::size_t i = 0; i < target.size(); ++i) {
        v[i] = 0.8F * x[i] - target[i] + static_cast<float>(0.05 * timestep / 1000.0) * x[i] * x[i];
    }
}

class SamplerGolden : public testing::TestWithParam<std::tuple<const char*, SamplerOptions>> {};

TEST_P(SamplerGolden, FollowsTheReferenceStepByStep) {
    const auto& [id, options] = GetParam();
    const std::string key = id;
    const auto file = weights::SafetensorsFile::open(FW_SOURCE_DIR "/tests/golden/fixtures/samplers.safetensors");
    ASSERT_TRUE(file) << file.error().message;
    constexpr std::int64_t kCount = 64;
    SamplerRun run(options, kCount);
    const auto start = golden::values(key + ".x", 1, kCount);
    const auto target = golden::values(key + ".target", 1, kCount);
    std::copy(start.begin(), start.end(), run.state.sample.mutableAs<float>());
    const auto timesteps = (*file)->tensor(key + ".timesteps", {options.steps}).value();
    const auto sigmas = (*file)->tensor(key + ".sigmas", {options.steps + 1}).value();
    const auto samples = (*file)->tensor(key + ".samples", {options.steps, kCount}).value();
    for (int step = 0; step < options.steps; ++step) {
        const auto index = static_cast<std::size_t>(step);
        EXPECT_EQ(run.schedule.timesteps[index], timesteps.as<double>()[step]) << step;
        EXPECT_EQ(static_cast<float>(run.schedule.sigmas[index]), sigmas.as<float>()[step]) << step;
        predict(run, target);
        samplerStep(run.schedule, run.state, *run.ops, run.velocity);
        double difference = 0;
        double scale = 0;
        for (std::int64_t i = 0; i < kCount; ++i) {
            const auto expected = static_cast<double>(samples.as<float>()[step * kCount + i]);
            const double error = static_cast<double>(run.state.sample.as<float>()[i]) - expected;
            difference += error * error;
            scale += expected * expected;
        }
        EXPECT_LE(std::sqrt(difference / scale), 1e-5) << "step " << step;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Fixtures, SamplerGolden,
    testing::Values(
        std::tuple{"unipc_a", SamplerOptions{.kind = job::SamplerKind::UniPc, .steps = 20, .shift = 3.0}},
        std::tuple{"unipc_b", SamplerOptions{.kind = job::SamplerKind::UniPc, .steps = 3, .shift = 5.0}},
        std::tuple{"euler_a", SamplerOptions{.kind = job::SamplerKind::Euler, .steps = 20, .shift = 3.0}},
        std::tuple{"euler_b", SamplerOptions{.kind = job::SamplerKind::Euler, .steps = 3, .shift = 5.0}}),
    [](const auto& test) { return std::string(std::get<0>(test.param)); });

// With an exact model (one clip in the world) every sampler lands on the clip, whatever the number of steps.
TEST(Sampler, ReachesTheClipOfAnExactModel) {
    for (const auto kind : {job::SamplerKind::UniPc, job::SamplerKind::Euler}) {
        for (const int steps : {1, 2, 3, 11}) {
            for (const int order : {1, 2}) {
                for (const bool lowerOrderFinal : {false, true}) {
                    constexpr std::int64_t kCount = 13;
                    SamplerRun run(
                        {.kind = kind, .steps = steps, .solverOrder = order, .lowerOrderFinal = lowerOrderFinal},
                        kCount);
                    const auto noise = golden::values("noise", 3, kCount);
                    const auto clip = golden::values("clip", 3, kCount);
                    std::copy(noise.begin(), noise.end(), run.state.sample.mutableAs<float>());
                    for (int step = 0; step < steps; ++step) {
                        const double sigma = run.schedule.sigmas[static_cast<std::size_t>(step)];
                        for (std::size_t i = 0; i < clip.size(); ++i) {
                            const float x = run.state.sample.as<float>()[i];
                            run.velocity.mutableAs<float>()[i] = (x - clip[i]) / static_cast<float>(sigma);
                        }
                        samplerStep(run.schedule, run.state, *run.ops, run.velocity);
                    }
                    for (std::size_t i = 0; i < clip.size(); ++i) {
                        EXPECT_NEAR(run.state.sample.as<float>()[i], clip[i], 2e-6F) << steps << " steps";
                        EXPECT_NEAR(run.state.estimate.as<float>()[i], clip[i], 2e-6F) << steps << " steps";
                    }
                }
            }
        }
    }
}

// A state copied into other tensors half way goes on to the same result, bit for bit.
TEST(Sampler, ResumesFromACopiedState) {
    for (const auto kind : {job::SamplerKind::UniPc, job::SamplerKind::Euler}) {
        constexpr std::int64_t kCount = 17;
        const SamplerOptions options{.kind = kind, .steps = 8};
        SamplerRun first(options, kCount);
        SamplerRun second(options, kCount);
        const auto noise = golden::values("noise", 5, kCount);
        const auto target = golden::values("target", 5, kCount);
        std::copy(noise.begin(), noise.end(), first.state.sample.mutableAs<float>());
        const auto advance = [&](SamplerRun& run) {
            predict(run, target);
            samplerStep(run.schedule, run.state, *run.ops, run.velocity);
        };
        for (int step = 0; step < 4; ++step) {
            advance(first);
        }
        const auto move = [](const TensorView& from, const TensorView& to) {
            if (!from.isNone()) {
                std::copy_n(from.as<float>(), from.count(), to.mutableAs<float>());
            }
        };
        move(first.state.sample, second.state.sample);
        move(first.state.estimate, second.state.estimate);
        move(first.state.earlier[0], second.state.earlier[0]);
        move(first.state.earlier[1], second.state.earlier[1]);
        move(first.state.corrected, second.state.corrected);
        second.state.step = first.state.step;
        second.state.lastOrder = first.state.lastOrder;
        for (int step = 4; step < 8; ++step) {
            advance(first);
            advance(second);
        }
        for (std::int64_t i = 0; i < kCount; ++i) {
            EXPECT_EQ(first.state.sample.as<float>()[i], second.state.sample.as<float>()[i]);
        }
    }
}

}  // namespace
}  // namespace fw::pipeline
