// TeaCache: all blocks are left out while a signal that follows the timestep has changed little since they last
// ran. Liu et al. 2024, https://arxiv.org/abs/2411.19108; rule of https://github.com/ali-vilab/TeaCache.
#pragma once

#include "core/cache/step_cache.h"

namespace fw::cache {

// Needs Constants::embedding or Constants::modulation of the model.
[[nodiscard]] CacheEntry teaCache();

}  // namespace fw::cache
