#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/weights/model_config.h"
#include "temp_folder.h"

namespace fw::weights {
namespace {

using ::testing::HasSubstr;

void expectRefused(const std::string& text, const std::string& message) {
    const auto json = parseJsonText(text);
    ASSERT_FALSE(json) << message;
    EXPECT_EQ(json.error().code, ErrorCode::BadModel);
    EXPECT_THAT(json.error().message, HasSubstr(message));
}

TEST(JsonText, ReadsWhatTheLibraryReads) {
    for (const std::string text : {R"({"a": [1, -2, 3.5, true, false, null, "ä", [], {}], "b": {"c": {"d": []}}})",
                                   "[]", "3", "\"x\"", "null", "[[[1],[2]],[[3]]]"}) {
        const auto json = parseJsonText(text);
        ASSERT_TRUE(json) << text;
        EXPECT_EQ(*json, Json::parse(text));
    }
}

TEST(JsonText, RefusesWhatIsBrokenOrBoundless) {
    expectRefused("", "not valid JSON at byte");
    expectRefused("{", "not valid JSON at byte");
    expectRefused("{\"a\":1,}", "not valid JSON at byte 8");
    expectRefused("{} x", "not valid JSON at byte");
    expectRefused("[1e999]", "not valid JSON");
    expectRefused("[NaN]", "not valid JSON");
    expectRefused("\"\xc3\x28\"", "byte 1 is not valid UTF-8");
    expectRefused(R"({"a": 1, "b": {"c": 1, "c": 2}})", "the key 'c' appears twice");
    expectRefused(std::string(100'000, '['), "nested deeper than 64 levels");
    std::string objects;
    for (int i = 0; i < 1000; ++i) {
        objects += "{\"a\":";
    }
    expectRefused(objects, "nested deeper than 64 levels");
    std::string many = "[0";
    for (int i = 0; i < 1'000'000; ++i) {
        many += ",0";
    }
    expectRefused(many + "]", "more than 1000000 values");
    expectRefused(std::string((16U << 20U) + 1, ' '), "above the limit of 16777216");
}

TEST(JsonText, SixtyFourLevelsAreFine) {
    EXPECT_TRUE(parseJsonText(std::string(64, '[') + std::string(64, ']')));
    EXPECT_FALSE(parseJsonText(std::string(65, '[') + std::string(65, ']')));
}

TEST(JsonText, FilesAreNamedInMessages) {
    const test::TempFolder folder;
    const auto good = readJsonFile(folder.write("good.json", "{\"a\": 1}"));
    ASSERT_TRUE(good);
    EXPECT_EQ((*good)["a"], 1);
    const auto broken = readJsonFile(folder.write("broken.json", "{"));
    ASSERT_FALSE(broken);
    EXPECT_THAT(broken.error().message, HasSubstr("broken.json: not valid JSON"));
    const auto missing = readJsonFile(folder / "none.json");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::BadModel);
    EXPECT_THAT(missing.error().message, HasSubstr("none.json is missing"));
    const auto isFolder = readJsonFile(folder.path());
    ASSERT_FALSE(isFolder);
    EXPECT_THAT(isFolder.error().message, HasSubstr("is not a file"));
    const auto empty = readJsonFile(folder.write("empty.json", ""));
    ASSERT_FALSE(empty);
    EXPECT_THAT(empty.error().message, HasSubstr("not valid JSON"));
}

}  // namespace
}  // namespace fw::weights
