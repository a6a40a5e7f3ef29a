#include "core/ipc/preview_ring.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unistd.h>
#include <csignal>

#include <numeric>
#include <thread>

namespace fw::ipc {
namespace {

std::string uniqueName() {
    static int count = 0;
    return "/fw-test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

TEST(PreviewRing, CarriesFramesBetweenTwoMappings) {
    const std::string name = uniqueName();
    const auto reader = PreviewRing::create(name, 3, 1000);
    ASSERT_TRUE(reader) << reader.error().message;
    const auto writer = PreviewRing::open(name);
    ASSERT_TRUE(writer) << writer.error().message;
    (*reader)->unlink();
    EXPECT_FALSE(PreviewRing::open(name)) << "nothing is left under the name";
    std::vector<std::uint8_t> frame(1000);
    std::iota(frame.begin(), frame.end(), std::uint8_t{0});
    for (int i = 0; i < 7; ++i) {
        frame[0] = static_cast<std::uint8_t>(i);
        const auto written = (*writer)->write(frame.data(), 1000);
        ASSERT_TRUE(written);
        EXPECT_EQ(written->slot, i % 3);
        EXPECT_EQ((*reader)->read(written->slot, written->sequence), frame);
    }
    EXPECT_TRUE((*reader)->read(0, 1).empty()) << "overwritten meanwhile";
    EXPECT_TRUE((*reader)->read(9, 1).empty());
    EXPECT_TRUE((*reader)->read(-1, 1).empty());
    EXPECT_FALSE((*writer)->write(frame.data(), 1001));
    EXPECT_FALSE(PreviewRing::create("/fw-test/bad", 1, 1));
}

TEST(PreviewRing, AReaderNeverSeesAMixtureOfTwoFrames) {
    const std::string name = uniqueName();
    const auto reader = PreviewRing::create(name, 2, 64 * 1024);
    ASSERT_TRUE(reader);
    const auto writer = PreviewRing::open(name);
    ASSERT_TRUE(writer);
    (*reader)->unlink();
    std::atomic<std::uint64_t> latest{0};
    std::atomic<bool> stop{false};
    std::thread producer([&] {
        std::vector<std::uint8_t> frame(64 * 1024);
        for (int i = 1; i < 3000; ++i) {
            std::fill(frame.begin(), frame.end(), static_cast<std::uint8_t>(i));
            const auto written = (*writer)->write(frame.data(), static_cast<std::int64_t>(frame.size()));
            latest.store(written->sequence * 2 + static_cast<std::uint64_t>(written->slot));
        }
        stop.store(true);
    });
    while (!stop.load()) {
        const std::uint64_t packed = latest.load();
        const auto frame = (*reader)->read(static_cast<int>(packed % 2), packed / 2);
        for (std::size_t i = 1; i < frame.size(); i += 997) {
            ASSERT_EQ(frame[i], frame[0]);
        }
    }
    producer.join();
}

TEST(PreviewRing, SweepsWhatTheDeadLeftAndNothingElse) {
    const std::string prefix = "framewright-sweep-" + std::to_string(getpid()) + "-";
    const auto living = PreviewRing::create("/" + prefix + "living", 2, 100);
    ASSERT_TRUE(living) << living.error().message;
    const pid_t child = fork();
    if (child == 0) {
        const auto left = PreviewRing::create("/" + prefix + "dead", 2, 100);
        kill(getpid(), left ? SIGKILL : SIGTERM);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
    PreviewRing::sweep(prefix);  // too young: its creator may be about to lock it
    EXPECT_TRUE(PreviewRing::open("/" + prefix + "dead"));
    PreviewRing::sweep(prefix, std::chrono::seconds(0));
    EXPECT_FALSE(PreviewRing::open("/" + prefix + "dead"));
    EXPECT_TRUE(PreviewRing::open("/" + prefix + "living"));
    (*living)->unlink();
    EXPECT_FALSE(PreviewRing::open("/" + prefix + "living"));
}

}  // namespace
}  // namespace fw::ipc
