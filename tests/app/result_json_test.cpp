#include "app/cli/result_json.h"

#include <gtest/gtest.h>

#include "core/job/clip_metadata.h"

namespace fw::cli {
namespace {

TEST(MetadataJson, ShowsJsonAsItStandsAndTheRestAsText) {
    EXPECT_EQ(metadataJson(R"({"b": 1, "a": [true]})").dump(), R"({"b":1,"a":[true]})");
    EXPECT_EQ(metadataJson("").dump(), R"("")");
    EXPECT_EQ(metadataJson("made by somebody").dump(), R"("made by somebody")");
    EXPECT_EQ(metadataJson("{").dump(), R"("{")");
}

// Copying and printing a value is recursive: a megabyte of brackets would end the program.
TEST(MetadataJson, TakesNothingApartThatNestsWithoutEnd) {
    const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
    EXPECT_EQ(metadataJson(deep), OrderedJson(deep));
    const auto nested = [](int levels) {
        const auto count = static_cast<std::size_t>(levels);
        return std::string(count, '[') + std::string(count, ']');
    };
    EXPECT_TRUE(metadataJson(nested(job::kMaxMetadataDepth)).is_array());
    EXPECT_TRUE(metadataJson(nested(job::kMaxMetadataDepth + 1)).is_string());
}

}  // namespace
}  // namespace fw::cli
