#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "../weights/temp_folder.h"
#include "core/model/video_model.h"
#include "fixture.h"

namespace fw::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<Tokenizer> loadFixture(const char* name) {
    auto tokenizer = loadTokenizer(test::fixturePath(name));
    EXPECT_TRUE(tokenizer) << tokenizer.error().message;
    return std::move(*tokenizer);
}

std::string readBytes(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Tokenizer, EqualsTheReference) {
    const Json cases = test::readFixture("tokens.json");
    for (const char* name : {"wordy", "bytes"}) {
        const auto tokenizer = loadFixture(name);
        EXPECT_EQ(tokenizer->maxTokens(), 24);
        ASSERT_GT(cases[name].size(), 50U);
        for (const Json& entry : cases[name]) {
            const auto ids = tokenizer->encode(entry[0].get<std::string>());
            ASSERT_TRUE(ids) << entry[0];
            EXPECT_EQ(*ids, entry[1].get<std::vector<std::int32_t>>()) << name << " " << entry[0];
        }
    }
}

TEST(Tokenizer, EmptyTextIsTheEndOfSequence) {
    const auto tokenizer = loadFixture("wordy");
    EXPECT_THAT(*tokenizer->encode(""), ElementsAre(1));
    EXPECT_THAT(*tokenizer->encode(" \n\t "), ElementsAre(1));
}

TEST(Tokenizer, LongPromptsAreCutAndStillEnd) {
    const auto tokenizer = loadFixture("wordy");
    std::string text;
    for (int i = 0; i < 2500; ++i) {
        text += "fox ";
    }
    const auto ids = tokenizer->encode(text);
    ASSERT_TRUE(ids);
    EXPECT_EQ(ids->size(), 24U);
    EXPECT_EQ(ids->back(), 1);
    EXPECT_EQ(std::count(ids->begin(), ids->end(), 1), 1);
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
    const auto ids = loadFixture("wordy")->encode("caf\xe9");
    ASSERT_FALSE(ids);
    EXPECT_EQ(ids.error().code, ErrorCode::InvalidArgument);
    EXPECT_THAT(ids.error().message, HasSubstr("byte 3 (0xE9)"));
}

class BrokenTokenizer : public ::testing::Test {
 protected:
    BrokenTokenizer()
        : m_config(readBytes(test::fixturePath("bytes/tokenizer/tokenizer_config.json"))),
          m_model(readBytes(test::fixturePath("bytes/tokenizer/spiece.model"))) {}

    // Loads the folder that holds m_config and m_model.
    [[nodiscard]] Error load() {
        m_folder.write("tokenizer/tokenizer_config.json", m_config);
        m_folder.write("tokenizer/spiece.model", m_model);
        const auto tokenizer = loadTokenizer(m_folder.path());
        return tokenizer ? Error{ErrorCode::Internal, "loaded"} : tokenizer.error();
    }

    test::TempFolder m_folder;
    std::string m_config, m_model;
};

TEST_F(BrokenTokenizer, UnchangedItLoads) {
    EXPECT_EQ(load().message, "loaded");
}

// Files written by later versions of the reference list no special tokens.
TEST_F(BrokenTokenizer, SpecialTokensOfTheVocabularyNeedNoList) {
    Json config = Json::parse(m_config);
    config.erase("added_tokens_decoder");
    m_config = config.dump();
    ASSERT_EQ(load().message, "loaded");
    const auto tokenizer = *loadTokenizer(m_folder.path());
    const auto listed = loadFixture("bytes");
    for (const char* text : {"a</s>b <pad>  c<unk>", "</s>", "<pad><pad>fox"}) {
        EXPECT_EQ(*tokenizer->encode(text), *listed->encode(text)) << text;
    }
    EXPECT_THAT(*tokenizer->encode("</s><pad>"), ElementsAre(1, 0, 1));
}

TEST_F(BrokenTokenizer, MissingFiles) {
    const auto nothing = loadTokenizer(m_folder.path());
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().code, ErrorCode::BadModel);
    EXPECT_THAT(nothing.error().message, HasSubstr("tokenizer_config.json is missing"));
    m_folder.write("tokenizer/tokenizer_config.json", m_config);
    const auto noModel = loadTokenizer(m_folder.path());
    ASSERT_FALSE(noModel);
    EXPECT_THAT(noModel.error().message, HasSubstr("spiece.model is missing"));
}

TEST_F(BrokenTokenizer, DamagedVocabularies) {
    const std::string good = m_model;
    for (const std::string& bytes : {std::string(), std::string("not a model"), std::string(1000, '\xff'),
                                     good.substr(0, good.size() / 2), good.substr(0, 40)}) {
        m_model = bytes;
        const Error error = load();
        EXPECT_EQ(error.code, ErrorCode::BadModel) << bytes.size();
        EXPECT_THAT(error.message, HasSubstr("spiece.model")) << bytes.size();
    }
}

TEST_F(BrokenTokenizer, EndOfSequenceTheVocabularyLacks) {
    Json config = Json::parse(m_config);
    config["eos_token"] = "<end>";
    m_config = config.dump();
    EXPECT_THAT(load().message, HasSubstr("lack the end-of-sequence token '<end>'"));
}

TEST_F(BrokenTokenizer, SpecialTokensUnderOtherPiecesIds) {
    Json config = Json::parse(m_config);
    config["added_tokens_decoder"]["5"] = {{"content", "<pad2>"}, {"special", true}};
    m_config = config.dump();
    EXPECT_THAT(load().message, HasSubstr("the special token '<pad2>' has the id 5 of the piece"));
}

}  // namespace
}  // namespace fw::model
