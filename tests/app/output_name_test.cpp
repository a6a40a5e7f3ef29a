#include "app/engine/output_name.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace fw::app {
namespace {

std::string baseName(const std::string& prompt) {
    job::GenerationRequest request;
    request.prompt = prompt;
    request.seed = 7;
    std::tm date{};
    date.tm_year = 126;
    date.tm_mon = 10;
    date.tm_mday = 22;
    return clipBaseName(request, date);
}

TEST(ClipBaseName, KeepsOnlyPlainCharacters) {
    EXPECT_EQ(baseName("A red Balloon, rising!"), "20261122-a-red-balloon-rising-7");
    EXPECT_EQ(baseName("../../etc/passwd; rm -rf $HOME"), "20261122-etc-passwd-rm-rf-home-7");
    EXPECT_EQ(baseName("熊が走る"), "20261122-clip-7");
    EXPECT_LE(baseName(std::string(5000, 'a')).size(), 80U);
}

TEST(FreeName, NumbersTakenNames) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw_name_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    EXPECT_EQ(freeName(folder, "clip", ".mp4").filename(), "clip.mp4");
    std::ofstream(folder / "clip.mp4") << "x";
    EXPECT_EQ(freeName(folder, "clip", ".mp4").filename(), "clip-2.mp4");
    std::ofstream(folder / "clip-2.mp4") << "x";
    EXPECT_EQ(freeName(folder, "clip", ".mp4").filename(), "clip-3.mp4");
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace fw::app
