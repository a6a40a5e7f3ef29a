// The settings of a clip of unknown origin.
#include "core/job/clip_metadata.h"

#include <gtest/gtest.h>

namespace fw::job {
namespace {

std::string wrap(const OrderedJson& request) {
    return OrderedJson{{"program", "framewright"}, {"request", request}}.dump();
}

TEST(ClipMetadata, SettingsComeBack) {
    GenerationRequest request;
    request.prompt = "雪狐 \"quoted\"\n🦊 ../../etc";
    request.seed = ~std::uint64_t{0};
    request.steps = 3;
    const auto read = requestFromMetadata(wrap(toJson(request)));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, request);
}

TEST(ClipMetadata, AnythingElseIsRefusedInAFewWords) {
    const std::string deep(100'000, '[');
    std::string quoted = "{\"request\": {\"" + std::string(200'000, 'k') + "\": 1}}";
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("null"), std::string("[]"), std::string("{\"request\": 1}"),
          std::string("{\"request\": {\"schema\": 99}}"), std::string("\xff\xfe\x00", 3), deep, "{\"a\":" + deep,
          quoted, std::string("{\"request\": {\"prompt\": \"") + "\xc3\x28" + "\"}}",
          "{\"request\": {\"steps\": " + deep + "}}", std::string(kMaxMetadataBytes + 1, ' ')}) {
        const auto read = requestFromMetadata(text);
        ASSERT_FALSE(read) << text.substr(0, 60);
        EXPECT_EQ(read.error().code, ErrorCode::InvalidArgument);
        EXPECT_LT(read.error().message.size(), 300U) << text.substr(0, 60);
    }
}

TEST(ClipMetadata, CutMessagesEndBetweenCharacters) {
    std::string fox;
    for (int i = 0; i < 100; ++i) {
        fox += "🦊";
    }
    for (int shift = 0; shift < 4; ++shift) {
        const std::string prefix(static_cast<std::size_t>(shift), 'a');
        const auto read = requestFromMetadata(wrap({{"steps", prefix + fox}}));
        ASSERT_FALSE(read);
        EXPECT_NO_THROW((void)Json(read.error().message).dump()) << shift;  // dump() throws for broken UTF-8
    }
}

TEST(ClipMetadata, DepthCountsBracketsOutsideOfTextOnly) {
    const std::string brackets(500, '[');
    EXPECT_TRUE(parseUntrustedJson("{\"a\": \"" + brackets + "\\\"" + brackets + "\"}"));
    EXPECT_FALSE(parseUntrustedJson("{\"a\": " + brackets + std::string(500, ']') + "}"));
}

}  // namespace
}  // namespace fw::job
