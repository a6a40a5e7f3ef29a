// First-Block-Cache: the first block always runs; while what it adds has changed little, what the other blocks
// added last time stands in. https://github.com/chengzeyi/ParaAttention.
#pragma once

#include "core/cache/step_cache.h"

namespace fw::cache {

[[nodiscard]] CacheEntry firstBlockCache();

}  // namespace fw::cache
