// Which latents of earlier runs a changed one may go on from, and which are given up.
#include "app/engine/step_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "app/engine/clip_job.h"
#include "core/pipeline/generator.h"

namespace fw::app {
namespace {

namespace fs = std::filesystem;

class StepStoreTest : public testing::Test {
 protected:
    void SetUp() override {
        m_folder = fs::temp_directory_path() / ("fw_steps_" + std::to_string(getpid()));
        fs::remove_all(m_folder);
    }
    void TearDown() override { fs::remove_all(m_folder); }

    static job::GenerationRequest request(const std::string& prompt) {
        job::GenerationRequest asked;
        asked.prompt = prompt;
        asked.seed = 3;
        return *job::resolve(asked, {});
    }
    static void write(const fs::path& file, std::size_t bytes) {
        std::ofstream(file, std::ios::binary) << std::string(bytes, 'x');
    }

    fs::path m_folder;
};

TEST_F(StepStoreTest, FindsTheLatestStepBeforeTheChange) {
    const StepStore store(m_folder);
    job::GenerationRequest asked = request("a fox");
    const fs::path run = store.makeRun(asked, "hash");
    ASSERT_FALSE(run.empty());
    for (const int step : {2, 4, 6, 8}) {
        write(run / pipeline::stepFileName(step), 10);
    }
    EXPECT_TRUE(store.unchangedSteps(asked, "hash").empty()) << "nothing was changed by hand";
    asked.probes = Json{{"kinds", "default"}};  // looking on changes nothing
    asked.whatIf = Json{{"from_step", 6}, {"masks", {{{"layer", 0}, {"head", 0}, {"rows", {"0"}}}}}};
    EXPECT_EQ(store.unchangedSteps(asked, "hash"),
              (std::vector{run / pipeline::stepFileName(6), run / pipeline::stepFileName(4),
                           run / pipeline::stepFileName(2)}));
    asked.whatIf = Json{{"compute", {9, 5}}};
    EXPECT_EQ(store.unchangedSteps(asked, "hash").front(), run / pipeline::stepFileName(4));
    asked.whatIf = Json{{"compute", {1}}};
    EXPECT_TRUE(store.unchangedSteps(asked, "hash").empty()) << "no step before was kept";
    asked.whatIf = Json{{"compute", {9}}};
    EXPECT_TRUE(store.unchangedSteps(asked, "another model").empty());
    EXPECT_TRUE(store.makeRun(asked, "hash").empty()) << "a changed run keeps nothing";
    asked.seed = 4;
    EXPECT_TRUE(store.unchangedSteps(asked, "hash").empty());
    asked.whatIf = Json{{"compute", "all"}};
    EXPECT_TRUE(store.unchangedSteps(asked, "hash").empty());
}

TEST_F(StepStoreTest, GivesUpWhatIsOldest) {
    const StepStore store(m_folder, 1000);
    EXPECT_EQ(store.runBytes(), 500);
    const auto now = fs::file_time_type::clock::now();
    std::vector<fs::path> runs;
    for (int i = 0; i < 4; ++i) {
        runs.push_back(store.makeRun(request("fox " + std::to_string(i)), "hash"));
        const fs::path file = runs.back() / pipeline::stepFileName(1);
        write(file, 200);
        fs::last_write_time(file, now - std::chrono::hours(i == 1 ? 9 : 4 - i));
    }
    write(m_folder / "notes.txt", 5000);
    store.trim(runs[3]);
    EXPECT_FALSE(fs::exists(runs[1])) << "the oldest";
    EXPECT_TRUE(fs::exists(runs[0]) && fs::exists(runs[2])) << "with these there is room for a run";
    store.trim({});
    EXPECT_FALSE(fs::exists(runs[0]));
    EXPECT_TRUE(fs::exists(runs[3]) && fs::exists(m_folder / "notes.txt"));
}

TEST_F(StepStoreTest, KeepsNothingWhereItMayNot) {
    EXPECT_TRUE(StepStore().makeRun(request("a fox"), "hash").empty());
    fs::create_directories(m_folder);
    write(m_folder / "file", 1);
    EXPECT_TRUE(StepStore(m_folder / "file").makeRun(request("a fox"), "hash").empty());
    StepStore(m_folder / "absent").trim({});
}

// What another build kept is not gone on from: its steps are kept under another name.
TEST_F(StepStoreTest, TellsBuildsApart) {
    const std::string build = programBuild();
    EXPECT_EQ(build, programBuild()) << "the same for one program";
    struct stat file {};
    ASSERT_EQ(::stat("/proc/self/exe", &file), 0);
    EXPECT_EQ(build.rfind(fmt::format("{}|{}:{}.{}", programVersion(), file.st_size, file.st_mtim.tv_sec,
                                      file.st_mtim.tv_nsec),
                          0),
              0U)
        << build;
    const StepStore store(m_folder);
    job::GenerationRequest asked = request("a fox");
    write(store.makeRun(asked, "hash" + build) / pipeline::stepFileName(2), 10);
    asked.whatIf = Json{{"from_step", 2}};
    EXPECT_EQ(store.unchangedSteps(asked, "hash" + build).size(), 1U);
    EXPECT_TRUE(store.unchangedSteps(asked, "hash" + build + "1").empty());
}

}  // namespace
}  // namespace fw::app
