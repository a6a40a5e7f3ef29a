#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "store_fixture.h"

namespace fw::store {
namespace {

using OpenTest = StoreTest;

TEST_F(OpenTest, RefusesALibraryOfANewerProgramAndLeavesItAlone) {
    m_store.reset();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open((m_folder / "library.sqlite3").c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, "PRAGMA user_version = 999", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    const auto store = LibraryStore::open(m_folder);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::Unsupported);
    EXPECT_NE(store.error().message.find("newer"), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(m_folder / "library.sqlite3"));
}

TEST_F(OpenTest, SetsADamagedFileAsideAndKeepsWhatCanBeRead) {
    std::string filler(2000, 'x');
    for (int i = 0; i < 400; ++i) {
        Clip clip = makeClip("fox number " + std::to_string(i), std::to_string(i) + ".mp4");
        clip.notes = filler;
        ASSERT_TRUE(m_store->addClip(clip));
    }
    ASSERT_TRUE(m_store->close());
    m_store.reset();
    const auto file = m_folder / "library.sqlite3";
    const auto size = static_cast<std::streamoff>(std::filesystem::file_size(file));
    {
        // Overwrite one page in the middle of the clip table.
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(size / 2 / 4096 * 4096);
        const std::string noise(4096, '\xa5');
        stream.write(noise.data(), static_cast<std::streamsize>(noise.size()));
    }
    reopen();
    EXPECT_FALSE(m_report.damagedSetAside.empty());
    EXPECT_TRUE(std::filesystem::exists(m_report.damagedSetAside));
    EXPECT_GE(m_report.recoveredClips, 200);
    EXPECT_EQ(*m_store->countClips({"", ClipOrder::Newest, 0, false}), m_report.recoveredClips);
    EXPECT_GE(*m_store->countClips({"fox", ClipOrder::Newest, 0, false}), 200);
}

TEST_F(OpenTest, AFileThatIsNoDatabaseIsSetAside) {
    m_store.reset();
    std::filesystem::remove_all(m_folder);
    std::filesystem::create_directories(m_folder);
    std::ofstream(m_folder / "library.sqlite3") << std::string(10000, 'z');
    reopen();
    EXPECT_FALSE(m_report.damagedSetAside.empty());
    EXPECT_EQ(*m_store->countClips({}), 0);
    ASSERT_TRUE(m_store->addJob(makeJob("works again")));
}

TEST_F(OpenTest, AnUnusableFolderIsOneSentence) {
    std::ofstream(m_folder / "plain") << "x";
    const auto store = LibraryStore::open(m_folder / "plain" / "library");
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::Io);
}

TEST_F(OpenTest, AFullDiskLosesNothingThatWasThere) {
    ASSERT_TRUE(m_store->addJob(makeJob("before")));
    // A limit on file growth stands in for a full disk: the journal can no longer grow.
    struct rlimit before {};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto previous = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight{64 * 1024, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const auto added = m_store->addJob(makeJob(std::string(300'000, 'a')));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, previous);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, ErrorCode::Io) << added.error().message;
    ASSERT_TRUE(m_store->addJob(makeJob("after")));
    reopen();
    EXPECT_EQ(m_store->jobs({JobState::Queued}, -1)->size(), 2U);
}

}  // namespace
}  // namespace fw::store
