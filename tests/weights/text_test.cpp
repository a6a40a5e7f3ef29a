#include "core/weights/text.h"

#include <gtest/gtest.h>

#include <string>

namespace fw::weights {
namespace {

TEST(Utf8, FindsTheFirstInvalidByte) {
    EXPECT_FALSE(firstInvalidUtf8(""));
    EXPECT_FALSE(firstInvalidUtf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf"));
    const std::pair<std::string, std::size_t> cases[] = {
        {"\x80", 0},                  // continuation without a lead
        {"ab\xff", 2},                // never a byte of UTF-8
        {"a\xc3", 1},                 // cut short
        {"a\xe2\x82", 1},             //
        {"\xf0\x9f\x98", 0},          //
        {"\xc0\xaf", 0},              // overlong
        {"\xc1\xbf", 0},              //
        {"\xe0\x80\xaf", 0},          //
        {"\xf0\x80\x80\xaf", 0},      //
        {"x\xed\xa0\x80", 1},         // surrogate
        {"\xf4\x90\x80\x80", 0},      // above U+10FFFF
        {"\xf5\x80\x80\x80", 0},      //
        {"\xe2\x28\xa1", 0},          // a wrong second byte
        {"\xf0\x9f\x28\x80", 0},      // a wrong third byte
        {"\xc3\xa4\xc3\xa4\xfe", 4},  // after good ones
    };
    for (const auto& [text, position] : cases) {
        EXPECT_EQ(firstInvalidUtf8(text), position) << quoteText(text);
    }
}

TEST(Utf8, IsCutBetweenCharacters) {
    const std::string text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";  // 1, 2, 3, 4 and 1 bytes
    const std::size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (std::size_t bytes = 0; bytes < std::size(ends); ++bytes) {
        EXPECT_EQ(cutUtf8(text, bytes), text.substr(0, ends[bytes])) << bytes;
        EXPECT_FALSE(firstInvalidUtf8(cutUtf8(text, bytes))) << bytes;
    }
}

TEST(QuoteText, EscapesAndCuts) {
    EXPECT_EQ(quoteText("weight ä"), "'weight ä'");
    EXPECT_EQ(quoteText(std::string("a\0\x1b\x7f\xff", 5)), "'a\\x00\\x1B\\x7F\\xFF'");
    EXPECT_EQ(quoteText("\xc2\x9b"
                        "31m\xc2\xa0"),
              "'\\xC2\\x9B31m\xc2\xa0'");
    const std::string text = quoteText(std::string(5000, 'x'));
    EXPECT_EQ(text, "'" + std::string(120, 'x') + "…'");
}

}  // namespace
}  // namespace fw::weights
