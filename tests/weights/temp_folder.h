// A folder that lives as long as one test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fw::test {

class TempFolder {
 public:
    TempFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "framewright-test-XXXXXX").string();
        const char* made = ::mkdtemp(pattern.data());
        EXPECT_NE(made, nullptr);
        m_path = pattern;
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder() {
        std::error_code error;
        std::filesystem::remove_all(m_path, error);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return m_path / name; }

    // Makes missing parent folders.
    std::filesystem::path write(std::string_view name, std::string_view bytes) const {
        const auto path = m_path / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream stream(path, std::ios::binary);
        stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        EXPECT_TRUE(stream.good());
        return path;
    }

 private:
    std::filesystem::path m_path;
};

// A safetensors file as bytes: length field, header, `dataBytes` bytes of value `fill`.
inline std::string safetensorsBytes(std::string_view header, std::size_t dataBytes, char fill = '\0') {
    std::string result;
    for (unsigned i = 0; i < 8; ++i) {
        result.push_back(static_cast<char>(static_cast<unsigned char>(std::uint64_t{header.size()} >> (8U * i))));
    }
    result += header;
    return result + std::string(dataBytes, fill);
}

// The header padded with spaces so that data starts at a multiple of 8.
inline std::string padded(std::string header) {
    header.resize((header.size() + 7) / 8 * 8, ' ');
    return header;
}

}  // namespace fw::test
