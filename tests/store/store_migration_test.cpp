// Libraries of every earlier schema version open with everything in them, and a copy is kept.
#include <sqlite3.h>

#include <cstdint>
#include <fstream>
#include <iterator>

#include "core/store/migrations.h"
#include "store_fixture.h"

namespace fw::store {
namespace {

// FNV-1a: enough to notice that a released step was edited.
std::uint64_t fingerprint(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    return hash;
}

std::string readText(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

class MigrationTest : public StoreTest {
 protected:
    // A library as `version` left it, with the rows of tests/store/data/library-v1.sql.
    void makeLibrary(std::size_t version) {
        m_store.reset();
        std::filesystem::remove_all(m_folder);
        std::filesystem::create_directories(m_folder);
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open((m_folder / "library.sqlite3").c_str(), &raw), SQLITE_OK);
        const auto run = [&](const std::string& sql) {
            char* message = nullptr;
            ASSERT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
        };
        for (std::size_t i = 0; i < version; ++i) {
            run(std::string(schemaSteps()[i]));
            if (i == 0) {
                run(readText(FW_SOURCE_DIR "/tests/store/data/library-v1.sql"));
            }
        }
        run("PRAGMA user_version = " + std::to_string(version));
        ASSERT_EQ(sqlite3_close(raw), SQLITE_OK);
    }
    void expectEverything() {
        const auto fox = m_store->clip(1);
        ASSERT_TRUE(fox) << fox.error().message;
        EXPECT_EQ(fox->prompt, "a red fox, café");
        EXPECT_EQ(fox->seed, "18446744073709551615");
        EXPECT_EQ(fox->stars, 4);
        EXPECT_EQ(fox->notes, "for the talk");
        EXPECT_EQ(fox->tags, (std::vector<std::string>{"Best of"}));
        EXPECT_EQ(*m_store->clipIds({"cafe best", ClipOrder::Name, 0, false}), (std::vector<std::int64_t>{1}));
        EXPECT_EQ(*m_store->clipIds({"missing:yes", ClipOrder::Longest, 2, true}), (std::vector<std::int64_t>{2}));
        EXPECT_EQ(m_store->clip(2)->file, "clips/2026-11/'b'.mp4");
        EXPECT_EQ(m_store->projects()->back().name, "Paper \"figures\"");
        EXPECT_EQ(m_store->job(2)->state, JobState::Queued);
        EXPECT_EQ(m_store->job(3)->state, JobState::Interrupted);
        EXPECT_EQ(m_store->job(3)->checkpointFile, "staging/3/checkpoint");
        EXPECT_EQ(m_store->prompts("fox", 1)->front().uses, 3);
        EXPECT_EQ(m_store->presets()->front().name, "night");
        EXPECT_EQ(*m_store->sessionValue("unsent"), "half a sentence");
    }
};

TEST_F(MigrationTest, EveryEarlierVersionOpensWithEverythingInIt) {
    for (std::size_t version = 1; version < schemaSteps().size(); ++version) {
        SCOPED_TRACE(version);
        makeLibrary(version);
        reopen();
        EXPECT_EQ(m_report.migratedFrom, static_cast<int>(version));
        EXPECT_TRUE(m_report.damagedSetAside.empty());
        ASSERT_FALSE(m_report.backup.empty());
        expectEverything();
        ASSERT_TRUE(m_store->addClip(makeClip("new", "new.mp4"))) << "and it can be written to";
        ASSERT_TRUE(m_store->close());

        // The copy is the library as it was: put in its place, it opens and migrates again.
        const auto copy = m_report.backup;
        m_store.reset();
        std::filesystem::copy_file(copy, m_folder / "library.sqlite3",
                                   std::filesystem::copy_options::overwrite_existing);
        reopen();
        EXPECT_EQ(m_report.migratedFrom, static_cast<int>(version));
        expectEverything();
        EXPECT_EQ(*m_store->countClips({"new", ClipOrder::Newest, 0, false}), 0);
    }
}

TEST_F(MigrationTest, TheNewestVersionIsLeftAlone) {
    makeLibrary(schemaSteps().size());
    reopen();
    EXPECT_EQ(m_report.migratedFrom, -1);
    EXPECT_TRUE(m_report.backup.empty());
    expectEverything();
}

TEST_F(MigrationTest, ReleasedStepsNeverChange) {
    // Somebody's library was made by these very statements: a change belongs into a new step.
    EXPECT_EQ(fingerprint(schemaSteps()[0]), 13546433361165438930ULL);
    EXPECT_EQ(fingerprint(schemaSteps()[1]), 6922407489361294073ULL);
    EXPECT_EQ(fingerprint(schemaSteps()[2]), 18286298884264565033ULL);
    EXPECT_EQ(schemaSteps().size(), 3U) << "add the new step's fingerprint";
}

}  // namespace
}  // namespace fw::store
