// What a request will cost, before it runs. Made by pipeline::makePlan from a dry run on the Meta device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace fw::job {

struct PhaseCost {
    std::string phase;  // "text", "denoise", "decode"
    std::int64_t flops = 0;
    std::int64_t scratchBytes = 0;  // arena high water of the phase
};

// Self-attention of a whole run: (query, key) pairs and tiles of 64 x 64 of them, computed and of dense attention.
struct AttentionPlan {
    std::int64_t pairs = 0, densePairs = 0;
    std::int64_t tiles = 0, denseTiles = 0;
    // Shares left out, over all steps, layers and heads; 0 for dense attention.
    [[nodiscard]] double sparsity() const;
    [[nodiscard]] double tileSparsity() const;
};

struct Plan {
    std::int64_t latentFrames = 0, latentHeight = 0, latentWidth = 0;
    std::int64_t tokens = 0;  // of one self-attention
    std::int64_t textTokens = 0;
    int steps = 0;
    int forwardsPerStep = 1;  // 2 with guidance
    std::int64_t flopsPerForward = 0;
    std::int64_t weightBytes = 0;
    std::int64_t stateBytes = 0;  // latents, sampler history, decoder caches, frames
    std::int64_t hostBytes = 0;   // gathered in host memory while a large clip is decoded in tiles
    std::int64_t peakBytes = 0;   // weights + state + largest scratch + hostBytes
    std::vector<PhaseCost> phases;
    AttentionPlan attention;

    [[nodiscard]] std::int64_t totalFlops() const;
};

[[nodiscard]] OrderedJson toJson(const Plan& plan);

}  // namespace fw::job
