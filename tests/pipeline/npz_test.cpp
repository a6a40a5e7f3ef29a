// Archives byte by byte: what zipfile and numpy.load of Python 3.11 and NumPy 2 read back.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/trace/npz.h"

namespace fw::trace {
namespace {

template <class T>
T at(const std::string& bytes, std::size_t offset) {
    T value{};
    EXPECT_LE(offset + sizeof(T), bytes.size());
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

struct Found {
    std::string name, npy;
    std::uint32_t checksum = 0;
};

// Reads an archive from its end, as readers do.
std::vector<Found> filesIn(const std::string& bytes) {
    std::vector<Found> files;
    const std::size_t end = bytes.size() - 22;
    EXPECT_EQ(bytes.substr(end, 4), "PK\x05\x06");
    std::size_t entry = at<std::uint32_t>(bytes, end + 16);
    EXPECT_EQ(entry + at<std::uint32_t>(bytes, end + 12), end);
    for (int i = 0; i < at<std::uint16_t>(bytes, end + 10); ++i) {
        EXPECT_EQ(bytes.substr(entry, 4), "PK\x01\x02");
        const std::size_t local = at<std::uint32_t>(bytes, entry + 42), size = at<std::uint32_t>(bytes, entry + 24);
        const std::size_t nameLength = at<std::uint16_t>(bytes, entry + 28);
        EXPECT_EQ(bytes.substr(local, 4), "PK\x03\x04");
        EXPECT_EQ(bytes.substr(local + 4, 26), bytes.substr(entry + 6, 26)) << "both records say the same";
        const std::string name = bytes.substr(entry + 46, nameLength);
        EXPECT_EQ(bytes.substr(local + 30, nameLength), name);
        files.push_back({name, bytes.substr(local + 30 + nameLength, size), at<std::uint32_t>(bytes, entry + 16)});
        entry += 46 + nameLength;
    }
    EXPECT_EQ(entry, end);
    return files;
}

TEST(Npz, HoldsArraysAsNumPyWritesThem) {
    const std::vector<float> data{1.0F, -2.5F, 0.0F, 4.0F, 5.0F, 6.0F};
    const std::vector<double> column{0.5, -1.0};
    const std::vector<std::string> texts{"Bär", "a", ""};
    NpzArchive archive;
    archive.add("data", ConstTensorView(data.data(), DType::F32, {3, 2}));
    archive.add("a/b", column);
    archive.add("data", texts);
    const auto bytes = archive.bytes();
    ASSERT_TRUE(bytes);
    const auto files = filesIn(*bytes);
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[0].name, "data.npy");
    EXPECT_EQ(files[1].name, "a_b.npy");
    EXPECT_EQ(files[2].name, "data_2.npy");
    const std::string begin = std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                              "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2, ), }";
    EXPECT_EQ(files[0].npy.substr(0, begin.size()), begin);
    ASSERT_EQ(files[0].npy.size(), 128U + 24U);
    EXPECT_EQ(files[0].npy[127], '\n');
    EXPECT_EQ(std::memcmp(files[0].npy.data() + 128, data.data(), 24), 0);
    EXPECT_NE(files[1].npy.find("'<f8', 'fortran_order': False, 'shape': (2, ), }"), std::string::npos);
    EXPECT_NE(files[2].npy.find("'<U3', 'fortran_order': False, 'shape': (3, ), }"), std::string::npos);
    const std::u32string expected(U"B\u00e4ra\0\0\0\0\0", 9);
    ASSERT_EQ(files[2].npy.size(), 128U + 36U);
    EXPECT_EQ(std::memcmp(files[2].npy.data() + 128, expected.data(), 36), 0);
    // zlib.crc32 of the three files.
    EXPECT_EQ(files[0].checksum, 0x168B3A80U);
    EXPECT_EQ(files[1].checksum, 0x2B41555BU);
    EXPECT_EQ(files[2].checksum, 0xBFC6D63FU);
}

TEST(Npz, EmptyArraysAndHostileNames) {
    NpzArchive archive;
    archive.add("", std::vector<double>{});
    archive.add("../x", std::vector<std::string>{std::string("\xff\xc3", 2)});
    archive.add("\u5fc3", std::vector<double>{1.0});
    const auto files = filesIn(*archive.bytes());
    ASSERT_EQ(files.size(), 3U);
    EXPECT_EQ(files[0].name, ".npy");
    EXPECT_NE(files[0].npy.find("'shape': (0, ), }"), std::string::npos);
    EXPECT_EQ(files[1].name, ".._x.npy");
    EXPECT_NE(files[1].npy.find("'<U2'"), std::string::npos) << "two bytes that are no UTF-8";
    EXPECT_EQ(files[2].name, "\u5fc3.npy");
    EXPECT_TRUE(filesIn(*NpzArchive().bytes()).empty());
}

}  // namespace
}  // namespace fw::trace
