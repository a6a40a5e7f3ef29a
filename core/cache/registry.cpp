// The list of step caches: a new cache adds one line here.
#include <fmt/ranges.h>

#include "core/cache/easycache.h"
#include "core/cache/fastercache.h"
#include "core/cache/first_block.h"
#include "core/cache/guidance.h"
#include "core/cache/magcache.h"
#include "core/cache/pab.h"
#include "core/cache/step_cache.h"
#include "core/cache/taylorseer.h"
#include "core/cache/teacache.h"

namespace fw::cache {

namespace {

CacheEntry noCache() {
    CacheEntry entry;
    entry.description = {.id = "none",
                         .name = "No cache",
                         .summary = "Every step computes everything: exact, and the slowest.",
                         .paper = "",
                         .parameters = {}};
    entry.create = [](const Json&, const CacheSetup&) -> Result<std::unique_ptr<StepCache>> { return nullptr; };
    return entry;
}

Result<const CacheEntry*> findEntry(std::string_view id) {
    std::vector<std::string> known;
    for (const CacheEntry& entry : stepCaches()) {
        if (entry.description.id == id) {
            return &entry;
        }
        known.push_back(entry.description.id);
    }
    return fail(ErrorCode::InvalidArgument, "step cache '{}' is not known; this build has: {}", id,
                fmt::join(known, ", "));
}

}  // namespace

const std::vector<CacheEntry>& stepCaches() {
    // clang-format off: one line each
    static const std::vector<CacheEntry> kCaches = {
        noCache(),    pyramidAttentionBroadcast(), teaCache(),    magCache(),
        easyCache(),  firstBlockCache(),           fasterCache(), guidanceReuse(),
        taylorSeer(),
    };
    // clang-format on
    return kCaches;
}

Result<Json> resolveCacheParameters(std::string_view id, const Json& parameters) {
    FW_ASSIGN(const CacheEntry* entry, findEntry(id));
    auto resolved = job::resolveParameters(entry->description.parameters, parameters);
    if (!resolved) {
        return tl::unexpected(std::move(resolved).error().within(fmt::format("cache {}", id)));
    }
    return resolved;
}

Result<std::unique_ptr<StepCache>> createStepCache(std::string_view id, const Json& parameters,
                                                   const CacheSetup& setup) {
    FW_ASSIGN(const CacheEntry* entry, findEntry(id));
    FW_ASSIGN(const Json resolved, resolveCacheParameters(id, parameters));
    return entry->create(resolved, setup);
}

}  // namespace fw::cache
