// What a large library costs: opening, every keystroke of a search, a page of records, memory.
//   library_bench FOLDER [CLIPS]    makes CLIPS (100,000) clips in FOLDER when it holds no library yet
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/store/library_store.h"
#include "library_generator.h"

namespace {

using fw::store::ClipOrder;
using fw::store::ClipQuery;
using fw::store::LibraryStore;

double millisecondsSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

[[noreturn]] void stop(const fw::Error& error) {
    fmt::print(stderr, "library_bench: {}\n", error.message);
    std::exit(1);
}

// What a person types, letter by letter, and what is hard: the commonest letters, rare words, negations, fields
// that no word narrows, sort orders other than the newest.
std::vector<ClipQuery> queries() {
    std::vector<ClipQuery> list;
    for (const std::string line : {"a red fox star:>=3", "the night -rain model:wan", "cafe"}) {
        for (std::size_t i = 1; i <= line.size(); ++i) {
            list.push_back({line.substr(0, i), ClipOrder::Newest, 0, false});
        }
    }
    for (const char* text : {"",
                             "a",
                             "-a",
                             "n",
                             "no9",
                             "no99999",
                             "t r s w",
                             "model:mini",
                             "-model:mini",
                             "steps:>20 guidance:<4",
                             "tag:\"label 7\"",
                             "project:default",
                             "seed:123",
                             "date:>=2024-06-01",
                             "\"red fox\"",
                             "\"the the\"",
                             "zzz",
                             "-zzz",
                             "missing:yes",
                             "a -b -c -d",
                             "model:a method:a sampler:u device:c seed:1 a"}) {
        for (const ClipOrder order :
             {ClipOrder::Newest, ClipOrder::Oldest, ClipOrder::Stars, ClipOrder::Longest, ClipOrder::Name}) {
            list.push_back({text, order, 0, false});
        }
    }
    list.push_back({"", ClipOrder::Newest, 0, true});
    list.push_back({"a", ClipOrder::Name, 0, true});
    return list;
}

struct Timing {
    double milliseconds;  // to the first records
    double whole;         // to all ids
    ClipQuery query;
    std::size_t found;
};

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        fmt::print(stderr, "library_bench FOLDER [CLIPS]\n");
        return 2;
    }
    const std::filesystem::path folder = arguments[1];
    const std::int64_t clips = count > 2 ? std::atoll(arguments[2]) : 100'000;
    if (!std::filesystem::exists(folder / "library.sqlite3")) {
        if (const auto made = fw::store::generateLibrary(folder, clips); !made) {
            stop(made.error());
        }
    }
    auto start = std::chrono::steady_clock::now();
    auto writer = LibraryStore::open(folder);
    auto store = LibraryStore::openReadOnly(folder);
    if (!writer || !store) {
        stop(writer ? store.error() : writer.error());
    }
    fmt::print("open {:.0f} ms, {} MiB\n", millisecondsSince(start),
               std::filesystem::file_size(folder / "library.sqlite3") >> 20);
    std::vector<Timing> timings;
    for (int round = 0; round < 3; ++round) {  // the best of three: others use the machine
        std::size_t at = 0;
        for (const ClipQuery& query : queries()) {
            start = std::chrono::steady_clock::now();
            // A keystroke is answered when the first screenful can be drawn.
            constexpr int kScreenful = 64;
            const auto first = (*store)->firstClipIds(query, kScreenful);
            auto ids = first ? fw::Result<std::vector<std::int64_t>>(first->ids)
                             : tl::unexpected(first.error());  // a mistake in the line
            if (first && !first->complete && first->ids.empty()) {
                ids = (*store)->clipIds(query);
            }
            const auto page =
                ids ? (*store)->clipsById(
                          {ids->begin(), ids->begin() + std::min<std::int64_t>(kScreenful, std::ssize(*ids))})
                    : fw::Result<std::vector<fw::store::Clip>>(std::vector<fw::store::Clip>{});
            const double answered = millisecondsSince(start);
            start = std::chrono::steady_clock::now();
            const auto all = (*store)->clipIds(query);
            const double whole = millisecondsSince(start);
            if (!page) {
                stop(page.error());
            }
            if (round == 0) {
                timings.push_back({answered, whole, query, all ? all->size() : 0});
            } else {
                timings[at].milliseconds = std::min(timings[at].milliseconds, answered);
                timings[at].whole = std::min(timings[at].whole, whole);
            }
            ++at;
        }
    }
    std::sort(timings.begin(), timings.end(),
              [](const Timing& a, const Timing& b) { return a.milliseconds > b.milliseconds; });
    fmt::print("{} searches: worst {:.1f} ms, median {:.1f} ms\n", timings.size(), timings.front().milliseconds,
               timings[timings.size() / 2].milliseconds);
    for (std::size_t i = 0; i < std::min<std::size_t>(12, timings.size()); ++i) {
        fmt::print("  {:6.1f} ms, all {:6.1f} ms  {:6} clips  order {}  {}\n", timings[i].milliseconds,
                   timings[i].whole, timings[i].found, static_cast<int>(timings[i].query.order),
                   timings[i].query.text);
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print("peak resident memory {} MiB\n", usage.ru_maxrss >> 10);
    return 0;
}
