// A small synthetic clip and a folder of its own for each test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/media/clip_reader.h"
#include "core/media/clip_writer.h"

namespace fw::media {

// Smooth coloured waves that move: every channel differs, every frame differs, and all formats can code it well.
class TestClip {
 public:
    TestClip(std::int64_t frames, std::int64_t height, std::int64_t width)
        : m_shape{frames, height, width, 3}, m_bytes(static_cast<std::size_t>(m_shape.product())) {
        std::size_t at = 0;
        for (std::int64_t t = 0; t < frames; ++t) {
            for (std::int64_t y = 0; y < height; ++y) {
                for (std::int64_t x = 0; x < width; ++x) {
                    m_bytes[at++] = wave(0.05 * static_cast<double>(x + 2 * t));
                    m_bytes[at++] = wave(0.04 * static_cast<double>(y - t) + 1.0);
                    m_bytes[at++] = wave(0.03 * static_cast<double>(x + y + t) + 2.0);
                }
            }
        }
    }

    [[nodiscard]] ConstTensorView view() const { return {m_bytes.data(), DType::U8, m_shape}; }
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return m_bytes; }
    [[nodiscard]] std::int64_t frames() const { return m_shape[0]; }
    [[nodiscard]] std::int64_t height() const { return m_shape[1]; }
    [[nodiscard]] std::int64_t width() const { return m_shape[2]; }

 private:
    static std::uint8_t wave(double phase) {
        return static_cast<std::uint8_t>(std::lround(127.5 + 100.0 * std::sin(phase)));
    }

    Shape m_shape;
    std::vector<std::uint8_t> m_bytes;
};

// A folder that exists for one test.
class MediaTest : public testing::Test {
 protected:
    MediaTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "fw_media_XXXXXX").string();
        m_folder = ::mkdtemp(pattern.data());
    }
    ~MediaTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(m_folder, ignored);
    }

    [[nodiscard]] std::filesystem::path path(const std::string& name) const { return m_folder / name; }
    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }
    // Names of everything in the test's folder.
    [[nodiscard]] std::vector<std::string> leftovers() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(m_folder)) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }

    static ClipSpec specOf(const TestClip& clip, job::FrameRate rate = {12, 1}, std::string metadata = "") {
        return {clip.width(), clip.height(), rate, std::move(metadata)};
    }

    static Status writeClip(const std::filesystem::path& path, const TestClip& clip, const ClipSpec& spec) {
        FW_ASSIGN(auto writer, ClipWriter::create(path, spec));
        FW_TRY(writer->write(clip.view()));
        return writer->finish();
    }

    // Frames one after another, and the shape of the last one.
    struct Played {
        std::vector<std::uint8_t> bytes;
        std::int64_t frames = 0;
        Shape shape;
    };
    static Result<Played> play(const std::filesystem::path& path) {
        Played played;
        FW_TRY(readClipFrames(path, [&](const ConstTensorView& frame) -> Status {
            const auto* data = static_cast<const std::uint8_t*>(frame.data());
            played.bytes.insert(played.bytes.end(), data, data + frame.bytes());
            played.shape = frame.shape();
            ++played.frames;
            return {};
        }));
        return played;
    }

 private:
    std::filesystem::path m_folder;
};

// In dB over all bytes; infinity for identical ones.
inline double psnr(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
    EXPECT_EQ(a.size(), b.size());
    double sum = 0.0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    return 10.0 * std::log10(255.0 * 255.0 * static_cast<double>(a.size()) / sum);
}

}  // namespace fw::media
