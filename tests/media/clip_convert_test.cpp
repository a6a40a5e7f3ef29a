// A finished clip written once more: parts of it, other sizes and rates, cancelled half-way.
#include "core/media/clip_convert.h"

#include <fstream>

#include "test_clip.h"

namespace fw::media {
namespace {

class ClipConvert : public MediaTest {
 protected:
    // A lossless clip whose frames are told apart by their grey: frame i is 10 · i.
    std::filesystem::path makeNumbered(int frames, job::FrameRate rate = {12, 1}) {
        const auto file = path("numbered.mkv");
        auto writer = ClipWriter::create(file, {16, 16, rate, R"({"a": 1})"});
        EXPECT_TRUE(writer);
        for (int i = 0; i < frames; ++i) {
            const std::vector<std::uint8_t> pixels(16 * 16 * 3, static_cast<std::uint8_t>(10 * i));
            EXPECT_TRUE((*writer)->write({pixels.data(), DType::U8, {1, 16, 16, 3}}));
        }
        EXPECT_TRUE((*writer)->finish());
        return file;
    }
    // The numbers of the frames of a converted clip.
    std::vector<int> numbersOf(const std::filesystem::path& file) {
        const auto played = play(file);
        EXPECT_TRUE(played);
        std::vector<int> numbers;
        const auto frameBytes = static_cast<std::size_t>(played->shape.product());
        for (std::size_t at = 0; at < played->bytes.size(); at += frameBytes) {
            numbers.push_back(played->bytes[at] / 10);
        }
        return numbers;
    }
    static Status convert(const std::filesystem::path& from, const std::filesystem::path& to,
                          const ConvertSpec& spec) {
        return convertClip(from, to, spec, {}, [](double) {});
    }
    static ConvertSpec lossless() {
        ConvertSpec spec;
        spec.format = ClipFormat::Ffv1;
        return spec;
    }
};

TEST_F(ClipConvert, WritesARangeOfFrames) {
    const auto file = makeNumbered(9);
    ConvertSpec spec = lossless();
    spec.firstFrame = 2;
    spec.lastFrame = 5;
    const Status status = convert(file, path("part.mkv"), spec);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(numbersOf(path("part.mkv")), (std::vector<int>{2, 3, 4, 5}));
    spec.firstFrame = 8;
    spec.lastFrame = -1;
    ASSERT_TRUE(convert(file, path("part.mkv"), spec));
    EXPECT_EQ(numbersOf(path("part.mkv")), std::vector<int>{8});
}

TEST_F(ClipConvert, KeepsTheLengthAtAnotherRate) {
    const auto file = makeNumbered(8, {12, 1});
    ConvertSpec spec = lossless();
    spec.frameRate = job::FrameRate{6, 1};
    ASSERT_TRUE(convert(file, path("slow.mkv"), spec));
    EXPECT_EQ(numbersOf(path("slow.mkv")).size(), 4U);
    EXPECT_EQ(numbersOf(path("slow.mkv")), (std::vector<int>{1, 3, 5, 7}));
    spec.frameRate = job::FrameRate{24, 1};
    ASSERT_TRUE(convert(file, path("fast.mkv"), spec));
    EXPECT_EQ(numbersOf(path("fast.mkv")), (std::vector<int>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7}));
    EXPECT_EQ(readClipInfo(path("fast.mkv")).value().frameRate, (job::FrameRate{24, 1}));
    // A rate so low that not even one frame is due still gives a picture.
    spec.frameRate = job::FrameRate{1, 1};
    ASSERT_TRUE(convert(file, path("still.mkv"), spec));
    EXPECT_EQ(numbersOf(path("still.mkv")).size(), 1U);
}

TEST_F(ClipConvert, ScalesAndKeepsTheSettings) {
    const TestClip clip(3, 48, 80);
    ASSERT_TRUE(writeClip(path("a.mkv"), clip, specOf(clip, {12, 1}, R"({"seed": 7})")));
    for (const int percent : {1, 33, 50, 200}) {
        ConvertSpec spec = lossless();
        spec.scalePercent = percent;
        const Status status = convert(path("a.mkv"), path("b.mkv"), spec);
        ASSERT_TRUE(status) << status.error().message;
        const auto info = readClipInfo(path("b.mkv"));
        ASSERT_TRUE(info);
        EXPECT_EQ(info->width, std::max(1, (80 * percent + 50) / 100));
        EXPECT_EQ(info->height, std::max(1, (48 * percent + 50) / 100));
        EXPECT_EQ(info->metadata, R"({"seed": 7})");
    }
    ConvertSpec bare = lossless();
    bare.keepMetadata = false;
    ASSERT_TRUE(convert(path("a.mkv"), path("bare.mkv"), bare));
    EXPECT_EQ(readClipInfo(path("bare.mkv")).value().metadata, "");
}

// Averages must not shift, whatever the filter: a grey stays that grey.
TEST_F(ClipConvert, ScalingKeepsFlatColours) {
    const auto file = makeNumbered(6);
    ConvertSpec spec = lossless();
    spec.scalePercent = 150;
    ASSERT_TRUE(convert(file, path("b.mkv"), spec));
    const auto played = play(path("b.mkv"));
    for (std::size_t i = 0; i < played->bytes.size(); ++i) {
        ASSERT_NEAR(played->bytes[i], 10 * static_cast<int>(i / (24 * 24 * 3)), 1);
    }
}

TEST_F(ClipConvert, EveryFormatFromEveryFormat) {
    const TestClip clip(4, 32, 48);
    ASSERT_TRUE(writeClip(path("a.mkv"), clip, specOf(clip, {12, 1}, R"({"p": "雪狐 🦊"})")));
    for (const ClipFormatInfo& info : clipFormats()) {
        ConvertSpec spec;
        spec.format = info.format;
        const auto to = path("b_" + std::string(info.id) + std::string(info.extension));
        Status status = convert(path("a.mkv"), to, spec);
        ASSERT_TRUE(status) << info.id << status.error().message;
        EXPECT_EQ(readClipInfo(to).value().codec, info.codec);
        EXPECT_EQ(readClipInfo(to).value().metadata, R"({"p": "雪狐 🦊"})") << info.id;
        status = convert(to, path("c.mp4"), {});
        ASSERT_TRUE(status) << info.id << status.error().message;
        EXPECT_EQ(readClipInfo(path("c.mp4")).value().frames, 4) << info.id;
        EXPECT_EQ(readClipInfo(path("c.mp4")).value().metadata, R"({"p": "雪狐 🦊"})") << info.id;
    }
}

TEST_F(ClipConvert, CopiesOnlyWhatIsAskedAsItIs) {
    const TestClip clip(4, 32, 48);
    ASSERT_TRUE(writeClip(path("a.mp4"), clip, specOf(clip)));
    const auto bytesOf = [&](const char* name) {
        std::ifstream in(path(name), std::ios::binary);
        return std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    };
    ConvertSpec spec;
    spec.quality = 30;
    spec.copyWhenSame = true;
    ASSERT_TRUE(convert(path("a.mp4"), path("copy.mp4"), spec));
    EXPECT_TRUE(bytesOf("copy.mp4") == bytesOf("a.mp4"));
    spec.lastFrame = 2;
    ASSERT_TRUE(convert(path("a.mp4"), path("part.mp4"), spec));
    EXPECT_EQ(readClipInfo(path("part.mp4")).value().frames, 3);
}

TEST_F(ClipConvert, CancelledLeavesWhatWasThere) {
    const auto file = makeNumbered(20);
    std::ofstream(path("old.gif")) << "precious";
    CancelSource source;
    double last = -1.0;
    const Status status =
        convertClip(file, path("old.gif"), {.format = ClipFormat::Gif}, source.token(), [&](double fraction) {
            EXPECT_GE(fraction, last);
            last = fraction;
            if (fraction > 0.4) {
                source.cancel();
            }
        });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(leftovers().size(), 2U);
    std::string text;
    std::ifstream(path("old.gif")) >> text;
    EXPECT_EQ(text, "precious");
}

TEST_F(ClipConvert, RefusesWhatDoesNotFit) {
    const auto file = makeNumbered(5);
    const auto refused = [&](ConvertSpec spec, const char* to = "b.mkv") {
        spec.format = ClipFormat::Ffv1;
        const Status status = convert(file, path(to), spec);
        return !status && status.error().code == ErrorCode::InvalidArgument && !status.error().message.empty();
    };
    EXPECT_TRUE(refused({.firstFrame = 5}));
    EXPECT_TRUE(refused({.firstFrame = 3, .lastFrame = 2}));
    EXPECT_TRUE(refused({.firstFrame = -1}));
    EXPECT_TRUE(refused({.lastFrame = 5}));
    EXPECT_TRUE(refused({.scalePercent = 0}));
    EXPECT_TRUE(refused({.scalePercent = 401}));
    EXPECT_TRUE(refused({.frameRate = job::FrameRate{0, 1}}));
    EXPECT_TRUE(refused({.frameRate = job::FrameRate{-3, 1}}));
    EXPECT_TRUE(refused({.frameRate = job::FrameRate{1, 0}}));
    EXPECT_TRUE(refused({}, "numbered.mkv"));  // onto itself
    EXPECT_EQ(leftovers(), std::vector<std::string>{"numbered.mkv"});
}

}  // namespace
}  // namespace fw::media
