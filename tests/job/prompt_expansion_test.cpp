// Choices in prompts and the batches made of them.
#include "core/job/prompt_expansion.h"

#include <gtest/gtest.h>

#include <set>

namespace fw::job {
namespace {

using Texts = std::vector<std::string>;

Texts all(std::string_view text) {
    const auto parsed = PromptTemplate::parse(text);
    EXPECT_TRUE(parsed) << text << parsed.error().message;
    Texts texts;
    for (std::int64_t i = 0; parsed && i < parsed->combinations(); ++i) {
        texts.push_back(parsed->combination(i));
    }
    return texts;
}

std::string errorOf(std::string_view text) {
    const auto parsed = PromptTemplate::parse(text);
    return parsed ? "" : parsed.error().message;
}

TEST(PromptTemplate, PlainTextIsItself) {
    EXPECT_EQ(all("a red fox"), Texts{"a red fox"});
    EXPECT_EQ(all(""), Texts{""});
    EXPECT_EQ(all("雪狐 🦊"), Texts{"雪狐 🦊"});
    EXPECT_EQ(all("this | that"), Texts{"this | that"});
    EXPECT_EQ(all(R"(C:\fox\)"), Texts{R"(C:\fox\)"});
}

TEST(PromptTemplate, BracesHoldAlternatives) {
    EXPECT_EQ(all("a {red|blue} fox"), (Texts{"a red fox", "a blue fox"}));
    EXPECT_EQ(all("{a|b}{1|2|3}"), (Texts{"a1", "a2", "a3", "b1", "b2", "b3"}));
    EXPECT_EQ(all("{fox}"), Texts{"fox"});
    EXPECT_EQ(all("{a|a}"), (Texts{"a", "a"}));
}

TEST(PromptTemplate, AlternativesNest) {
    EXPECT_EQ(all("{red|dark {blue|green}} fox"), (Texts{"red fox", "dark blue fox", "dark green fox"}));
    EXPECT_EQ(all("{{a|b}|{c|d}}"), (Texts{"a", "b", "c", "d"}));
    EXPECT_EQ(all("{a{1|2}|b}{x|y}"), (Texts{"a1x", "a1y", "a2x", "a2y", "bx", "by"}));
}

TEST(PromptTemplate, AlternativesMayBeEmpty) {
    EXPECT_EQ(all("a {|very }small fox"), (Texts{"a small fox", "a very small fox"}));
    EXPECT_EQ(all("{}"), Texts{""});
    EXPECT_EQ(all("{|}"), (Texts{"", ""}));
}

TEST(PromptTemplate, BackslashMakesPlainText) {
    EXPECT_EQ(all(R"(\{red|blue\})"), Texts{"{red|blue}"});
    EXPECT_EQ(all(R"({a\|b|c\}})"), (Texts{"a|b", "c}"}));
    EXPECT_EQ(all(R"({a\\|b})"), (Texts{R"(a\)", "b"}));
    EXPECT_EQ(all(R"(a\b)"), Texts{R"(a\b)"});
}

TEST(PromptTemplate, EscapedTextComesBack) {
    for (const std::string_view text :
         {"plain", "{a|b}", R"(\{)", R"(\\)", R"(a\|b)", R"({\}|\\})", "}{", R"(end\)"}) {
        EXPECT_EQ(all(escapePrompt(text)), Texts{std::string(text)}) << text;
    }
}

TEST(PromptTemplate, UnbalancedBracesAreRefusedWithTheirPlace) {
    EXPECT_NE(errorOf("a {red|blue fox").find("character 3"), std::string::npos);
    EXPECT_NE(errorOf("a red} fox").find("character 6"), std::string::npos);
    EXPECT_NE(errorOf("{a|{b}").find("character 1"), std::string::npos);
    EXPECT_NE(errorOf("雪狐 {").find("character 4"), std::string::npos);
    EXPECT_NE(errorOf("{").find(R"(\{)"), std::string::npos);
    EXPECT_NE(errorOf(R"({a\})"), "");
    EXPECT_NE(errorOf(std::string(17, '{') + std::string(17, '}')).find("16"), std::string::npos);
    EXPECT_EQ(errorOf(std::string(16, '{') + std::string(16, '}')), "");
    EXPECT_NE(errorOf(std::string(100'000, '{')), "");
}

TEST(PromptTemplate, HugeNumbersOfCombinationsStayNumbers) {
    std::string text;
    for (int i = 0; i < 2000; ++i) {
        text += "{a|b|c}";
    }
    const auto parsed = PromptTemplate::parse(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->combinations(), PromptTemplate::kMostCombinations);
    EXPECT_EQ(parsed->pick(1).size(), 2000U);
}

TEST(PromptTemplate, TheSeedDecides) {
    const auto parsed = PromptTemplate::parse("{a|b|c|d}{e|f|g|h}");
    ASSERT_TRUE(parsed);
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        EXPECT_EQ(parsed->pick(seed), parsed->pick(seed));
        seen.insert(parsed->pick(seed));
    }
    EXPECT_EQ(seen.size(), 16U);
    // Fixed for ever: a clip made last year must come out of the same seed.
    EXPECT_EQ(parsed->pick(0), "de");
    EXPECT_EQ(parsed->pick(42), "bh");
}

GenerationRequest base(std::uint64_t seed) {
    GenerationRequest request;
    request.seed = seed;
    request.steps = 7;
    return request;
}

TEST(Batch, OnePromptIsOneRequest) {
    const auto batch = expandBatch(base(5), "  a red\n fox ", {});
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->size(), 1U);
    EXPECT_EQ(batch->front().prompt, "a red fox");
    EXPECT_EQ(batch->front().seed, 5U);
    EXPECT_EQ(batch->front().steps, 7);
}

TEST(Batch, LinesTimesCombinationsTimesSeeds) {
    const std::string text = "{a|b} fox\n\n   \r\na cat\n";
    const BatchOptions options{.eachLine = true, .allCombinations = true, .seeds = 2};
    const auto batch = expandBatch(base(~std::uint64_t{0}), text, options);
    ASSERT_TRUE(batch);
    Texts prompts;
    for (const auto& request : *batch) {
        prompts.push_back(request.prompt);
    }
    EXPECT_EQ(prompts, (Texts{"a fox", "a fox", "b fox", "b fox", "a cat", "a cat"}));
    EXPECT_EQ((*batch)[0].seed, ~std::uint64_t{0});
    EXPECT_EQ((*batch)[1].seed, 0U);
    EXPECT_EQ(countBatch(text, options).value(), 6);
    EXPECT_EQ(expandBatch(base(1), text, options, 3)->size(), 3U);
}

TEST(Batch, PickedTextsFollowTheirOwnSeed) {
    const auto batch = expandBatch(base(10), "{a|b|c|d|e|f|g|h}", {.seeds = 20});
    ASSERT_TRUE(batch);
    std::set<std::string> seen;
    for (const auto& request : *batch) {
        EXPECT_EQ(request.prompt, PromptTemplate::parse("{a|b|c|d|e|f|g|h}")->pick(*request.seed));
        seen.insert(request.prompt);
    }
    EXPECT_GT(seen.size(), 3U);
}

TEST(Batch, SpacesAroundEmptyAlternativesGo) {
    EXPECT_EQ(expandBatch(base(1), "a {} fox", {})->front().prompt, "a fox");
}

TEST(Batch, ItsSizeIsLimited) {
    EXPECT_EQ(expandBatch(base(1), "fox", {.seeds = 1000})->size(), 1000U);
    const auto refused = expandBatch(base(1), "fox", {.seeds = 1001});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("1001"), std::string::npos);
    EXPECT_NE(refused.error().message.find("1000"), std::string::npos);
    std::string many;
    for (int i = 0; i < 60; ++i) {
        many += "{a|b}";
    }
    EXPECT_FALSE(expandBatch(base(1), many, {.allCombinations = true}));
    EXPECT_EQ(countBatch(many, {.allCombinations = true, .seeds = 1 << 20}).value(),
              PromptTemplate::kMostCombinations);
    EXPECT_FALSE(countBatch("fox", {.seeds = 0}));
    EXPECT_EQ(countBatch("", {}).value(), 0);
    EXPECT_EQ(countBatch(" \n ", {.eachLine = true}).value(), 0);
}

TEST(Batch, MistakesNameTheirLine) {
    const auto refused = countBatch("a\nb {\nc", {.eachLine = true});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("line 2"), std::string::npos);
}

}  // namespace
}  // namespace fw::job
