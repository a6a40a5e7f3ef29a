// Fills a library with made-up clips that search, sort and weigh like real ones.
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/result.h"

namespace fw::store {

// Adds `count` clips to the library of `folder`, which is created where needed. The same count gives the same rows.
// Prompts have 8 to 40 words; requests and reports have the size real ones have; every 50th clip is in the trash,
// every 9th has tags. `thumbnails` > 0: rows refer in turn to the files thumbnails/0.png … of the folder, which are
// the caller's to make.
[[nodiscard]] Status generateLibrary(const std::filesystem::path& folder, std::int64_t count, int thumbnails = 0);

}  // namespace fw::store
