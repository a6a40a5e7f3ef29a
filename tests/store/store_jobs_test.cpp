#include "store_fixture.h"

namespace fw::store {
namespace {

std::vector<std::int64_t> ids(const std::vector<Job>& jobs) {
    std::vector<std::int64_t> result;
    for (const Job& job : jobs) {
        result.push_back(job.id);
    }
    return result;
}

using JobsTest = StoreTest;

TEST_F(JobsTest, QueueKeepsOrderAndCanBeRearranged) {
    const auto added = m_store->addJobs({makeJob("a"), makeJob("b"), makeJob("c"), makeJob("d")});
    ASSERT_TRUE(added) << added.error().message;
    const auto id = ids(*added);
    ASSERT_TRUE(m_store->moveJobs({id[3], id[2]}, id[1]));
    EXPECT_EQ(ids(*m_store->jobs({JobState::Queued}, -1)), (std::vector{id[0], id[3], id[2], id[1]}));
    ASSERT_TRUE(m_store->moveJobs({id[0]}, 0));
    EXPECT_EQ(ids(*m_store->jobs({JobState::Queued}, -1)), (std::vector{id[3], id[2], id[1], id[0]}));
    ASSERT_TRUE(m_store->removeJobs({id[3]}));
    EXPECT_EQ(m_store->takeNextJob()->value().id, id[2]);
}

TEST_F(JobsTest, OnlyWaitingJobsAreEditedMovedAndRemoved) {
    const auto id = m_store->addJob(makeJob("a"))->id;
    ASSERT_TRUE(m_store->editJob(id, R"({"prompt":"b"})"));
    EXPECT_EQ(m_store->job(id)->requestJson, R"({"prompt":"b"})");
    ASSERT_EQ(m_store->takeNextJob()->value().id, id);
    const auto edited = m_store->editJob(id, "{}");
    ASSERT_FALSE(edited);
    EXPECT_EQ(edited.error().code, ErrorCode::InvalidArgument);
    ASSERT_TRUE(m_store->removeJobs({id}));
    EXPECT_TRUE(m_store->job(id)) << "a running job stays";
}

TEST_F(JobsTest, RunningJobsComeBackAsInterruptedAfterACrashAndGoFirst) {
    ASSERT_TRUE(m_store->addJobs({makeJob("a"), makeJob("b")}));
    const auto running = m_store->takeNextJob()->value();
    ASSERT_TRUE(m_store->setJobProgress(running.id, "denoise", 7, 20, "checkpoints/1.safetensors"));
    reopen();
    EXPECT_TRUE(m_report.uncleanExit);
    EXPECT_EQ(m_report.interruptedJobs, 1);
    const auto again = m_store->takeNextJob()->value();
    EXPECT_EQ(again.id, running.id);
    EXPECT_EQ(again.step, 7);
    EXPECT_EQ(again.checkpointFile, "checkpoints/1.safetensors");
    ASSERT_TRUE(m_store->close());
    reopen();
    EXPECT_FALSE(m_report.uncleanExit);
}

TEST_F(JobsTest, CountsWorkerLossesAndKeepsTheReasonOfFailure) {
    const auto id = m_store->addJob(makeJob("a"))->id;
    EXPECT_EQ(*m_store->countWorkerLoss(id), 1);
    EXPECT_EQ(*m_store->countWorkerLoss(id), 2);
    ASSERT_TRUE(m_store->finishJob(id, JobState::Failed, "out_of_memory", "asked 3 GiB, 1 GiB free"));
    reopen();
    const auto job = m_store->job(id);
    EXPECT_EQ(job->state, JobState::Failed);
    EXPECT_EQ(job->workerLosses, 2);
    EXPECT_EQ(job->errorMessage, "asked 3 GiB, 1 GiB free");
    EXPECT_GT(job->finishedUs, 0);
}

TEST_F(JobsTest, RefusesARequestThatIsNoJson) {
    Job job;
    job.requestJson = "{broken";
    EXPECT_FALSE(m_store->addJobs({makeJob("good"), job}));
    EXPECT_TRUE(m_store->jobs({JobState::Queued}, -1)->empty()) << "all or nothing";
}

TEST_F(JobsTest, KeepsSearchesUnderNames) {
    const auto project = m_store->addProject("Talk");
    ASSERT_TRUE(m_store->saveSearch({"Best", "star:>=4 -night", project->id, ClipOrder::Stars}));
    ASSERT_TRUE(m_store->saveSearch({"all \"foxes\"'; --", "fox", 0, ClipOrder::Newest}));
    ASSERT_TRUE(m_store->saveSearch({"best", "star:5", 0, ClipOrder::Longest})) << "the same name";
    reopen();
    const auto searches = m_store->savedSearches();
    ASSERT_EQ(searches->size(), 2U);
    EXPECT_EQ(searches->front().name, "all \"foxes\"'; --");
    EXPECT_EQ(searches->back().name, "best");
    EXPECT_EQ(searches->back().text, "star:5");
    EXPECT_EQ(searches->back().projectId, 0);
    EXPECT_EQ(searches->back().order, ClipOrder::Longest);

    EXPECT_FALSE(m_store->saveSearch({"", "fox", 0, ClipOrder::Newest}));
    EXPECT_FALSE(m_store->renameSearch("best", ""));
    const auto taken = m_store->renameSearch("best", "All \"foxes\"'; --");
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, ErrorCode::InvalidArgument);
    ASSERT_TRUE(m_store->renameSearch("best", "Best")) << "in other letters";
    ASSERT_TRUE(m_store->renameSearch("Best", "Five stars"));
    EXPECT_EQ(m_store->savedSearches()->back().name, "Five stars");
    ASSERT_TRUE(m_store->removeSearch("Five stars"));
    ASSERT_TRUE(m_store->removeSearch("never there"));
    EXPECT_EQ(m_store->savedSearches()->size(), 1U);
}

TEST_F(JobsTest, CancelsWhatWaitsAndQueuesItAgain) {
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 4; ++i) {
        Job job;
        job.requestJson = "{}";
        ids.push_back(m_store->addJob(job)->id);
    }
    ASSERT_EQ((*m_store->takeNextJob())->id, ids[0]);
    ASSERT_TRUE(m_store->cancelJobs({ids[0], ids[1], ids[3], 999}));
    EXPECT_EQ(m_store->job(ids[0])->state, JobState::Running) << "what runs is not the table's to stop";
    EXPECT_EQ(m_store->job(ids[1])->state, JobState::Cancelled);
    EXPECT_GT(m_store->job(ids[1])->finishedUs, 0);
    EXPECT_EQ(m_store->job(ids[1])->errorCode, "cancelled");
    ASSERT_TRUE(m_store->requeueJobs({ids[3], ids[1], ids[0]}));
    const auto waiting = m_store->jobs({JobState::Queued, JobState::Interrupted}, -1);
    ASSERT_TRUE(waiting);
    std::vector<std::int64_t> order;
    for (const Job& job : *waiting) {
        order.push_back(job.id);
        EXPECT_EQ(job.finishedUs, 0);
        EXPECT_EQ(job.errorCode, "");
    }
    EXPECT_EQ(order, (std::vector{ids[2], ids[3], ids[1]}));
    EXPECT_TRUE(m_store->cancelJobs({}));
    EXPECT_TRUE(m_store->requeueJobs({}));
}

TEST_F(JobsTest, ReusesPromptsAndPresetsAndSessionValues) {
    ASSERT_TRUE(m_store->rememberPrompts({{"a red fox", ""}}));
    ASSERT_TRUE(m_store->rememberPrompts({{"a blue car", "blurry"}}));
    ASSERT_TRUE(m_store->rememberPrompts({{"a red fox", ""}}));
    const auto prompts = m_store->prompts("", 10);
    ASSERT_EQ(prompts->size(), 2U);
    EXPECT_EQ(prompts->front().prompt, "a red fox");
    EXPECT_EQ(prompts->front().uses, 2);
    EXPECT_EQ(m_store->prompts("BLUE", 10)->size(), 1U);
    ASSERT_TRUE(m_store->savePreset({"night", "{}"}));
    ASSERT_TRUE(m_store->savePreset({"night", R"({"steps":30})"}));
    EXPECT_EQ(m_store->presets()->front().requestJson, R"({"steps":30})");
    ASSERT_TRUE(m_store->removePreset("night"));
    EXPECT_TRUE(m_store->presets()->empty());
    ASSERT_TRUE(m_store->setSessionValue("unsent", "a \"quoted\" prompt\n'; DROP TABLE clip; --"));
    EXPECT_EQ(*m_store->sessionValue("unsent"), "a \"quoted\" prompt\n'; DROP TABLE clip; --");
}

}  // namespace
}  // namespace fw::store
