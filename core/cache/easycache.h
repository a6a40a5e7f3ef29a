// EasyCache: the whole pass is left out while the latents have moved little since the model last ran; how much the
// model answers to a movement is measured in the run itself. https://arxiv.org/abs/2507.02860,
// https://github.com/H-EmbodVis/EasyCache.
#pragma once

#include "core/cache/step_cache.h"

namespace fw::cache {

[[nodiscard]] CacheEntry easyCache();

}  // namespace fw::cache
