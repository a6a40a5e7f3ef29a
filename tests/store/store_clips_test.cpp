#include <algorithm>

#include "core/store/clip_query.h"
#include "store_fixture.h"

namespace fw::store {
namespace {

class ClipsTest : public StoreTest {
 protected:
    std::vector<std::string> find(const std::string& text, ClipOrder order = ClipOrder::Oldest) {
        const auto clips = m_store->clips({text, order, 0, false}, 0, 100);
        EXPECT_TRUE(clips) << clips.error().message;
        std::vector<std::string> files;
        for (const Clip& clip : clips.value_or(std::vector<Clip>{})) {
            files.push_back(clip.file);
        }
        EXPECT_EQ(static_cast<std::int64_t>(files.size()), *m_store->countClips({text, order, 0, false}));
        return files;
    }
    void addThree() {
        Clip fox = makeClip("a red fox runs at night", "fox.mp4");
        fox.steps = 30;
        Clip car = makeClip("a blue car, café in the rain", "car.mp4");
        car.model = "Wan2.1-T2V-1.3B";
        car.frames = 81;
        Clip owl = makeClip("an owl flies \"over\" the town", "owl.mp4");
        owl.createdUs = 1'793'577'600'000'000;  // 2026-11-02
        for (const Clip& clip : {fox, car, owl}) {
            const auto added = m_store->addClip(clip);
            ASSERT_TRUE(added) << added.error().message;
            m_ids.push_back(added->id);
        }
    }
    std::vector<std::int64_t> m_ids;
};

using Files = std::vector<std::string>;

TEST_F(ClipsTest, FindsByWordsPrefixesAccentsAndPhrases) {
    addThree();
    EXPECT_EQ(find("fox"), (Files{"fox.mp4"}));
    EXPECT_EQ(find("FO"), (Files{"fox.mp4"}));
    EXPECT_EQ(find("cafe"), (Files{"car.mp4"}));
    EXPECT_EQ(find("red night"), (Files{"fox.mp4"}));
    EXPECT_EQ(find("\"red night\""), Files{});
    EXPECT_EQ(find("\"blue car\""), (Files{"car.mp4"}));
    EXPECT_EQ(find("-fox"), (Files{"car.mp4", "owl.mp4"}));
    EXPECT_EQ(find(""), (Files{"fox.mp4", "car.mp4", "owl.mp4"}));
    EXPECT_EQ(find("", ClipOrder::Longest).front(), "car.mp4");
}

TEST_F(ClipsTest, FindsByFields) {
    addThree();
    EXPECT_EQ(find("model:wan"), (Files{"car.mp4"}));
    EXPECT_EQ(find("steps:>20"), (Files{"fox.mp4"}));
    EXPECT_EQ(find("-steps:>20 frames:33"), (Files{"owl.mp4"}));
    EXPECT_EQ(find("date:2026-11-02"), (Files{"owl.mp4"}));
    EXPECT_EQ(find("date:<=2026-11-01"), Files{});
    EXPECT_EQ(find("seed:18446744073709551615").size(), 3U);
    ASSERT_TRUE(m_store->setStars({m_ids[1], m_ids[2]}, 4));
    EXPECT_EQ(find("star:>=3 owl"), (Files{"owl.mp4"}));
    ASSERT_TRUE(m_store->addTag({m_ids[0]}, "Best of"));
    EXPECT_EQ(find("tag:\"best of\""), (Files{"fox.mp4"}));
    EXPECT_EQ(find("best"), (Files{"fox.mp4"})) << "tags are words too";
    ASSERT_TRUE(m_store->removeTag({m_ids[0]}, "best of"));
    EXPECT_EQ(find("best"), Files{});
    EXPECT_TRUE(m_store->tags()->empty());
    ASSERT_TRUE(m_store->setNotes(m_ids[0], "for the talk"));
    EXPECT_EQ(find("talk"), (Files{"fox.mp4"}));
}

TEST_F(ClipsTest, AnyTypedTextIsHarmless) {
    addThree();
    for (const char* text : {"\"",
                             "\"\"",
                             "(",
                             ")",
                             "*",
                             "AND",
                             "OR NOT",
                             "NEAR(a b)",
                             "a:b:c",
                             "x^2",
                             "'; DROP TABLE clip; --",
                             "prompt:fox",
                             "-",
                             "--",
                             "\\",
                             "\xff\xfe",
                             "{fox}",
                             "fox*",
                             "+",
                             ":",
                             "steps",
                             "日本"}) {
        EXPECT_TRUE(m_store->clips({text, ClipOrder::Newest, 0, false}, 0, 10)) << text;
    }
    EXPECT_EQ(find("").size(), 3U);
    for (const char* text : {"steps:many", "steps:", "date:yesterday", "star:>="}) {
        const auto found = m_store->clips({text, ClipOrder::Newest, 0, false}, 0, 10);
        ASSERT_FALSE(found) << text;
        EXPECT_EQ(found.error().code, ErrorCode::InvalidArgument);
    }
}

TEST_F(ClipsTest, NamesTheMistakeAndItsPlace) {
    EXPECT_FALSE(findMistake("fox star:>=3"));
    EXPECT_FALSE(findMistake(""));
    const auto mistake = findMistake("fox steps:many tag:x");
    ASSERT_TRUE(mistake);
    EXPECT_EQ(mistake->begin, 4U);
    EXPECT_EQ(mistake->end, 14U);
    EXPECT_NE(mistake->message.find("many"), std::string::npos);
    EXPECT_TRUE(findMistake("missing:maybe"));
    for (const QueryField& field : queryFields()) {
        EXPECT_FALSE(findMistake(std::string(field.example))) << field.example;
        EXPECT_TRUE(findMistake(std::string(field.name) + ":")) << field.name;
    }
}

TEST_F(ClipsTest, EveryWayToSearchAgreesWithEveryOrder) {
    // Words, fields, exclusions and their mixtures take different ways through the indices: each must find what the
    // plain newest-first list says, in any order, in pages as well as at once.
    for (int i = 0; i < 60; ++i) {
        Clip clip = makeClip(i % 3 == 0 ? "a fox" : "an owl", std::to_string(i) + ".mp4");
        clip.steps = i;
        clip.frames = 1 + 4 * (i % 7);
        const auto added = m_store->addClip(clip);
        ASSERT_TRUE(added);
        m_ids.push_back(added->id);
    }
    ASSERT_TRUE(m_store->setTrashed({m_ids[3], m_ids[4]}, true));
    ASSERT_TRUE(m_store->setStars({m_ids[9], m_ids[10]}, 5));
    const std::vector<std::pair<const char*, std::size_t>> cases = {{"", 58},
                                                                    {"fox", 19},
                                                                    {"-fox", 39},
                                                                    {"fox -owl", 19},
                                                                    {"fox steps:>30", 9},
                                                                    {"-fox steps:>30", 20},
                                                                    {"a fox star:5", 1},
                                                                    {"zebra", 0},
                                                                    {"steps:>=0", 58}};
    for (const auto& [text, count] : cases) {
        std::vector<std::int64_t> newest;
        for (const ClipOrder order :
             {ClipOrder::Newest, ClipOrder::Oldest, ClipOrder::Stars, ClipOrder::Longest, ClipOrder::Name}) {
            const ClipQuery query{text, order, 0, false};
            auto ids = *m_store->clipIds(query);
            EXPECT_EQ(ids.size(), count) << text;
            EXPECT_EQ(*m_store->countClips(query), static_cast<std::int64_t>(count)) << text;
            std::vector<std::int64_t> paged;
            for (std::int64_t offset = 0; offset < 60; offset += 7) {
                const auto page = m_store->clips(query, offset, 7);
                ASSERT_TRUE(page);
                for (const Clip& clip : *page) {
                    paged.push_back(clip.id);
                }
            }
            EXPECT_EQ(paged, ids) << text;
            for (const int limit : {0, 1, 7, 19, 60}) {
                const auto first = *m_store->firstClipIds(query, limit);
                const auto most = std::min(ids.size(), static_cast<std::size_t>(limit));
                if (!first.ids.empty() || first.complete) {
                    EXPECT_EQ(first.ids, std::vector(ids.begin(), ids.begin() + std::ssize(first.ids))) << text;
                    EXPECT_EQ(first.ids.size(), most) << text;
                }
                if (first.complete) {
                    EXPECT_EQ(first.ids, ids) << text;
                }
                // By age nothing has to be sorted, and all clips are among the first that are looked at.
                if (order == ClipOrder::Newest || order == ClipOrder::Oldest) {
                    EXPECT_EQ(first.ids.size(), most) << text << " " << limit;
                }
            }
            if (order == ClipOrder::Newest) {
                newest = ids;
            }
            std::sort(ids.rbegin(), ids.rend());
            EXPECT_EQ(ids, newest) << text;
        }
    }
    EXPECT_EQ(m_store->clipIds({"", ClipOrder::Stars, 0, false})->front(), m_ids[10]);
    EXPECT_EQ(*m_store->clipIds({"fox", ClipOrder::Newest, 0, true}), (std::vector{m_ids[3]}));
    EXPECT_EQ(*m_store->clipIds({"", ClipOrder::Newest, 0, true}), (std::vector{m_ids[4], m_ids[3]}));
    EXPECT_FALSE(m_store->firstClipIds({"steps:many", ClipOrder::Newest, 0, false}, 3));
}

TEST_F(ClipsTest, ASearchNobodyWaitsForEnds) {
    ASSERT_TRUE(m_store->addClip(makeClip("a fox", "fox.mp4")));
    CancelSource cancel;
    EXPECT_TRUE(m_store->clipIds({"fox", ClipOrder::Newest, 0, false}, cancel.token()));
    cancel.cancel();
    for (const char* text : {"", "fox", "-fox", "fox steps:>0"}) {
        const auto ids = m_store->clipIds({text, ClipOrder::Name, 0, false}, cancel.token());
        ASSERT_FALSE(ids) << text;
        EXPECT_EQ(ids.error().code, ErrorCode::Cancelled);
    }
}

TEST_F(ClipsTest, ChangesReturnWhatAnUndoNeeds) {
    addThree();
    ASSERT_TRUE(m_store->setStars({m_ids[1]}, 4));
    EXPECT_EQ(*m_store->setStars(m_ids, 2), (std::vector{0, 4, 0}));
    ASSERT_TRUE(m_store->addTag({m_ids[2]}, "Best"));
    EXPECT_EQ(*m_store->addTag(m_ids, "best"), (std::vector{m_ids[0], m_ids[1]}));
    EXPECT_EQ(*m_store->removeTag({m_ids[0], m_ids[0] + 100}, "BEST"), (std::vector{m_ids[0]}));
    const auto project = m_store->addProject("Talk")->id;
    EXPECT_EQ(*m_store->moveToProject({m_ids[0], m_ids[1]}, project), (std::vector<std::int64_t>{1, 1}));
    EXPECT_EQ(*m_store->fieldValues("model"), (std::vector<std::string>{"Wan2.1-T2V-1.3B", "mini"}));
    EXPECT_FALSE(m_store->fieldValues("steps"));
    EXPECT_FALSE(m_store->setStars(m_ids, 6));
}

TEST_F(ClipsTest, ClipsByIdKeepTheAskedOrder) {
    addThree();
    const auto clips = m_store->clipsById({m_ids[2], 999, m_ids[0]});
    ASSERT_TRUE(clips);
    ASSERT_EQ(clips->size(), 2U);
    EXPECT_EQ(clips->front().id, m_ids[2]);
    EXPECT_EQ(clips->back().id, m_ids[0]);
    EXPECT_TRUE(m_store->clipsById({})->empty());
}

TEST_F(ClipsTest, PercentAndUnderscoreAreLetters) {
    addThree();
    EXPECT_EQ(find("model:%"), Files{});
    EXPECT_EQ(find("model:_"), Files{});
    EXPECT_EQ(find("model:\\"), Files{});
    EXPECT_EQ(find("model:2.1-t2v"), (Files{"car.mp4"}));
}

TEST_F(ClipsTest, TrashIsUndoneAndPurgedOnlyFromTheTrash) {
    addThree();
    ASSERT_TRUE(m_store->setTrashed({m_ids[0], m_ids[1]}, true));
    EXPECT_EQ(find(""), (Files{"owl.mp4"}));
    EXPECT_EQ(*m_store->countClips({"", ClipOrder::Newest, 0, true}), 2);
    ASSERT_TRUE(m_store->setTrashed({m_ids[1]}, false));
    EXPECT_EQ(*m_store->purge({m_ids[0], m_ids[1]}), (Files{"fox.mp4"}));
    EXPECT_EQ(find(""), (Files{"car.mp4", "owl.mp4"}));
    EXPECT_EQ(find("fox"), Files{});
}

TEST_F(ClipsTest, AClipAndItsJobChangeTogether) {
    const auto job = m_store->addJob(makeJob("a red fox"));
    ASSERT_TRUE(m_store->takeNextJob());
    Clip clip = makeClip("a red fox", "2026/fox.mp4");
    clip.jobId = job->id;
    clip.tags = {"first"};
    const auto added = m_store->addClip(clip);
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_EQ(m_store->job(job->id)->state, JobState::Done);
    EXPECT_EQ(m_store->job(job->id)->clipId, added->id);
    EXPECT_EQ(m_store->clip(added->id)->tags, (Files{"first"}));
    EXPECT_FALSE(m_store->addClip(clip)) << "one file, one clip";
    EXPECT_FALSE(m_store->clip(added->id + 1));
}

TEST_F(ClipsTest, AReaderSearchesWhileTheWriterWrites) {
    addThree();
    const auto reader = LibraryStore::openReadOnly(m_folder);
    ASSERT_TRUE(reader) << reader.error().message;
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(m_store->addClip(makeClip("one more fox", "more" + std::to_string(i) + ".mp4")));
        EXPECT_EQ(*(*reader)->countClips({"fox", ClipOrder::Newest, 0, false}), i + 2);
    }
    EXPECT_FALSE((*reader)->setStars({m_ids[0]}, 1));
}

TEST_F(ClipsTest, ProjectsHoldClips) {
    addThree();
    const auto project = m_store->addProject("Paper figures");
    ASSERT_TRUE(project);
    ASSERT_TRUE(m_store->moveToProject({m_ids[2]}, project->id));
    EXPECT_EQ(*m_store->countClips({"", ClipOrder::Newest, project->id, false}), 1);
    EXPECT_EQ(find("project:paper"), (Files{"owl.mp4"}));
    EXPECT_FALSE(m_store->moveToProject({m_ids[2]}, 99)) << "no such project";
    ASSERT_TRUE(m_store->renameProject(project->id, "Talk"));
    EXPECT_EQ(m_store->projects()->back().name, "Talk");
}

}  // namespace
}  // namespace fw::store
