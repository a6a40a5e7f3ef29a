#include "core/model/prompt_cleaning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/model/html_entities.h"
#include "core/model/unicode_text.h"
#include "fixture.h"

namespace fw::model {
namespace {

using ::testing::HasSubstr;

TEST(PromptCleaning, EqualsTheReference) {
    const Json cases = test::readFixture("cleaning.json");
    ASSERT_GT(cases.size(), 500U);
    for (const Json& entry : cases) {
        const auto text = entry[0].get<std::string>();
        const auto cleaned = cleanPrompt(text);
        ASSERT_TRUE(cleaned) << entry[0];
        EXPECT_EQ(*cleaned, entry[1].get<std::string>()) << entry[0];
        // No character reference is left that a second cleaning would read differently in plain prompts.
        if (text.find('&') == std::string::npos) {
            EXPECT_EQ(*cleanPrompt(*cleaned), *cleaned) << entry[0];
        }
    }
}

TEST(PromptCleaning, NamesTheFirstWrongByte) {
    const auto result = cleanPrompt("a fox \xc3\x28 runs");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(result.error().message, "the prompt is not valid UTF-8: byte 6 (0xC3) is wrong");
    EXPECT_FALSE(cleanPrompt("\xed\xa0\x80"));  // a surrogate
}

TEST(PromptCleaning, LongPromptsAreReadAndLongerOnesRefused) {
    const std::string longest(kMaxPromptBytes, 'x');
    ASSERT_TRUE(cleanPrompt(longest));
    EXPECT_EQ(cleanPrompt(longest)->size(), kMaxPromptBytes);
    const auto refused = cleanPrompt(longest + "x");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr("the prompt has 65537 bytes; at most 65536"));
}

TEST(PromptCleaning, NestedReferencesEndSoon) {
    // Each round of cleaning takes one "amp;" off; the longest prompt needs 16,000 rounds.
    std::string text = "&";
    while (text.size() + 4 <= kMaxPromptBytes) {
        text += "amp;";
    }
    EXPECT_EQ(*cleanPrompt(text), "&");
}

TEST(HtmlEntities, TheTwoReadingsDiffer) {
    const auto loose = [](const char* text) { return encodeUtf8(unescapeHtml(decodeUtf8(text))); };
    const auto strict = [](const char* text) { return encodeUtf8(unescapeUnambiguousHtml(decodeUtf8(text))); };
    EXPECT_EQ(loose("&amp &notit; &#65"), "& ¬it; A");
    EXPECT_EQ(strict("&amp &notit; &#65"), "&amp &notit; &#65");
    EXPECT_EQ(strict("&amp; &NTILDE; &#65;"), "& Ñ A");
    EXPECT_EQ(loose("&NTILDE;"), "&NTILDE;");
    EXPECT_EQ(loose(""), "");
    EXPECT_EQ(loose("&"), "&");
    EXPECT_EQ(strict("&#59;"), "&#59;");
    EXPECT_EQ(loose("&#59;"), ";");
}

}  // namespace
}  // namespace fw::model
