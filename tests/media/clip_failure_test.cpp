// What cannot be written or read says so in one sentence and leaves nothing behind.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "test_clip.h"

namespace fw::media {
namespace {

using testing::Test;

const std::vector<std::string> kEveryFormat = {"clip.mp4", "clip.webm", "clip.gif", "clip"};

class ClipFailure : public MediaTest {
 protected:
    // One sentence that names the thing: no line breaks, no addresses, not endless.
    static void expectSentence(const Error& error, const std::string& part) {
        EXPECT_NE(error.message.find(part), std::string::npos) << error.message;
        EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
        EXPECT_EQ(error.message.find(" @ 0x"), std::string::npos) << error.message;
        EXPECT_LT(error.message.size(), 400U) << error.message;
    }
    [[nodiscard]] Error createError(const std::filesystem::path& file, const ClipSpec& spec) const {
        auto writer = ClipWriter::create(file, spec);
        EXPECT_FALSE(writer) << file;
        return writer ? Error{} : writer.error();
    }
    static ClipSpec smallSpec() { return {16, 16, {12, 1}, ""}; }
};

// A limit on file sizes: the same path through libav as a full disk, without needing one.
class FileSizeLimit {
 public:
    explicit FileSizeLimit(rlim_t bytes) {
        m_oldHandler = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &m_old);
        const rlimit limit{bytes, m_old.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &m_old);
        std::signal(SIGXFSZ, m_oldHandler);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
    rlimit m_old{};
    void (*m_oldHandler)(int) = nullptr;
};

TEST_F(ClipFailure, UnknownExtensionsAreNamed) {
    for (const char* name : {"clip.avi", "clip.png", "clip.mp5", "clip."}) {
        const Error error = createError(path(name), smallSpec());
        EXPECT_EQ(error.code, ErrorCode::InvalidArgument);
        expectSentence(error, name);
    }
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(ClipFailure, NamesThatNameNothing) {
    EXPECT_EQ(createError("", smallSpec()).code, ErrorCode::InvalidArgument);
    EXPECT_EQ(createError("/", smallSpec()).code, ErrorCode::InvalidArgument);
    EXPECT_EQ(createError(".", smallSpec()).code, ErrorCode::InvalidArgument);
    EXPECT_EQ(createError(folder() / ".." / "", smallSpec()).code, ErrorCode::InvalidArgument);
}

TEST_F(ClipFailure, SizesAndRatesOutOfRange) {
    for (const auto& [width, height] : {std::pair<std::int64_t, std::int64_t>{0, 16},
                                        {16, 0},
                                        {-1, 16},
                                        {16385, 16},
                                        {16, std::int64_t{1} << 40U}}) {
        const Error error = createError(path("clip.mp4"), {width, height, {12, 1}, ""});
        EXPECT_EQ(error.code, ErrorCode::InvalidArgument);
        expectSentence(error, fmt::format("{} × {}", width, height));
    }
    for (const job::FrameRate rate :
         {job::FrameRate{0, 1}, {12, 0}, {-12, 1}, {-12, -1}, {1001, 1}, {1'000'001, 999'983}, {1, 1'000'001}}) {
        const Error error = createError(path("clip.mp4"), {16, 16, rate, ""});
        EXPECT_EQ(error.code, ErrorCode::InvalidArgument);
        expectSentence(error, fmt::format("{}/{}", rate.numerator, rate.denominator));
    }
    const Error gif = createError(path("clip.gif"), {16, 16, {51, 1}, ""});
    EXPECT_EQ(gif.code, ErrorCode::InvalidArgument);
    expectSentence(gif, "51/1");
    EXPECT_TRUE(leftovers().empty());
}

// libav would drop such a tag, or cut it, without a word.
TEST_F(ClipFailure, MetadataThatWouldNotSurviveIsRefused) {
    for (const std::string& metadata : {std::string("{\"a\":\"\xff\xfe\"}"), std::string("{\"a\":\"x\0y\"}", 11),
                                        std::string("not json"), std::string("{")}) {
        for (const std::string& name : kEveryFormat) {
            EXPECT_EQ(createError(path(name), {16, 16, {12, 1}, metadata}).code, ErrorCode::InvalidArgument);
        }
    }
}

TEST_F(ClipFailure, MissingFolder) {
    for (const std::string& name : kEveryFormat) {
        const Error error = createError(path("nowhere") / name, smallSpec());
        EXPECT_EQ(error.code, ErrorCode::Io);
        expectSentence(error, "does not exist");
    }
}

TEST_F(ClipFailure, FolderThatIsAFile) {
    std::ofstream(path("file")) << "text";
    for (const std::string& name : kEveryFormat) {
        const Error error = createError(path("file") / name, smallSpec());
        EXPECT_EQ(error.code, ErrorCode::Io);
        expectSentence(error, "file");
    }
}

TEST_F(ClipFailure, UnwritableFolder) {
    // Root writes anywhere but here: nobody may create files in /proc/self.
    std::filesystem::path locked = "/proc/self";
    if (::geteuid() != 0) {
        locked = path("locked");
        ASSERT_EQ(::mkdir(locked.c_str(), 0555), 0);
    }
    for (const std::string& name : kEveryFormat) {
        const Error error = createError(locked / name, smallSpec());
        EXPECT_EQ(error.code, ErrorCode::Io);
        expectSentence(error, name);
    }
}

TEST_F(ClipFailure, FolderOfThatNameIsKept) {
    for (const std::string& name : kEveryFormat) {
        std::filesystem::create_directory(path(name));
        std::ofstream(path(name) / "precious.txt") << "text";
        const Error error = createError(path(name), smallSpec());
        EXPECT_EQ(error.code, ErrorCode::Io);
        expectSentence(error, name);
        EXPECT_TRUE(std::filesystem::exists(path(name) / "precious.txt"));
    }
    EXPECT_EQ(leftovers().size(), kEveryFormat.size());
}

TEST_F(ClipFailure, FileInPlaceOfAFolderIsKept) {
    std::ofstream(path("clip")) << "text";
    EXPECT_EQ(createError(path("clip"), smallSpec()).code, ErrorCode::Io);
    EXPECT_EQ(std::filesystem::file_size(path("clip")), 4U);
}

TEST_F(ClipFailure, EmptyFolderIsFilled) {
    std::filesystem::create_directory(path("clip"));
    const TestClip clip(2, 16, 16);
    EXPECT_TRUE(writeClip(path("clip"), clip, specOf(clip)));
    EXPECT_EQ(play(path("clip")).value().frames, 2);
}

TEST_F(ClipFailure, OldFileStaysUntilTheNewOneIsComplete) {
    std::ofstream(path("clip.mp4")) << "old";
    const TestClip clip(2, 16, 16);
    {
        auto writer = ClipWriter::create(path("clip.mp4"), specOf(clip));
        ASSERT_TRUE(writer);
        ASSERT_TRUE((*writer)->write(clip.view()));
        EXPECT_EQ(std::filesystem::file_size(path("clip.mp4")), 3U);
    }
    EXPECT_EQ(leftovers(), std::vector<std::string>{"clip.mp4"});
    ASSERT_TRUE(writeClip(path("clip.mp4"), clip, specOf(clip)));
    EXPECT_EQ(readClipInfo(path("clip.mp4")).value().frames, 2);
    EXPECT_EQ(leftovers(), std::vector<std::string>{"clip.mp4"});
}

TEST_F(ClipFailure, DestructionWithoutFinishLeavesNothing) {
    const TestClip clip(5, 16, 16);
    for (const std::string& name : kEveryFormat) {
        auto writer = ClipWriter::create(path(name), specOf(clip));
        ASSERT_TRUE(writer) << writer.error().message;
        ASSERT_TRUE((*writer)->write(clip.view()));
        EXPECT_EQ(leftovers(), std::vector<std::string>{name + ".part"});
        writer->reset();
        EXPECT_TRUE(leftovers().empty()) << name;
    }
}

TEST_F(ClipFailure, ClipWithoutFramesIsNoClip) {
    for (const std::string& name : kEveryFormat) {
        auto writer = ClipWriter::create(path(name), smallSpec());
        ASSERT_TRUE(writer) << writer.error().message;
        const Status finished = (*writer)->finish();
        ASSERT_FALSE(finished);
        EXPECT_EQ(finished.error().code, ErrorCode::InvalidArgument);
        expectSentence(finished.error(), name);
        EXPECT_TRUE(leftovers().empty()) << name;
    }
}

TEST_F(ClipFailure, TwoWritersOfOneNameDoNotMix) {
    const TestClip clip(4, 16, 16);
    for (const std::string& name : {std::string("clip.mp4"), std::string("clip.gif")}) {
        auto first = ClipWriter::create(path(name), specOf(clip));
        auto second = ClipWriter::create(path(name), specOf(clip));
        ASSERT_TRUE(first && second);
        ASSERT_TRUE((*first)->write(clip.view()));
        ASSERT_TRUE((*second)->write(clip.view().slice(0, 0, 2)));
        ASSERT_TRUE((*first)->finish());
        EXPECT_EQ(play(path(name)).value().frames, 4);
        ASSERT_TRUE((*second)->finish());
        EXPECT_EQ(play(path(name)).value().frames, 2);
    }
    EXPECT_EQ(leftovers().size(), 2U);
}

// At several limits, so that header, frames, index and trailer each get their turn to fail.
TEST_F(ClipFailure, FullDiskLeavesNothing) {
    const TestClip clip(40, 64, 64);
    const std::string metadata = "{\"text\":\"" + std::string(3000, 'x') + "\"}";
    for (const std::string& name : kEveryFormat) {
        int failures = 0;
        for (const rlim_t limit : {0UL, 1UL, 300UL, 1500UL, 2500UL, 4000UL, 5000UL, 6000UL, 8000UL, 12000UL}) {
            Status status;
            {
                const FileSizeLimit full(limit);
                status = writeClip(path(name), clip, specOf(clip, {12, 1}, metadata));
            }
            if (status) {
                EXPECT_EQ(play(path(name)).value().frames, 40) << name << " with " << limit;
                std::filesystem::remove_all(path(name));
            } else {
                ++failures;
                EXPECT_EQ(status.error().code, ErrorCode::Io);
                expectSentence(status.error(), name);
                expectSentence(status.error(), "too large");
            }
            EXPECT_TRUE(leftovers().empty()) << name << " with " << limit;
        }
        EXPECT_GE(failures, 3) << name;
    }
}

TEST_F(ClipFailure, FirstErrorIsRepeated) {
    const TestClip clip(40, 64, 64);
    auto writer = ClipWriter::create(path("clip"), specOf(clip));
    ASSERT_TRUE(writer);
    Status first;
    {
        const FileSizeLimit full(0);
        first = (*writer)->write(clip.view());
    }
    ASSERT_FALSE(first);
    EXPECT_TRUE(leftovers().empty());
    const Status again = (*writer)->write(clip.view());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message, first.error().message);
    const Status finished = (*writer)->finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().message, first.error().message);
}

TEST_F(ClipFailure, FolderThatVanishesMeanwhile) {
    const TestClip clip(4, 16, 16);
    for (const std::string& name : kEveryFormat) {
        std::filesystem::create_directory(path("there"));
        auto writer = ClipWriter::create(path("there") / name, specOf(clip));
        ASSERT_TRUE(writer) << writer.error().message;
        std::filesystem::remove_all(path("there"));
        Status status = (*writer)->write(clip.view());
        if (status) {
            status = (*writer)->finish();
        }
        ASSERT_FALSE(status) << name;
        EXPECT_EQ(status.error().code, ErrorCode::Io);
        expectSentence(status.error(), name);
    }
    EXPECT_TRUE(leftovers().empty());
}

// Four frames of 8192 × 8192 are more than a GIF writer keeps. The pixels are one repeated page.
TEST_F(ClipFailure, GifIsBounded) {
    constexpr std::int64_t kSide = 8192;
    const std::vector<std::uint8_t> frame(kSide * kSide * 3, 90);
    auto writer = ClipWriter::create(path("clip.gif"), {kSide, kSide, {12, 1}, ""});
    ASSERT_TRUE(writer) << writer.error().message;
    Status status;
    int frames = 0;
    while (status && frames < 10) {
        status = (*writer)->write({frame.data(), DType::U8, {1, kSide, kSide, 3}});
        ++frames;
    }
    EXPECT_EQ(frames, 3);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::InvalidArgument);
    expectSentence(status.error(), "512 MiB");
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(ClipFailure, NothingIsPrinted) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    for (const ClipFormatInfo& format : clipFormats()) {
        // H.265 takes nothing below 16.
        const TestClip shown(4, 17, 17);
        ClipSpec spec = specOf(shown);
        spec.format = format.format;
        const auto file = path(std::string(format.id) + std::string(format.extension));
        EXPECT_TRUE(writeClip(file, shown, spec));
        EXPECT_TRUE(readClipInfo(file));
        EXPECT_TRUE(play(file));
    }
    std::ofstream(path("broken.mp4")) << "no clip at all";
    EXPECT_FALSE(readClipInfo(path("broken.mp4")));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

using ClipDeathTest = ClipFailure;

TEST_F(ClipDeathTest, WrongFramesAreAProgrammerError) {
    const TestClip clip(2, 16, 16);
    auto writer = ClipWriter::create(path("clip.mp4"), {16, 18, {12, 1}, ""});
    ASSERT_TRUE(writer);
    EXPECT_DEATH(static_cast<void>((*writer)->write(clip.view())), "frames are u8\\[2, 16, 16, 3\\]");
}

class ReadFailure : public ClipFailure {
 protected:
    [[nodiscard]] Error readError(const std::filesystem::path& file) const {
        const auto info = readClipInfo(file);
        const auto played = play(file);
        EXPECT_FALSE(played) << file;
        EXPECT_EQ(info.has_value(), false) << file;
        return info ? Error{} : info.error();
    }
};

TEST_F(ReadFailure, MissingFilesAndFolders) {
    expectSentence(readError(path("nowhere.mp4")), "there is no such file");
    std::filesystem::create_directory(path("empty"));
    expectSentence(readError(path("empty")), "frame_00000.png");
    ASSERT_EQ(::mkfifo(path("pipe.mp4").c_str(), 0600), 0);
    expectSentence(readError(path("pipe.mp4")), "neither a file nor a folder");
}

TEST_F(ReadFailure, FilesOfOtherKinds) {
    std::ofstream(path("text.mp4")) << "just some text that is long enough to be looked at by every probe";
    std::ofstream(path("empty.mp4")).flush();
    std::ofstream(path("list.mp4")) << "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n";
    std::ofstream(path("concat.mp4")) << "ffconcat version 1.0\nfile '/etc/passwd'\n";
    std::ofstream(path("frame.mp4")) << "GIF89a";
    for (const char* name : {"text.mp4", "empty.mp4", "list.mp4", "concat.mp4", "frame.mp4"}) {
        const Error error = readError(path(name));
        EXPECT_EQ(error.code, ErrorCode::Io);
        expectSentence(error, name);
    }
}

// Whatever the cut, the answer is an error or fewer frames, never a crash or a full count.
TEST_F(ReadFailure, TruncatedClips) {
    const TestClip clip(20, 64, 64);
    for (const ClipFormatInfo& format : clipFormats()) {
        if (format.extension.empty()) {
            continue;
        }
        const auto file = path(std::string(format.id) + std::string(format.extension));
        ClipSpec spec = specOf(clip);
        spec.format = format.format;
        ASSERT_TRUE(writeClip(file, clip, spec));
        const auto whole = std::filesystem::file_size(file);
        for (const std::uintmax_t percent : {1U, 5U, 20U, 50U, 80U}) {
            const auto cut = path("cut");
            std::filesystem::copy_file(file, cut, std::filesystem::copy_options::overwrite_existing);
            std::filesystem::resize_file(cut, whole * percent / 100U);
            const auto played = play(cut);
            EXPECT_TRUE(!played || played->frames < 20) << format.id << " at " << percent << " %";
            if (!played) {
                EXPECT_EQ(played.error().code, ErrorCode::Io);
            }
        }
    }
}

// Copying such a value once parsed would need a stack as deep as it is.
TEST_F(ReadFailure, AFolderOfFramesWhoseDescriptionIsNestedWithoutEnd) {
    const TestClip clip(2, 16, 16);
    ASSERT_TRUE(writeClip(path("clip"), clip, specOf(clip)));
    std::ofstream(path("clip") / "clip.json")
        << R"({"frame_rate": )" << std::string(1'000'000, '[') << std::string(1'000'000, ']') << '}';
    const auto info = readClipInfo(path("clip"));
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->frames, 2);
    EXPECT_EQ(info->frameRate, job::FrameRate{});
}

TEST_F(ReadFailure, DamagedBytesNeverCrash) {
    const TestClip clip(6, 32, 32);
    for (const ClipFormatInfo& format : clipFormats()) {
        if (format.extension.empty()) {
            continue;
        }
        const auto file = path(std::string(format.id) + std::string(format.extension));
        ClipSpec spec = specOf(clip, {12, 1}, R"({"a":"b"})");
        spec.format = format.format;
        ASSERT_TRUE(writeClip(file, clip, spec));
        std::ifstream in(file, std::ios::binary);
        const std::string good{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        std::uint32_t state = 12345;
        for (int round = 0; round < 40; ++round) {
            std::string bad = good;
            for (int hit = 0; hit < 8; ++hit) {
                state = state * 1664525U + 1013904223U;
                // Half of the hits go to the front, where the file says what it is.
                const std::size_t reach = hit % 2 == 0 ? bad.size() : std::min<std::size_t>(bad.size(), 600);
                bad[(state >> 8U) % reach] = static_cast<char>(state >> 24U);
            }
            std::ofstream(path("bad.bin"), std::ios::binary) << bad;
            const auto info = readClipInfo(path("bad.bin"));
            std::int64_t frames = 0;
            const Status played = readClipFrames(path("bad.bin"), [&](const ConstTensorView&) -> Status {
                return ++frames < 1000 ? Status() : fail(ErrorCode::Cancelled, "enough");
            });
            EXPECT_TRUE(!info || info->width > 0) << format.id;
            EXPECT_TRUE(played || !played.error().message.empty()) << format.id;
        }
    }
}

// The size of the picture is checked before memory is asked for, and no text of the file is believed.
TEST_F(ReadFailure, HostileWebP) {
    const TestClip clip(2, 16, 16);
    ASSERT_TRUE(writeClip(path("a.webp"), clip, specOf(clip, {12, 1}, R"({"a":1})")));
    std::ifstream in(path("a.webp"), std::ios::binary);
    const std::string good{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    for (const auto& [from, to] : {std::pair<std::string, std::string>{"fw:frames=\"2\"", "fw:frames=\"9\""},
                                   {"fw:frames=\"2\"", "fw:frames=\"1\""},
                                   {"fw:frames=\"2\"", "fw:frames=\"-\""},
                                   {"fw:frameRate=\"12/1\"", "fw:frameRate=\"12/0\""},
                                   {"<![CDATA[", "<![CDATA("},
                                   {"]]></rdf:li>", "]]></rdf:lj>"}}) {
        std::string bad = good;
        const std::size_t at = bad.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        bad.replace(at, to.size(), to);
        std::ofstream(path("bad.webp"), std::ios::binary) << bad;
        const auto info = readClipInfo(path("bad.webp"));
        ASSERT_TRUE(info) << info.error().message;
        const auto played = play(path("bad.webp"));
        ASSERT_TRUE(played) << to;
        EXPECT_EQ(played->frames, info->frames) << to;
    }
}

TEST_F(ReadFailure, CallbackErrorStopsReading) {
    const TestClip clip(6, 16, 16);
    for (const std::string& name : kEveryFormat) {
        ASSERT_TRUE(writeClip(path(name), clip, specOf(clip)));
        int seen = 0;
        const Status status = readClipFrames(path(name), [&](const ConstTensorView&) -> Status {
            return ++seen < 3 ? Status{} : fail(ErrorCode::Cancelled, "enough");
        });
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().message, "enough");
        EXPECT_EQ(seen, 3);
    }
}

}  // namespace
}  // namespace fw::media
