// A library of some size stays quick. library_bench measures; this only notices when an index is lost.
#include <chrono>

#include "library_generator.h"
#include "store_fixture.h"

namespace fw::store {
namespace {

TEST(SizeTest, SearchesDoNotReadWholeRows) {
    const auto folder = std::filesystem::temp_directory_path() / ("fw-size-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder);
    constexpr std::int64_t kManyClips = 5000;
    ASSERT_TRUE(generateLibrary(folder, kManyClips));
    const auto store = LibraryStore::open(folder);
    ASSERT_TRUE(store) << store.error().message;
    const auto start = std::chrono::steady_clock::now();
    int searches = 0;
    for (const char* text :
         {"", "a", "fox", "-a", "steps:>20", "model:wan a", "tag:\"label 7\"", "date:>=2024-01-01"}) {
        for (const ClipOrder order :
             {ClipOrder::Newest, ClipOrder::Oldest, ClipOrder::Stars, ClipOrder::Longest, ClipOrder::Name}) {
            const auto ids = (*store)->clipIds({text, order, 0, false});
            ASSERT_TRUE(ids) << ids.error().message;
            ++searches;
        }
    }
    const double each =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / searches;
    EXPECT_LT(each, 100.0) << "milliseconds; about 1 is usual";
    EXPECT_EQ(*(*store)->countClips({}), kManyClips - kManyClips / 50);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace fw::store
