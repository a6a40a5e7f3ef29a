// Presets as text that people pass on.
#include "core/job/preset.h"

#include <gtest/gtest.h>

namespace fw::job {
namespace {

GenerationRequest full() {
    GenerationRequest request;
    request.prompt = "a {red|blue} fox, 雪";
    request.width = 256;
    request.steps = 12;
    request.seed = 9;
    request.model = "/home/somebody/models/wan";
    request.device = "cuda:1";
    request.memoryBudget = 1 << 30;
    return request;
}

TEST(Preset, ComesBackWithoutSeedAndMachine) {
    const std::string text = presetText({"night \"shots\"", full()});
    EXPECT_EQ(text.find("somebody"), std::string::npos);
    EXPECT_EQ(text.find("cuda"), std::string::npos);
    const auto read = presetFromText(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->name, "night \"shots\"");
    EXPECT_EQ(read->request, presetPart(full()));
    EXPECT_FALSE(read->request.seed);
}

TEST(Preset, AnythingElseIsRefusedWithAReason) {
    const auto errorOf = [](const std::string& text) {
        const auto read = presetFromText(text);
        return read ? std::string() : read.error().message;
    };
    EXPECT_NE(errorOf(""), "");
    EXPECT_NE(errorOf("[]"), "");
    EXPECT_NE(errorOf("{\"prompt\": \"fox\"}").find("framewright_preset"), std::string::npos);
    EXPECT_NE(errorOf(R"({"framewright_preset": 2, "name": "a", "request": {}})").find("newer"), std::string::npos);
    EXPECT_NE(errorOf(R"({"framewright_preset": 1, "name": "a", "request": {}, "hook": "x"})").find("hook"),
              std::string::npos);
    EXPECT_NE(errorOf(R"({"framewright_preset": 1, "name": "a", "request": {"run": "rm"}})").find("run"),
              std::string::npos);
    EXPECT_NE(errorOf(R"({"framewright_preset": 1, "name": "", "request": {}})").find("name"), std::string::npos);
    EXPECT_NE(errorOf(R"({"framewright_preset": 1, "name": 3, "request": {}})").find("name"), std::string::npos);
    EXPECT_NE(errorOf(R"({"framewright_preset": 1, "name": "a"})"), "");
    EXPECT_NE(errorOf(presetText({std::string(81, 'x'), {}})).find("80"), std::string::npos);
    EXPECT_EQ(errorOf(presetText({std::string(80, 'x'), {}})), "");
}

}  // namespace
}  // namespace fw::job
