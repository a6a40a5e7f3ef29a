#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

#include "core/trace/trace_file.h"
#include "core/weights/safetensors.h"

namespace fw::trace {
namespace {

using testing::HasSubstr;

class TraceFile : public testing::Test {
 protected:
    void SetUp() override {
        m_folder = std::filesystem::temp_directory_path() / ("fw_trace_" + std::to_string(getpid()));
        std::filesystem::create_directories(m_folder);
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }
    std::filesystem::path m_folder;
};

TEST_F(TraceFile, RoundTripsRowsAndDescription) {
    Trace trace;
    trace.metadata["request"] = {{"prompt", "ein Bär"}};
    trace.add({-1, 0, -1, Module::TextEncoder, 0, 1500, 1LL << 40, 7});
    trace.add({3, 1, 29, Module::AttentionCore, 1LL << 33, 2, 3, 1LL << 35, 1, 2, 3, 4, Source::Predicted});
    const auto path = m_folder / "clip.safetensors";
    ASSERT_TRUE(writeTrace(path, trace));
    const auto back = readTrace(path);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->rows().size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        const Row& a = trace.rows()[i];
        const Row& b = back->rows()[i];
        EXPECT_EQ(std::tie(a.step, a.branch, a.layer, a.module, a.source),
                  std::tie(b.step, b.branch, b.layer, b.module, b.source));
        EXPECT_EQ(std::tie(a.startUs, a.durationUs, a.flops, a.bytes),
                  std::tie(b.startUs, b.durationUs, b.flops, b.bytes));
    }
    EXPECT_EQ(back->metadata.at("request").at("prompt"), "ein Bär");
    EXPECT_EQ(back->metadata.at("modules").at(static_cast<std::size_t>(Module::AttentionCore)), "attention_core");
}

TEST_F(TraceFile, WritesAnEmptyTrace) {
    const auto path = m_folder / "empty.safetensors";
    ASSERT_TRUE(writeTrace(path, Trace{}));
    const auto back = readTrace(path);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(back->rows().empty());
}

TEST_F(TraceFile, SaysThatANewerVersionWroteIt) {
    const auto path = m_folder / "newer.safetensors";
    const std::int32_t step = 0;
    const auto write = [&](const std::string& description) {
        ASSERT_TRUE(
            weights::writeSafetensors(path, {{"step", {&step, DType::I32, {1}}}}, {{"trace", description}}));
    };
    for (const char* description : {R"({"format": 2})", R"({"format": 1e30})", R"({"format": "two"})"}) {
        write(description);
        const auto back = readTrace(path);
        ASSERT_FALSE(back) << description;
        EXPECT_EQ(back.error().code, ErrorCode::BadModel);
        EXPECT_THAT(back.error().message, HasSubstr("newer.safetensors"));
        EXPECT_THAT(back.error().message, HasSubstr("a newer version of Framewright"));
    }
    write(R"({"format": 1})");
    EXPECT_THAT(readTrace(path).error().message, HasSubstr("branch")) << "the format is known, a column is missing";
    write("{}");
    EXPECT_THAT(readTrace(path).error().message, HasSubstr("branch")) << "files of before had no format";
}

// Copying such a value once parsed would need a stack as deep as it is.
TEST_F(TraceFile, RefusesDescriptionsNestedWithoutEnd) {
    const auto path = m_folder / "deep.safetensors";
    const std::int32_t step = 0;
    const std::string brackets = std::string(1'000'000, '[') + std::string(1'000'000, ']');
    for (const char* key : {"format", "request", "probes"}) {
        ASSERT_TRUE(weights::writeSafetensors(path, {{"step", {&step, DType::I32, {1}}}},
                                              {{"trace", fmt::format(R"({{"{}": {}}})", key, brackets)}}));
        const auto back = readTrace(path);
        ASSERT_FALSE(back) << key;
        EXPECT_EQ(back.error().code, ErrorCode::BadModel);
        EXPECT_THAT(back.error().message, testing::AllOf(HasSubstr("deep.safetensors"), HasSubstr("nested")));
    }
}

TEST_F(TraceFile, RefusesOtherFiles) {
    const auto path = m_folder / "weights.safetensors";
    const float value = 1.0F;
    ASSERT_TRUE(weights::writeSafetensors(path, {{"w", {&value, DType::F32, {1}}}}, {}));
    const auto back = readTrace(path);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, ErrorCode::BadModel);
    EXPECT_THAT(back.error().message, HasSubstr("is no trace"));
    const auto missing = writeTrace(m_folder / "none" / "trace.safetensors", Trace{});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::Io);
}

TEST(ModuleName, CoversEveryModule) {
    EXPECT_EQ(moduleName(Module::TextEncoder), "text_encoder");
    EXPECT_EQ(moduleName(Module::SelfAttention), "self_attention");
    EXPECT_EQ(moduleName(Module::VaeEncode), "vae_encode");
}

}  // namespace
}  // namespace fw::trace
