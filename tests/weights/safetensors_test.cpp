// The reader on good files, the writer, and the check for finite values.
#include "core/weights/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>

#include "temp_folder.h"

namespace fw::weights {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> filesIn(const std::filesystem::path& folder) {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        result.push_back(entry.path().filename().string());
    }
    return result;
}

TEST(Safetensors, WritesAndReadsEveryType) {
    const test::TempFolder folder;
    std::vector<double> f64{1.5, -2.25, 1e300};
    std::vector<float> f32{1, 2, 3, 4, 5, 6};
    std::vector<std::uint16_t> halves{0x3c00, 0xc000};
    std::vector<std::int64_t> i64{-1, std::numeric_limits<std::int64_t>::max()};
    std::vector<std::int32_t> i32{-7};
    std::vector<std::uint8_t> u8{1, 2, 255};
    const auto path = folder / "all.safetensors";
    const std::map<std::string, std::string> metadata{{"format", "pt"}, {"zwölf", "…"}};
    // Narrow types first: the writer has to reorder for alignment.
    ASSERT_TRUE(writeSafetensors(path,
                                 {{"u8", {u8.data(), DType::U8, {3}}},
                                  {"half", {halves.data(), DType::F16, {2}}},
                                  {"brain", {halves.data(), DType::BF16, {2, 1}}},
                                  {"i32", {i32.data(), DType::I32, {1}}},
                                  {"f32", {f32.data(), DType::F32, {2, 3}}},
                                  {"i64", {i64.data(), DType::I64, {2}}},
                                  {"f64", {f64.data(), DType::F64, {3, 1, 1}}},
                                  {"scalar", {f32.data() + 3, DType::F32, {}}},
                                  {"empty", {nullptr, DType::F32, {4, 0}}}},
                                 metadata));
    EXPECT_EQ(filesIn(folder.path()), std::vector<std::string>{"all.safetensors"});

    const auto file = SafetensorsFile::open(path);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ((*file)->metadata(), metadata);
    EXPECT_EQ((*file)->tensors().size(), 9U);
    EXPECT_EQ((*file)->fileBytes(), static_cast<std::int64_t>(std::filesystem::file_size(path)));
    for (const auto& [name, view] : (*file)->tensors()) {
        EXPECT_EQ(
            reinterpret_cast<std::uintptr_t>(view.data()) % static_cast<std::uintptr_t>(dtypeSize(view.dtype())),
            0U)
            << name;
    }
    const auto expect = [&](const char* name, const auto& values, DType dtype, const Shape& shape) {
        const auto view = (*file)->tensor(name, shape);
        ASSERT_TRUE(view) << view.error().message;
        EXPECT_EQ(view->dtype(), dtype);
        EXPECT_EQ(std::memcmp(view->data(), values.data(), static_cast<std::size_t>(view->bytes())), 0) << name;
    };
    expect("f64", f64, DType::F64, {3, 1, 1});
    expect("f32", f32, DType::F32, {2, 3});
    expect("half", halves, DType::F16, {2});
    expect("brain", halves, DType::BF16, {2, 1});
    expect("i64", i64, DType::I64, {2});
    expect("i32", i32, DType::I32, {1});
    expect("u8", u8, DType::U8, {3});
    EXPECT_EQ(*(*file)->tensor("scalar")->as<float>(), 4.0F);
    EXPECT_EQ((*file)->tensor("empty")->count(), 0);
}

TEST(Safetensors, NamesMissingTensorAndWrongShape) {
    const test::TempFolder folder;
    const std::vector<float> values(6, 0.0F);
    const auto path = folder / "a.safetensors";
    ASSERT_TRUE(writeSafetensors(path, {{"weight", {values.data(), DType::F32, {2, 3}}}}, {}));
    const auto file = SafetensorsFile::open(path);
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->contains("weight"));
    EXPECT_FALSE((*file)->contains("bias"));
    const auto missing = (*file)->tensor("bias");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::BadModel);
    EXPECT_THAT(missing.error().message, HasSubstr("tensor 'bias' is missing"));
    const auto wrong = (*file)->tensor("weight", {3, 2});
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().message, HasSubstr("'weight' has shape [2, 3] where [3, 2] is expected"));
}

TEST(Safetensors, ReadsShardsThroughTheirIndex) {
    const test::TempFolder folder;
    const std::vector<float> a{1, 2}, b{3};
    ASSERT_TRUE(
        writeSafetensors(folder / "m-1-of-2.safetensors", {{"a", {a.data(), DType::F32, {2}}}}, {{"k", "v"}}));
    ASSERT_TRUE(writeSafetensors(folder / "m-2-of-2.safetensors", {{"b", {b.data(), DType::F32, {1}}}}, {}));
    const auto index = folder.write(
        "m.safetensors.index.json",
        R"({"metadata": {"total_size": 12}, "weight_map": {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors"}})");
    const auto file = SafetensorsFile::open(index);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ((*file)->tensor("a")->as<float>()[1], 2.0F);
    EXPECT_EQ((*file)->tensor("b")->as<float>()[0], 3.0F);
    EXPECT_EQ((*file)->metadata().at("k"), "v");
}

TEST(Safetensors, TakesFromASharedFileOnlyWhatTheIndexNames) {
    const test::TempFolder folder;
    const std::vector<float> base{1, 2}, own{3};
    ASSERT_TRUE(writeSafetensors(folder / "other.safetensors",
                                 {{"a", {base.data(), DType::F32, {2}}},
                                  {"b", {base.data(), DType::F32, {2}}},
                                  {"c", {base.data(), DType::F32, {2}}}},
                                 {}));
    ASSERT_TRUE(writeSafetensors(folder / "own.safetensors", {{"b", {own.data(), DType::F32, {1}}}}, {}));
    std::filesystem::create_symlink("other.safetensors", folder / "base.safetensors");
    const auto file = SafetensorsFile::open(
        folder.write("x.index.json", R"({"weight_map": {"a": "base.safetensors", "b": "own.safetensors"}})"));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ((*file)->tensors().size(), 2U);
    EXPECT_EQ((*file)->tensor("a")->as<float>()[1], 2.0F);
    EXPECT_EQ((*file)->tensor("b")->as<float>()[0], 3.0F);
    EXPECT_FALSE((*file)->tensor("c"));
}

TEST(Safetensors, RefusesIndexesThatLie) {
    const test::TempFolder folder;
    const std::vector<float> a{1, 2};
    ASSERT_TRUE(writeSafetensors(folder / "one.safetensors", {{"a", {a.data(), DType::F32, {2}}}}, {}));
    ASSERT_TRUE(writeSafetensors(folder / "two.safetensors", {{"a", {a.data(), DType::F32, {2}}}}, {}));
    const std::pair<const char*, const char*> cases[] = {
        {R"({"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}})", "promises tensor 'b'"},
        {R"({"weight_map": {"a": "none.safetensors"}})", "'none.safetensors', which is missing"},
        {R"({"weight_map": {"a": "../one.safetensors"}})", "no safetensors file beside it"},
        {R"({"weight_map": {"a": "/etc/passwd"}})", "no safetensors file beside it"},
        {R"({"weight_map": {"a": ".."}})", "no safetensors file beside it"},
        {R"({"weight_map": {"a": 3}})", "no safetensors file beside it"},
        {R"({"weight_map": {}})", "is empty"},
        {R"({"weight_map": 1})", "\"weight_map\" is missing"},
        {R"([1])", "\"weight_map\" is missing"},
        {R"({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})", "promises tensor 'b'"},
    };
    for (const auto& [text, message] : cases) {
        const auto file = SafetensorsFile::open(folder.write("x.index.json", text));
        ASSERT_FALSE(file) << text;
        EXPECT_EQ(file.error().code, ErrorCode::BadModel) << text;
        EXPECT_THAT(file.error().message, HasSubstr(message)) << text;
    }
}

TEST(Safetensors, MissingFilesAndThingsThatAreNoFiles) {
    const test::TempFolder folder;
    const auto missing = SafetensorsFile::open(folder / "none.safetensors");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::Io);
    EXPECT_THAT(missing.error().message, HasSubstr("cannot be opened"));
    const auto isFolder = SafetensorsFile::open(folder.path());
    ASSERT_FALSE(isFolder);
    EXPECT_THAT(isFolder.error().message, HasSubstr("is not a file"));
    // A pipe without a writer must not hang the program.
    const auto pipe = folder / "pipe.safetensors";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const auto isPipe = SafetensorsFile::open(pipe);
    ASSERT_FALSE(isPipe);
    EXPECT_THAT(isPipe.error().message, HasSubstr("is not a file"));
}

TEST(Safetensors, NoticesTruncationAfterOpening) {
    const test::TempFolder folder;
    const std::vector<float> values(5000, 1.0F);
    const auto path = folder / "a.safetensors";
    ASSERT_TRUE(writeSafetensors(path, {{"a", {values.data(), DType::F32, {5000}}}}, {}));
    const auto file = SafetensorsFile::open(path);
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->stillWhole());
    std::filesystem::resize_file(path, 100);
    const auto status = (*file)->stillWhole();
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message, HasSubstr("100 now"));
}

TEST(SafetensorsWriter, RefusesNamesNobodyCouldReadBack) {
    const test::TempFolder folder;
    const float value = 1.0F;
    const ConstTensorView view(&value, DType::F32, {1});
    const auto refused = [&](const std::vector<std::pair<std::string, ConstTensorView>>& tensors,
                             const std::map<std::string, std::string>& metadata) {
        const auto status = writeSafetensors(folder / "a.safetensors", tensors, metadata);
        return !status && status.error().code == ErrorCode::InvalidArgument;
    };
    EXPECT_TRUE(refused({{"", view}}, {}));
    EXPECT_TRUE(refused({{"__metadata__", view}}, {}));
    EXPECT_TRUE(refused({{"\xff", view}}, {}));
    EXPECT_TRUE(refused({{"a", view}, {"a", view}}, {}));
    EXPECT_TRUE(refused({}, {{"key", "\xc3"}}));
    EXPECT_TRUE(filesIn(folder.path()).empty());
}

TEST(SafetensorsWriter, LeavesNothingBehindWhenTheFolderIsMissing) {
    const test::TempFolder folder;
    const auto status = writeSafetensors(folder / "none/a.safetensors", {}, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Io);
    EXPECT_THAT(status.error().message, HasSubstr("cannot be created"));
    EXPECT_TRUE(filesIn(folder.path()).empty());
}

TEST(SafetensorsWriter, TouchesNoFileThatBearsItsTemporaryName) {
    const test::TempFolder folder;
    const std::vector<float> values(4, 2.0F);
    const auto path = folder / "a.safetensors";
    std::ofstream(folder / "a.safetensors.part") << "somebody's";
    std::ofstream(folder / "precious") << "precious";
    std::filesystem::create_symlink(folder / "precious", folder / "a.safetensors.part-2");
    ASSERT_TRUE(writeSafetensors(path, {{"a", {values.data(), DType::F32, {4}}}}, {}));
    EXPECT_EQ(std::filesystem::file_size(folder / "a.safetensors.part"), 10U);
    EXPECT_EQ(std::filesystem::file_size(folder / "precious"), 8U);
    EXPECT_TRUE(SafetensorsFile::open(path));
}

TEST(SafetensorsWriter, SaysWhatLiesInItsWay) {
    const test::TempFolder folder;
    const std::vector<float> values(4, 2.0F);
    std::ofstream(folder / "a.safetensors.part") << "";
    for (int number = 2; number <= 100; ++number) {
        std::ofstream(folder / ("a.safetensors.part-" + std::to_string(number))) << "";
    }
    const auto status = writeSafetensors(folder / "a.safetensors", {{"a", {values.data(), DType::F32, {4}}}}, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Io);
    EXPECT_THAT(status.error().message, HasSubstr("the last of them a.safetensors.part-100; remove those"));
    EXPECT_EQ(filesIn(folder.path()).size(), 100U);
}

TEST(SafetensorsWriter, KeepsTheOldFileWhenTheDiskIsFull) {
    const test::TempFolder folder;
    const std::vector<float> small(4, 2.0F);
    const std::vector<float> large(100'000, 3.0F);
    const auto path = folder / "a.safetensors";
    ASSERT_TRUE(writeSafetensors(path, {{"a", {small.data(), DType::F32, {4}}}}, {}));
    // A limit on file size fails in the middle of the data, as a full disk does.
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight{64 * 1024, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    const auto status = writeSafetensors(path, {{"a", {large.data(), DType::F32, {100'000}}}}, {});
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    ::signal(SIGXFSZ, handler);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Io);
    EXPECT_THAT(status.error().message, HasSubstr("a.safetensors cannot be written"));
    EXPECT_EQ(filesIn(folder.path()), std::vector<std::string>{"a.safetensors"});
    const auto file = SafetensorsFile::open(path);
    ASSERT_TRUE(file);
    EXPECT_EQ((*file)->tensor("a")->count(), 4);
}

// Every type at lengths around the block the check works in; the bad value at the first, a middle and the last
// place.
template <class Word>
void expectFound(DType dtype, Word one, Word bad, const char* what) {
    for (const std::int64_t count : {1, 7, 1023, 1024, 1025, 4099}) {
        std::vector<Word> words(static_cast<std::size_t>(count), one);
        EXPECT_TRUE(checkFinite({words.data(), dtype, {count}}, "w"));
        for (const std::int64_t at : {std::int64_t{0}, count / 2, count - 1}) {
            words[static_cast<std::size_t>(at)] = bad;
            const auto status = checkFinite({words.data(), dtype, {count}}, "w");
            ASSERT_FALSE(status) << count << " " << at;
            EXPECT_EQ(status.error().code, ErrorCode::BadModel);
            EXPECT_EQ(
                status.error().message,
                fmt::format("tensor 'w' holds {} at element {} of {}; weights must be finite", what, at, count));
            words[static_cast<std::size_t>(at)] = one;
        }
    }
}

TEST(CheckFinite, FindsNanAndInfinityInEveryType) {
    expectFound<std::uint32_t>(DType::F32, 0x7f7fffffU, 0x7fc00000U, "NaN");
    expectFound<std::uint32_t>(DType::F32, 0xff7fffffU, 0xff800000U, "an infinity");
    expectFound<std::uint32_t>(DType::F32, 0U, 0x7f800001U, "NaN");
    expectFound<std::uint16_t>(DType::BF16, 0x7f7fU, 0xffc0U, "NaN");
    expectFound<std::uint16_t>(DType::BF16, 0x3f80U, 0x7f80U, "an infinity");
    expectFound<std::uint16_t>(DType::F16, 0x7bffU, 0x7c01U, "NaN");
    expectFound<std::uint16_t>(DType::F16, 0x3c00U, 0xfc00U, "an infinity");
    expectFound<std::uint64_t>(DType::F64, 0x3ff0000000000000U, 0x7ff8000000000000U, "NaN");
    expectFound<std::uint64_t>(DType::F64, 0x7fefffffffffffffU, 0x7ff0000000000000U, "an infinity");
}

TEST(CheckFinite, IntegersAndEmptyTensorsPass) {
    const std::vector<std::uint8_t> bytes(64, 0xff);
    EXPECT_TRUE(checkFinite({bytes.data(), DType::U8, {64}}, "u8"));
    EXPECT_TRUE(checkFinite({nullptr, DType::F32, {0, 3}}, "empty"));
}

}  // namespace
}  // namespace fw::weights
