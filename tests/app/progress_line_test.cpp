#include "app/cli/progress_line.h"

#include <gtest/gtest.h>

#include "app/cli/bench_report.h"
#include "app/cli/exit_code.h"

namespace fw::cli {
namespace {

pipeline::Progress denoising(double fraction, double left) {
    return {.phase = pipeline::Phase::Denoise, .step = 12, .steps = 20, .fraction = fraction, .secondsLeft = left};
}

TEST(DurationText, RoundsUpAndGroups) {
    EXPECT_EQ(durationText(0.0), "0:00");
    EXPECT_EQ(durationText(0.2), "0:01");
    EXPECT_EQ(durationText(59.5), "1:00");
    EXPECT_EQ(durationText(725.0), "12:05");
    EXPECT_EQ(durationText(3729.0), "1:02:09");
    EXPECT_EQ(durationText(-3.0), "0:00");
}

TEST(ProgressLine, FitsEveryWidth) {
    for (int width = 0; width < 200; ++width) {
        EXPECT_LE(progressLine(denoising(0.64, 5.0), width).size(), static_cast<std::size_t>(width));
    }
}

TEST(ProgressLine, TellsPhaseStepsShareAndTime) {
    EXPECT_EQ(progressLine(denoising(0.5, 5.0), 50), "denoise  12/20  [########........]  50%  0:05 left");
    EXPECT_EQ(progressLine(denoising(0.999, -1.0), 30), "denoise  12/20  [######.]  99%");
    EXPECT_EQ(progressLine(denoising(0.5, 5.0), 32), "denoise  12/20   50%  0:05 left");  // no room for a bar
}

TEST(ExitCode, HasOneNumberPerKind) {
    EXPECT_EQ(exitCode(ErrorCode::InvalidArgument), 2);
    EXPECT_EQ(exitCode(ErrorCode::BadModel), 3);
    EXPECT_EQ(exitCode(ErrorCode::OutOfMemory), 4);
    EXPECT_EQ(exitCode(ErrorCode::Cancelled), 5);
    EXPECT_EQ(exitCode(ErrorCode::Io), 6);
    EXPECT_EQ(exitCode(ErrorCode::Unsupported), 7);
    EXPECT_EQ(exitCode(ErrorCode::DeviceLost), 70);
    EXPECT_EQ(exitCode(ErrorCode::Internal), 70);
}

TEST(JsonText, ReplacesWhatIsNoUtf8) {
    EXPECT_EQ(jsonText({{"message", "caf\xe9"}}), "{\"message\":\"caf\ufffd\"}");
}

TEST(Samples, KnowTheirMedian) {
    EXPECT_DOUBLE_EQ((Samples{{3.0, 1.0, 2.0}}.median()), 2.0);
    EXPECT_DOUBLE_EQ((Samples{{4.0, 1.0, 2.0, 3.0}}.median()), 2.5);
    EXPECT_DOUBLE_EQ((Samples{{4.0, 1.0}}.fastest()), 1.0);
    EXPECT_DOUBLE_EQ((Samples{{4.0, 1.0}}.slowest()), 4.0);
}

}  // namespace
}  // namespace fw::cli
