// The rule of Pyramid Attention Broadcast against what the published implementations do and report: lists of steps,
// counts and FLOPs for Open-Sora 1.2, Latte-1, Open-Sora-Plan 1.1 and CogVideoX; and our own default for Wan.
#include "core/cache/pab.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>

namespace fw::cache {
namespace {

using Steps = std::vector<int>;

constexpr SiteKind kSelf = SiteKind::SelfAttention;
constexpr SiteKind kTemporal = SiteKind::TemporalAttention;
constexpr SiteKind kCross = SiteKind::CrossAttention;
constexpr SiteKind kMlp = SiteKind::FeedForward;

PabRule byTimestep(double low, double high, std::array<int, kSiteKinds> ranges) {
    PabRule rule;
    rule.ranges = ranges;
    rule.byTimestep = true;
    rule.timestepLow = low;
    rule.timestepHigh = high;
    return rule;
}

Steps reused(const PabRule& rule, SiteKind kind, const std::vector<double>& timesteps) {
    return skippedSteps(pabDecisions(rule, kind, timesteps));
}

// What remains of [first, last] without the multiples of n.
Steps without(int first, int last, int n) {
    Steps steps;
    for (int i = first; i <= last; ++i) {
        if (i % n != 0) {
            steps.push_back(i);
        }
    }
    return steps;
}

double toBf16(double value) {
    const auto single = static_cast<float>(value);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &single, sizeof(bits));
    bits = (bits + 0x7fffU + ((bits >> 16U) & 1U)) & 0xffff0000U;
    float rounded = 0.0F;
    std::memcpy(&rounded, &bits, sizeof(bits));
    return static_cast<double>(rounded);
}

// Open-Sora 1.2's rectified flow: t' = r s / (1 + (r - 1) s), told to the model in bf16.
std::vector<double> openSora(double height, double width, int frames, int steps = 30) {
    const double ratio = std::sqrt(height * width / (512.0 * 512.0)) * std::sqrt(frames / 17 * 5.0);
    std::vector<double> timesteps;
    for (int i = 0; i < steps; ++i) {
        const double s = 1.0 - static_cast<double>(i) / steps;
        timesteps.push_back(toBf16(1000.0 * ratio * s / (1.0 + (ratio - 1.0) * s)));
    }
    return timesteps;
}

std::vector<double> falling(double first, double by, int steps) {
    std::vector<double> timesteps;
    for (int i = 0; i < steps; ++i) {
        timesteps.push_back(first - by * i);
    }
    return timesteps;
}

// PNDM with its Runge-Kutta start, 150 steps of 1000: 159 model calls.
std::vector<double> pndm150() {
    std::vector<double> timesteps;
    const std::vector<double> last{876, 882, 888, 894};  // ascending, as the scheduler builds them
    std::vector<double> pairs;
    for (std::size_t i = 0; i < 8; ++i) {
        pairs.push_back(last[i / 2] + (i % 2 == 0 ? 0.0 : 3.0));
    }
    pairs.pop_back();
    std::vector<double> doubled;
    for (const double t : pairs) {
        doubled.insert(doubled.end(), {t, t});
    }
    timesteps.assign(doubled.rbegin() + 1, doubled.rend() - 1);
    for (int i = 146; i >= 0; --i) {
        timesteps.push_back(6.0 * i);
    }
    return timesteps;
}

const std::vector<int> kOpenSoraKeys{676, 788, 864};
const std::vector<int> kLatteKeys{720, 640, 560, 480, 400};

TEST(PabOracle, OpenSora) {
    const auto timesteps = openSora(480, 854, 51);
    const std::vector<int> published{1000, 992, 984, 976, 968, 960, 952, 940, 932, 920, 908, 892, 880, 864, 848,
                                     828,  808, 788, 764, 736, 708, 676, 636, 596, 548, 492, 426, 350, 258, 143};
    ASSERT_EQ(timesteps.size(), published.size());
    for (std::size_t i = 0; i < published.size(); ++i) {
        EXPECT_EQ(static_cast<int>(timesteps[i]), published[i]) << i;
    }
    PabRule rule = byTimestep(450, 930, {2, 4, 6, 1});
    rule.feedForwardSteps = stepsOfTimesteps(kOpenSoraKeys, timesteps);
    EXPECT_EQ(rule.feedForwardSteps, (Steps{13, 17, 21}));
    EXPECT_EQ(reused(rule, kSelf, timesteps), (Steps{9, 11, 13, 15, 17, 19, 21, 23, 25}));
    EXPECT_EQ(reused(rule, kTemporal, timesteps), (Steps{9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25}));
    EXPECT_EQ(reused(rule, kCross, timesteps), (Steps{9, 10, 11, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25}));
    EXPECT_EQ(reused(rule, kMlp, timesteps), (Steps{14, 15, 18, 19, 22, 23}));
}

TEST(PabOracle, OpenSoraAtOtherSizes) {
    struct Case {
        double height, width;
        int frames, self, temporal, cross;
        std::vector<int> keys;
    };
    const Case cases[] = {
        {480, 854, 102, 8, 12, 13, {676}}, {480, 854, 192, 8, 12, 13, {}},    {480, 854, 204, 8, 12, 13, {864}},
        {480, 854, 408, 6, 9, 11, {}},     {720, 1280, 51, 8, 12, 13, {864}}, {720, 1280, 102, 7, 11, 12, {788}},
        {720, 1280, 204, 6, 9, 11, {}},    {720, 1280, 408, 5, 7, 9, {864}},
    };
    const PabRule rule = byTimestep(450, 930, {2, 4, 6, 1});
    for (const Case& c : cases) {
        const auto timesteps = openSora(c.height, c.width, c.frames);
        const std::string name = std::to_string(static_cast<int>(c.height)) + "p " + std::to_string(c.frames);
        EXPECT_EQ(static_cast<int>(reused(rule, kSelf, timesteps).size()), c.self) << name;
        EXPECT_EQ(static_cast<int>(reused(rule, kTemporal, timesteps).size()), c.temporal) << name;
        EXPECT_EQ(static_cast<int>(reused(rule, kCross, timesteps).size()), c.cross) << name;
        std::vector<int> keys;
        for (const int step : stepsOfTimesteps(kOpenSoraKeys, timesteps)) {
            keys.push_back(static_cast<int>(timesteps[static_cast<std::size_t>(step)]));
        }
        EXPECT_EQ(keys, c.keys) << name;
    }
}

TEST(PabOracle, Latte) {
    const auto timesteps = falling(980, 20, 50);
    PabRule rule = byTimestep(100, 800, {2, 3, 6, 1});
    rule.feedForwardSteps = stepsOfTimesteps(kLatteKeys, timesteps);
    EXPECT_EQ(reused(rule, kSelf, timesteps), without(10, 43, 2));
    EXPECT_EQ(reused(rule, kSelf, timesteps).size(), 17U);
    EXPECT_EQ(reused(rule, kTemporal, timesteps),
              (Steps{10, 11, 13, 14, 16, 17, 19, 20, 22, 23, 25, 26, 28, 29, 31, 32, 34, 35, 37, 38, 40, 41, 43}));
    EXPECT_EQ(reused(rule, kCross, timesteps), (Steps{10, 11, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25, 26,
                                                      27, 28, 29, 31, 32, 33, 34, 35, 37, 38, 39, 40, 41, 43}));
    EXPECT_EQ(rule.feedForwardSteps, (Steps{13, 17, 21, 25, 29}));
    EXPECT_EQ(reused(rule, kMlp, timesteps), (Steps{14, 15, 18, 19, 22, 23, 26, 27, 30, 31}));
}

TEST(PabOracle, CogVideoX) {
    const auto timesteps = falling(999, 20, 50);
    EXPECT_EQ(reused(byTimestep(100, 850, {2, 1, 1, 1}), kSelf, timesteps), without(9, 43, 2));
    EXPECT_EQ(reused(byTimestep(100, 850, {2, 1, 1, 1}), kSelf, timesteps).size(), 18U);
    EXPECT_EQ(reused(byTimestep(100, 800, {2, 1, 1, 1}), kSelf, timesteps).size(), 17U);
}

TEST(PabOracle, OpenSoraPlan) {
    const auto timesteps = pndm150();
    ASSERT_EQ(timesteps.size(), 159U);
    const auto counts = [&](std::array<int, kSiteKinds> ranges) {
        const PabRule rule = byTimestep(100, 850, ranges);
        return Steps{static_cast<int>(reused(rule, kSelf, timesteps).size()),
                     static_cast<int>(reused(rule, kTemporal, timesteps).size()),
                     static_cast<int>(reused(rule, kCross, timesteps).size())};
    };
    EXPECT_EQ(counts({2, 4, 6, 1}), (Steps{63, 94, 104}));
    EXPECT_EQ(counts({5, 7, 9, 1}), (Steps{100, 107, 111}));
    const Steps self = reused(byTimestep(100, 850, {125, 1, 1, 1}), kSelf, timesteps);
    EXPECT_EQ(self.front(), 17);
    EXPECT_EQ(self.back(), 141);
}

TEST(PabOracle, WanDefault) {
    const auto timesteps = falling(1000, 20, 50);  // the window goes by steps: any timesteps
    PabRule rule;
    rule.ranges = {2, 4, 6, 1};
    EXPECT_EQ(reused(rule, kSelf, timesteps), without(9, 41, 2));
    EXPECT_EQ(reused(rule, kSelf, timesteps).size(), 17U);
    EXPECT_EQ(reused(rule, kCross, timesteps), without(8, 41, 6));
    EXPECT_EQ(reused(rule, kCross, timesteps).size(), 29U);
    rule.ranges[0] = 3;
    EXPECT_EQ(reused(rule, kSelf, timesteps),
              (Steps{8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23, 25, 26, 28, 29, 31, 32, 34, 35, 37, 38, 40, 41}));
    EXPECT_TRUE(reused(rule, kMlp, timesteps).empty());
}

TEST(PabRule, EdgesOfWindowsAndRuns) {
    PabRule rule;
    rule.ranges = {1, 1, 1, 1};
    EXPECT_TRUE(reused(rule, kSelf, falling(999, 20, 50)).empty());  // range 1
    rule.ranges[0] = 2;
    EXPECT_TRUE(reused(rule, kSelf, {}).empty());
    EXPECT_TRUE(reused(rule, kSelf, {999.0}).empty());
    rule.from = 0.0;
    rule.to = 1.0;
    EXPECT_EQ(reused(rule, kSelf, falling(999, 100, 7)), (Steps{1, 3, 5}));  // the first step is always computed
    EXPECT_EQ(stepWindow(0.15, 0.85, 20).first, 3);
    EXPECT_EQ(stepWindow(0.15, 0.85, 20).last, 17);
    EXPECT_EQ(stepWindow(0.15, 0.85, 50).first, 8);
    EXPECT_EQ(stepWindow(0.15, 0.85, 50).last, 42);
    // Bounds are strict, and the whole part of the timestep counts.
    rule = byTimestep(450, 930, {50, 1, 1, 1});
    EXPECT_EQ(reused(rule, kSelf, {999, 930, 930.9, 929.9, 450.9, 451, 450}), (Steps{3, 5}));
}

// --- FLOPs. The papers count two for each multiply-add; guidance doubles the tokens; C = 1152, 28 blocks of each
// sort. Attention cores are missing from Open-Sora's count (its fused kernel was invisible to the counter).
constexpr double kWidth = 1152.0;
constexpr double kLayers = 28.0;

struct Factorised {
    double frames, tokensPerFrame;
    std::int64_t crossSites;
    bool spatialCore;
    std::int64_t feedForwardSites;
};

double saved(const Factorised& model, const PabRule& rule, const std::vector<double>& timesteps) {
    const double tokens = 2.0 * model.frames * model.tokensPerFrame;
    const double square = kWidth * kWidth;
    const auto layers = static_cast<std::int64_t>(kLayers);
    const double self =
        2.0 * tokens * (4.0 * square + (model.spatialCore ? 2.0 * kWidth * model.tokensPerFrame : 0.0));
    const double temporal = 2.0 * tokens * (4.0 * square + 2.0 * kWidth * model.frames);
    return savedFlops(pabDecisions(rule, kSelf, timesteps), {layers, self}) +
           savedFlops(pabDecisions(rule, kTemporal, timesteps), {layers, temporal}) +
           savedFlops(pabDecisions(rule, kCross, timesteps), {model.crossSites, 2.0 * tokens * 2.0 * square}) +
           savedFlops(pabDecisions(rule, kMlp, timesteps), {model.feedForwardSites, 2.0 * tokens * 8.0 * square});
}

void expectFlops(double savedFlops, double original, double published, const char* what) {
    EXPECT_NEAR((original - savedFlops * 1e-12) / published, 1.0, 0.005) << what;
    // The difference itself, which the total dwarfs.
    EXPECT_NEAR(savedFlops * 1e-12 / (original - published), 1.0, 0.005) << what;
}

TEST(PabFlops, OpenSora) {
    const auto timesteps = openSora(480, 854, 51);
    const Factorised model{15, 1590, 56, false, 10};
    const auto flops = [&](std::array<int, kSiteKinds> ranges) {
        PabRule rule = byTimestep(450, 930, ranges);
        rule.feedForwardSteps = stepsOfTimesteps(kOpenSoraKeys, timesteps);
        return saved(model, rule, timesteps);
    };
    expectFlops(flops({2, 4, 6, 1}), 3230.24, 2657.70, "246");
    expectFlops(flops({3, 5, 7, 1}), 3230.24, 2615.15, "357");
    expectFlops(flops({5, 7, 9, 1}), 3230.24, 2558.25, "579");
}

TEST(PabFlops, Latte) {
    const auto timesteps = falling(980, 20, 50);
    const Factorised model{16, 1024, 28, true, 10};
    const auto flops = [&](std::array<int, kSiteKinds> ranges) {
        PabRule rule = byTimestep(100, 800, ranges);
        rule.feedForwardSteps = stepsOfTimesteps(kLatteKeys, timesteps);
        return saved(model, rule, timesteps);
    };
    expectFlops(flops({2, 3, 6, 1}), 3439.47, 2767.22, "236");
    expectFlops(flops({4, 6, 9, 1}), 3439.47, 2576.77, "469");
}

TEST(PabFlops, OpenSoraPlan) {
    const auto timesteps = pndm150();
    const Factorised model{17, 1024, 28, true, 14};
    std::vector<int> keys(14);
    for (int i = 0; i < 14; ++i) {
        keys[static_cast<std::size_t>(i)] = 738 - 24 * i;
    }
    const auto flops = [&](std::array<int, kSiteKinds> ranges) {
        PabRule rule = byTimestep(100, 850, ranges);
        rule.feedForwardSteps = stepsOfTimesteps(keys, timesteps);
        EXPECT_EQ(rule.feedForwardSteps.size(), 14U);
        EXPECT_EQ(reused(rule, kMlp, timesteps).size(), 28U);
        return saved(model, rule, timesteps);
    };
    expectFlops(flops({2, 4, 6, 1}), 12032.40, 9276.57, "246");
    expectFlops(flops({5, 7, 9, 1}), 12032.40, 8551.26, "579");
}

}  // namespace
}  // namespace fw::cache
