#include "core/pipeline/progress_meter.h"

#include <gtest/gtest.h>

#include <vector>

namespace fw::pipeline {
namespace {

struct Harness {
    Harness() { plan.phases = {{"text", 10, 0}, {"denoise", 800, 0}, {"decode", 200, 0}}; }
    ProgressMeter meter() {
        return {plan, rates, sink, [this] { return time; }};
    }
    job::Plan plan;
    PhaseRates rates;
    double time = 100.0;
    std::vector<Progress> seen;
    std::function<void(const Progress&)> sink = [this](const Progress& progress) { seen.push_back(progress); };
};

TEST(ProgressMeter, LearnsItsRatesAndForecastsTheRest) {
    Harness harness;
    auto meter = harness.meter();
    meter.begin(Phase::Denoise, 4);
    EXPECT_LT(harness.seen.back().secondsLeft, 0.0);  // nothing measured yet
    harness.time += 2.0;                              // 200 FLOPs in 2 s
    meter.report(1);
    EXPECT_EQ(harness.seen.back().step, 1);
    EXPECT_EQ(harness.seen.back().steps, 4);
    EXPECT_DOUBLE_EQ(harness.seen.back().secondsLeft, 6.0 + 2.0);  // decode is taken to run at the same rate
    EXPECT_DOUBLE_EQ(harness.seen.back().fraction, 0.2);
    harness.time += 6.0;
    meter.report(4);
    EXPECT_DOUBLE_EQ(meter.phaseSeconds(), 8.0);
    meter.begin(Phase::Decode, 2);
    harness.time += 3.0;
    meter.report(1);  // slower than thought: 100 FLOPs in 3 s
    EXPECT_DOUBLE_EQ(harness.seen.back().secondsLeft, 3.0);
    harness.time += 3.0;
    meter.report(2);
    EXPECT_DOUBLE_EQ(harness.seen.back().secondsLeft, 0.0);
    EXPECT_DOUBLE_EQ(harness.seen.back().fraction, 1.0);
    EXPECT_DOUBLE_EQ(harness.rates.decode, 0.03);
}

TEST(ProgressMeter, NeverGoesBack) {
    Harness harness;
    harness.rates = {0.0, 0.001, 0.0};
    auto meter = harness.meter();
    meter.begin(Phase::Denoise, 100);
    for (int step = 1; step <= 100; ++step) {
        harness.time += step % 7 == 0 ? 3.0 : 0.1;
        meter.report(step);
    }
    for (std::size_t i = 1; i < harness.seen.size(); ++i) {
        EXPECT_GE(harness.seen[i].fraction, harness.seen[i - 1].fraction);
        EXPECT_LE(harness.seen[i].fraction, 1.0);
    }
}

TEST(ProgressMeter, KnowsTheTimeFromAnEarlierClip) {
    Harness harness;
    harness.rates = {0.1, 0.01, 0.02};
    auto meter = harness.meter();
    meter.begin(Phase::Text, 2);
    EXPECT_DOUBLE_EQ(harness.seen.back().secondsLeft, 1.0 + 8.0 + 4.0);
}

TEST(ProgressMeter, WorksWithoutListenerAndWithoutPlan) {
    const job::Plan plan;
    PhaseRates rates;
    const std::function<void(const Progress&)> nobody;
    ProgressMeter silent(plan, rates, nobody);
    silent.begin(Phase::Denoise, 0);
    silent.report(0);
    Harness harness;
    harness.plan = {};
    auto meter = harness.meter();
    meter.begin(Phase::Decode, 3);
    meter.report(3);
    EXPECT_GE(harness.seen.back().fraction, 0.0);
    EXPECT_LE(harness.seen.back().fraction, 1.0);
}

}  // namespace
}  // namespace fw::pipeline
