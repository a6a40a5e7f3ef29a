// Rules that are known before the run.
#include <gtest/gtest.h>

#include "core/cache/fastercache.h"
#include "core/cache/guidance.h"
#include "core/cache/magcache.h"
#include "core/cache/taylorseer.h"

namespace fw::cache {
namespace {

std::string text(const DecisionRow& row) {
    return describeRow("", row).steps;
}

TEST(MagCacheRule, SumsTheErrorAndLimitsTheRun) {
    // 1 - 0.9 = 0.1; then 1 - 0.81 = 0.19 more.
    const std::vector<double> steady(10, 0.9);
    EXPECT_EQ(text(magDecisions({0.2, 9, 0.2}, steady)), "ccrcrcrcrc");   // 0.1 fits, 0.29 does not
    EXPECT_EQ(text(magDecisions({0.3, 9, 0.2}, steady)), "ccrrcrrcrr");   // 0.29 fits
    EXPECT_EQ(text(magDecisions({9.0, 3, 0.2}, steady)), "ccrrrcrrrc");   // at most three in a row
    EXPECT_EQ(text(magDecisions({9.0, 99, 0.0}, steady)), "crrrrrrrrr");  // the first step is always computed
    EXPECT_EQ(text(magDecisions({0.0, 9, 0.0}, steady)), "cccccccccc");
    EXPECT_EQ(text(magDecisions({9.0, 9, 1.0}, steady)), "cccccccccc");
    EXPECT_EQ(text(magDecisions({9.0, 9, 0.5}, {})), "");
    EXPECT_EQ(text(magDecisions({9.0, 9, 0.0}, {1.0})), "c");
}

// Published for Wan2.1 1.3B with a run of 2: 2.14 times as fast as no cache (MagCache, table of the paper).
TEST(MagCacheRule, LeavesOutAsManyStepsAsThePublishedSpeedSays) {
    const Constants constants = findConstants("/nonexistent", 30, 1536);
    const auto speed = [&](int longest) {
        double computed = 0.0;
        for (const auto& magnitudes : constants.magnitudes) {
            computed += countOf(magDecisions({0.12, longest, 0.2}, magnitudes), Decision::Compute);
        }
        return 100.0 / computed;
    };
    EXPECT_NEAR(speed(2), 2.14, 0.15);
    EXPECT_GT(speed(4), speed(2));
}

TEST(TaylorRule, ComputesEveryNth) {
    EXPECT_EQ(text(taylorDecisions(3, 5, 14)), "cccppppcppppcp");
    EXPECT_EQ(text(taylorDecisions(1, 2, 6)), "cpcpcp");
    EXPECT_EQ(text(taylorDecisions(1, 1, 4)), "cccc");
    EXPECT_EQ(text(taylorDecisions(9, 5, 4)), "cccc");
}

TEST(TaylorRule, IntervalFollowsTheSteps) {
    EXPECT_EQ(taylorInterval(50), 5);
    EXPECT_EQ(taylorInterval(39), 3);
    EXPECT_EQ(taylorInterval(20), 2);
    EXPECT_EQ(taylorInterval(4), 2);
}

TEST(FasterRules, AlternateAndPredictGuidance) {
    EXPECT_EQ(text(alternatingDecisions(3, 9)), "cccpcpcpc");
    EXPECT_EQ(text(alternatingDecisions(4, 9)), "cccccpcpc");
    EXPECT_EQ(text(guidanceDecisions({0.3, 5, 0.2}, 14)), "ccccccppppcppp");
    EXPECT_EQ(text(guidanceDecisions({0.5, 1, 0.2}, 6)), "cccccc");
    EXPECT_EQ(text(guidanceDecisions({1.0, 5, 0.2}, 6)), "cccccc");
}

}  // namespace
}  // namespace fw::cache
