// Files made to mislead: each is refused with BadModel and a sentence that names the file and the fault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/weights/safetensors.h"
#include "temp_folder.h"

namespace fw::weights {
namespace {

using test::padded;
using test::safetensorsBytes;
using ::testing::HasSubstr;

void expectFileRefused(const std::string& bytes, const std::string& message) {
    const test::TempFolder folder;
    const auto file = SafetensorsFile::open(folder.write("bad.safetensors", bytes));
    ASSERT_FALSE(file) << message;
    EXPECT_EQ(file.error().code, ErrorCode::BadModel) << message;
    EXPECT_THAT(file.error().message, HasSubstr("bad.safetensors"));
    EXPECT_THAT(file.error().message, HasSubstr(message));
}

// A file whose only tensor 'a' is described by `entry`, with `dataBytes` bytes of data.
void expectEntryRefused(const std::string& entry, std::size_t dataBytes, const std::string& message) {
    expectFileRefused(safetensorsBytes(padded("{\"a\":" + entry + "}"), dataBytes), message);
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

TEST(SafetensorsHostile, TheWellFormedNeighbourOfTheseFilesIsAccepted) {
    const test::TempFolder folder;
    const auto bytes = safetensorsBytes(padded("{\"a\":" + entry("F32", "[2,1]", "[0,8]") + "}"), 8);
    const auto file = SafetensorsFile::open(folder.write("good.safetensors", bytes));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ((*file)->tensor("a")->shape(), (Shape{2, 1}));
}

TEST(SafetensorsHostile, EveryTruncationOfAGoodFileIsRefused) {
    const test::TempFolder folder;
    const auto bytes = safetensorsBytes(padded("{\"a\":" + entry("F32", "[2]", "[0,8]") + "}"), 8);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const auto file = SafetensorsFile::open(folder.write("cut.safetensors", bytes.substr(0, length)));
        ASSERT_FALSE(file) << length;
        EXPECT_EQ(file.error().code, ErrorCode::BadModel) << length;
    }
}

TEST(SafetensorsHostile, HeaderLength) {
    expectFileRefused("", "0 bytes are too few");
    expectFileRefused("1234567", "7 bytes are too few");
    expectFileRefused(std::string("\xff\x00\x00\x00\x00\x00\x00\x00{}", 10),
                      "claims 255 bytes but the file has 10");
    expectFileRefused(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "claims 18446744073709551615 bytes");
    expectFileRefused(std::string("\x00\x00\x00\x00\x00\x00\x00\x10{}", 10), "claims 1152921504606846976 bytes");
    expectFileRefused(std::string(8, '\0'), "does not start with '{'");
    expectFileRefused(safetensorsBytes(std::string((16U << 20U) + 1, ' '), 0), "above the limit of 16777216");
}

TEST(SafetensorsHostile, HeaderText) {
    expectFileRefused(safetensorsBytes("[]", 0), "does not start with '{'");
    expectFileRefused(safetensorsBytes(" {}", 0), "does not start with '{'");
    expectFileRefused(safetensorsBytes("{\"a\":", 0), "not valid JSON at byte");
    expectFileRefused(safetensorsBytes("{}{}", 0), "not valid JSON");
    expectFileRefused(safetensorsBytes("{\"\xff\":1}", 0), "byte 2 of its header is not valid UTF-8");
    expectFileRefused(safetensorsBytes("{" + std::string(1 << 20, '['), 0), "not valid JSON");
    expectEntryRefused(std::string(1 << 20, '['), 0, "where it cannot stand");
    expectEntryRefused("{\"dtype\":{\"a\":{}}}", 0, "holds an object where it cannot stand");
    expectEntryRefused("null", 0, "holds null");
    expectEntryRefused("true", 0, "holds true or false");
    expectEntryRefused("\"F32\"", 0, "holds a text");
    expectEntryRefused("17", 0, "holds a number");
}

TEST(SafetensorsHostile, NamesAndKeys) {
    const std::string good = entry("U8", "[1]", "[0,1]");
    expectFileRefused(safetensorsBytes("{\"a\":" + good + ",\"a\":" + entry("U8", "[1]", "[1,2]") + "}", 2),
                      "the name 'a' appears twice");
    expectFileRefused(safetensorsBytes(R"({"__metadata__":{},"__metadata__":{}})", 0),
                      "'__metadata__' appears twice");
    expectFileRefused(safetensorsBytes(R"({"__metadata__":{"k":"1","k":"2"}})", 0),
                      "metadata key 'k' appears twice");
    expectFileRefused(safetensorsBytes(R"({"__metadata__":{"k":1}})", 0), "holds a number");
    expectFileRefused(safetensorsBytes(R"({"__metadata__":{"k":{}}})", 0), "holds an object");
    expectEntryRefused("{}", 0, "lacks its dtype");
    expectEntryRefused(R"({"dtype":"U8","shape":[1]})", 1, "lacks");
    expectEntryRefused(R"({"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]})", 1,
                       "states its 'dtype' twice");
    expectEntryRefused(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"code":"x"})", 1, "unknown key 'code'");
    // Control characters of a name must not reach the terminal.
    expectFileRefused(safetensorsBytes("{\"\\u001b[31m\":{}}", 0), "tensor '\\x1B[31m' lacks");
}

TEST(SafetensorsHostile, Types) {
    expectEntryRefused(entry("F8_E4M3", "[1]", "[0,1]"), 1, "has the type 'F8_E4M3'; F64, F32");
    expectEntryRefused(entry("f32", "[1]", "[0,4]"), 4, "has the type 'f32'");
    expectEntryRefused(entry("", "[1]", "[0,4]"), 4, "has the type ''");
    expectEntryRefused(R"({"dtype":3,"shape":[1],"data_offsets":[0,1]})", 1, "holds a number");
}

TEST(SafetensorsHostile, Shapes) {
    expectEntryRefused(entry("F32", "[-1]", "[0,4]"), 4, "a negative number");
    expectEntryRefused(entry("F32", "[1.5]", "[0,4]"), 4, "a fraction");
    expectEntryRefused(entry("F32", "[1e0]", "[0,4]"), 4, "a fraction");
    expectEntryRefused(entry("F32", "[[1]]", "[0,4]"), 4, "holds a list");
    expectEntryRefused(entry("F32", "[18446744073709551615]", "[0,4]"), 4, "dimension of 18446744073709551615");
    expectEntryRefused(entry("F32", "[18446744073709551616]", "[0,4]"), 4, "too large a number");
    expectEntryRefused(entry("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "more than 8 dimensions");
    // Products that wrap around to something that would fit.
    expectEntryRefused(entry("F32", "[1152921504606846976,1152921504606846976]", "[0,0]"), 0, "larger than 2^63");
    expectEntryRefused(entry("F32", "[4294967296,4294967296]", "[0,0]"), 0, "larger than 2^63");
    expectEntryRefused(entry("F32", "[0,4294967296,4294967296]", "[0,0]"), 0, "larger than 2^63");
    expectEntryRefused(entry("F32", "[1152921504606846976]", "[0,4611686018427387904]"), 0, "of 0 bytes of data");
    expectEntryRefused(entry("F32", "[2]", "[0,4]"), 4, "needs 8 bytes but its offsets hold 4");
    expectEntryRefused(entry("F64", "[1]", "[0,4]"), 4, "needs 8 bytes");
}

TEST(SafetensorsHostile, Offsets) {
    expectEntryRefused(entry("U8", "[1]", "[0]"), 1, "lacks");
    expectEntryRefused(entry("U8", "[1]", "[0,1,2]"), 1, "more than two offsets");
    expectEntryRefused(entry("U8", "[1]", "[1,0]"), 1, "lies at bytes 1 to 0");
    expectEntryRefused(entry("U8", "[2]", "[0,2]"), 1, "lies at bytes 0 to 2 of 1 bytes");
    expectEntryRefused(entry("U8", "[1]", "[-1,0]"), 1, "a negative number");
    expectEntryRefused(entry("U8", "[1]", "[18446744073709551615,0]"), 1, "lies at bytes 18446744073709551615");
    expectEntryRefused(entry("U8", "[1]", "[18446744073709551614,18446744073709551615]"), 1, "lies at bytes");
    expectEntryRefused(entry("U8", "[1]", "[1,2]"), 2, "starts at byte 1 of the data but the one before ends at 0");
    expectEntryRefused(entry("U8", "[1]", "[0,1]"), 2, "cover 1 bytes of data but the file holds 2");
    expectFileRefused(safetensorsBytes("{}", 1), "cover 0 bytes of data but the file holds 1");
    const auto two = [](const std::string& a, const std::string& b) {
        return padded("{\"a\":" + entry("U8", "[4]", a) + ",\"b\":" + entry("U8", "[4]", b) + "}");
    };
    expectFileRefused(safetensorsBytes(two("[0,4]", "[2,6]"), 6),
                      "'b' starts at byte 2 of the data but the one before ends at 4");
    expectFileRefused(safetensorsBytes(two("[0,4]", "[0,4]"), 4), "one before ends at 4");
    expectFileRefused(safetensorsBytes(two("[0,4]", "[5,9]"), 9), "'b' starts at byte 5");
}

TEST(SafetensorsHostile, Alignment) {
    // The header's length makes all data odd.
    std::string header = padded("{\"a\":" + entry("F32", "[1]", "[0,4]") + "}") + " ";
    expectFileRefused(safetensorsBytes(header, 4), "is not aligned to its type F32");
    expectFileRefused(
        safetensorsBytes(
            padded("{\"a\":" + entry("U8", "[1]", "[0,1]") + ",\"b\":" + entry("BF16", "[1]", "[1,3]") + "}"), 3),
        "tensor 'b' starts at byte");
}

}  // namespace
}  // namespace fw::weights
