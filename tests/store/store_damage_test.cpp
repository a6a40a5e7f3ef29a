// Databases as bad disks, full disks and other programs leave them, and texts as people paste them.
#include <fstream>
#include <string>
#include <vector>

#include "store_fixture.h"

namespace fw::store {
namespace {

constexpr int kClips = 300;

class DamageTest : public StoreTest {
 protected:
    // 300 clips with a page of notes each, closed cleanly. Made once: every clip waits for the disk.
    static void SetUpTestSuite() {
        s_template = std::filesystem::temp_directory_path() / ("fw-damage-" + std::to_string(getpid()));
        std::filesystem::remove_all(s_template);
        const auto store = LibraryStore::open(s_template);
        ASSERT_TRUE(store);
        const std::string filler(2000, 'x');
        ASSERT_TRUE((*store)->addProject("Talk"));
        for (int i = 0; i < kClips; ++i) {
            Clip clip = makeClip("fox number " + std::to_string(i), std::to_string(i) + ".mp4");
            clip.notes = filler;
            clip.tags = {i % 2 == 0 ? "even" : "odd"};
            ASSERT_TRUE((*store)->addClip(clip));
        }
        ASSERT_TRUE((*store)->addJob(makeJob("waits")));
        ASSERT_TRUE((*store)->saveSearch({"best", "star:>=4", 2, ClipOrder::Stars}));
        ASSERT_TRUE((*store)->close());
    }
    static void TearDownTestSuite() { std::filesystem::remove_all(s_template); }
    void fill() {
        m_store.reset();
        std::filesystem::remove_all(m_folder);
        std::filesystem::copy(s_template, m_folder);
    }
    [[nodiscard]] std::filesystem::path file() const { return m_folder / "library.sqlite3"; }
    [[nodiscard]] std::uintmax_t size() const { return std::filesystem::file_size(file()); }
    void overwrite(std::uintmax_t at, const std::string& bytes) const {
        std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(static_cast<std::streamoff>(at));
        stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    // Opens; what was there is set aside untouched or sound, and the library works.
    void expectUsable(std::int64_t leastClips) {
        reopen();
        ASSERT_NE(m_store, nullptr);
        EXPECT_FALSE(m_report.damagedSetAside.empty());
        EXPECT_TRUE(std::filesystem::exists(m_report.damagedSetAside));
        EXPECT_GE(m_report.recoveredClips, leastClips);
        EXPECT_EQ(*m_store->countClips({}), m_report.recoveredClips);
        EXPECT_EQ(m_store->clips({"fox", ClipOrder::Name, 0, false}, 0, -1)->size(),
                  static_cast<std::size_t>(m_report.recoveredClips))
            << "the words are searched again";
        ASSERT_TRUE(m_store->addClip(makeClip("made after the damage", "after.mp4")));
        ASSERT_TRUE(m_store->close());
        reopen();
        EXPECT_TRUE(m_report.damagedSetAside.empty()) << "repaired once and for all";
    }

    inline static std::filesystem::path s_template;
};

TEST_F(DamageTest, ATruncatedFileGivesBackItsFirstPart) {
    fill();
    std::filesystem::resize_file(file(), size() / 2 / 4096 * 4096);
    expectUsable(20);
}

TEST_F(DamageTest, AFileCutInTheMiddleOfAPageToo) {
    fill();
    std::filesystem::resize_file(file(), size() * 3 / 4 + 1234);
    expectUsable(50);
}

TEST_F(DamageTest, ZeroedPagesCostTheirRowsOnly) {
    fill();
    overwrite(size() / 3 / 4096 * 4096, std::string(4 * 4096, '\0'));
    expectUsable(kClips / 2);
}

TEST_F(DamageTest, AWrongHeaderIsNoDatabase) {
    fill();
    overwrite(0, "This is no database at all");
    reopen();
    EXPECT_TRUE(std::filesystem::exists(m_report.damagedSetAside));
    ASSERT_TRUE(m_store->addClip(makeClip("made after the damage", "after.mp4")));
}

TEST_F(DamageTest, ADestroyedSchemaPageIsSetAside) {
    fill();
    overwrite(100, std::string(3000, '\xff'));
    reopen();
    EXPECT_TRUE(std::filesystem::exists(m_report.damagedSetAside));
    ASSERT_TRUE(m_store->addClip(makeClip("made after the damage", "after.mp4")));
}

TEST_F(DamageTest, AnEmptyFileIsANewLibrary) {
    fill();
    std::filesystem::resize_file(file(), 0);
    reopen();
    EXPECT_EQ(*m_store->countClips({}), 0);
    ASSERT_TRUE(m_store->addClip(makeClip("made after the damage", "after.mp4")));
}

TEST_F(DamageTest, TagsProjectsAndWaitingJobsAreRecoveredWithTheClips) {
    fill();
    overwrite(size() / 2 / 4096 * 4096, std::string(4096, '\xa5'));
    expectUsable(kClips / 2);
    EXPECT_GT(*m_store->countClips({"tag:even", ClipOrder::Newest, 0, false}), 0);
    EXPECT_EQ(m_store->projects()->back().name, "Talk");
    EXPECT_EQ(m_store->jobs({JobState::Queued}, -1)->size(), 1U);
    ASSERT_EQ(m_store->savedSearches()->size(), 1U);
    EXPECT_EQ(m_store->savedSearches()->front().projectId, 2);
}

TEST_F(DamageTest, ASecondDamageKeepsTheFirstCopy) {
    fill();
    overwrite(0, "one");
    reopen();
    const auto first = m_report.damagedSetAside;
    m_store.reset();
    std::ofstream(file(), std::ios::trunc) << std::string(5000, 'z');
    reopen();
    EXPECT_NE(m_report.damagedSetAside, first);
    EXPECT_TRUE(std::filesystem::exists(first));
}

TEST_F(DamageTest, AnInterruptedRecoveryStartsOverOrIsFinished) {
    fill();
    const auto recovering = m_folder / "library-recovering.sqlite3";
    // Interrupted while rows were copied: half a file lies beside the damaged one.
    std::ofstream(recovering) << "half";
    overwrite(size() / 2 / 4096 * 4096, std::string(4096, '\xa5'));
    expectUsable(kClips / 2);
    EXPECT_FALSE(std::filesystem::exists(recovering));
    // Interrupted between the two renames: the recovered file is complete and the library's name is free.
    const auto clips = *m_store->countClips({});
    ASSERT_TRUE(m_store->close());
    m_store.reset();
    std::filesystem::rename(file(), recovering);
    reopen();
    EXPECT_EQ(*m_store->countClips({}), clips);
}

TEST_F(DamageTest, HostileTextsComeBackByteForByte) {
    const std::vector<std::string> texts = {
        "a \"quoted\" 'prompt'",
        "two\nlines\tand a tab",
        "../../../etc/passwd",
        "'; DROP TABLE clip; --",
        "🦊🦊🦊 emoji \U0001F469\u200D\U0001F4BB",
        "\u202Egnp.exe\u202C right to left",
        "עברית العربية 日本語",
        "combining e\u0301\u0301\u0301\u0301",
        std::string("zero\0inside", 11),
        "%s%n%x {} {0}",
        "<b>bold</b> &amp; <script>",
        std::string(255, 'n'),
        std::string(4999, 'w'),
        "\xff\xfe\x80 no UTF-8",
    };
    int number = 0;
    for (const std::string& text : texts) {
        Clip clip = makeClip(text, "clips/" + std::to_string(number++) + text);
        clip.notes = clip.model = clip.seed = text;
        clip.tags = {text};
        const auto added = m_store->addClip(clip);
        ASSERT_TRUE(added) << text << ": " << added.error().message;
        const auto read = m_store->clip(added->id);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->prompt, text);
        EXPECT_EQ(read->file, clip.file);
        EXPECT_EQ(read->notes, text);
        EXPECT_EQ(read->tags, (std::vector<std::string>{text}));
        // Typed into the search it finds, finds nothing, or is a mistake; it never is an error of the database.
        for (const std::string& line : {text, "model:" + text, "tag:\"" + text + "\"", "-" + text}) {
            const auto found = m_store->clipIds({line, ClipOrder::Name, 0, false});
            EXPECT_TRUE(found || found.error().code == ErrorCode::InvalidArgument)
                << line << ": " << found.error().message;
        }
    }
    EXPECT_EQ(*m_store->countClips({}), static_cast<std::int64_t>(texts.size()));
    ASSERT_TRUE(m_store->close());
    reopen();
    EXPECT_TRUE(m_report.damagedSetAside.empty());
}

}  // namespace
}  // namespace fw::store
