// What a request will cost, before it runs. Made by pipeline::makePlan from a dry run on the Meta device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace fw::job {

// Which parts of the model are on the device.
struct ModelPartSet {
    bool textEncoder = false, transformer = false, autoEncoder = false;
    bool operator==(const ModelPartSet&) const = default;
};

struct PhaseCost {
    std::string phase;  // "text", "denoise", "decode"
    std::int64_t flops = 0;
    std::int64_t scratchBytes = 0;  // arena high water of the phase
    // At most, on the device: weights of `parts`, the state, and the memory to work in. On the CPU also what is
    // gathered beside them.
    std::int64_t memoryBytes = 0;
    ModelPartSet parts{};  // that may stay while the phase runs
};

// How a run keeps to the memory there is.
struct MemoryPlan {
    std::int64_t budgetBytes = 0;  // asked for; 0: none
    std::int64_t limitBytes = 0;   // what the run may use: the budget or what is free, the smaller; 0: not known
    bool oneArena = true;          // memory to work in is kept from phase to phase
    // Of the decoder: side of its tiles in latent pixels (0: whole frames), and latent frames at once.
    std::int64_t tile = 0, pieceFrames = 0;
    bool smallerPieces = false;  // than the decoder would take without the limit
    bool previews = false;       // asked for, and there is room for them
    // The transformer's blocks wait in host memory, so many bytes, and visit the device two at a time.
    bool streamBlocks = false;
    std::int64_t streamedBytes = 0;
    std::string shortage;  // one sentence with numbers when the run cannot fit; empty: it fits
};

// Self-attention of a whole run: (query, key) pairs and tiles of 64 x 64 of them, computed and of dense attention.
struct AttentionPlan {
    std::int64_t pairs = 0, densePairs = 0;
    std::int64_t tiles = 0, denseTiles = 0;
    // Shares left out, over all steps, layers and heads; 0 for dense attention.
    [[nodiscard]] double sparsity() const;
    [[nodiscard]] double tileSparsity() const;
};

// What a step cache does with one kind of module at every step: 'c' computed, 'r' reused, 'p' predicted.
struct CacheRow {
    std::string what;  // "self", "cross" …
    std::string steps;
};

// The step cache of a run. Rules that depend on data have no rows: then the plan's FLOPs are those of a run in
// which nothing is reused, the most it can be.
struct CachePlan {
    std::string id = "none";
    std::int64_t bytes = 0;  // kept on the device, part of Plan::stateBytes
    std::vector<CacheRow> rows;
    std::string note;  // what a user should know before the run; may be empty
};

// What a run's probes will write into its trace, and need in memory until then.
struct ProbePlan {
    std::int64_t bytes = 0, memoryBytes = 0;
    int steps = 0, layers = 0;  // looked at
};

struct Plan {
    std::int64_t latentFrames = 0, latentHeight = 0, latentWidth = 0;
    std::int64_t tokens = 0;        // of one self-attention
    std::int64_t textTokens = 0;    // that texts are filled up to
    std::int64_t promptTokens = 0;  // of the prompt, with the end of the sequence
    int steps = 0;
    int forwardsPerStep = 1;           // 2 with guidance
    std::int64_t flopsPerForward = 0;  // of the first step's, which compute everything; their mean
    std::int64_t weightBytes = 0;      // of all parts
    // Latents, sampler history, the text, the step cache, the method's weights, the rows of products in fp8.
    std::int64_t stateBytes = 0;
    std::int64_t hostBytes = 0;  // gathered in host memory while a large clip is decoded in tiles
    std::int64_t peakBytes = 0;  // the largest of the phases' memoryBytes
    std::vector<PhaseCost> phases;
    std::vector<std::int64_t> stepFlops;  // of the phase "denoise", step by step; they add up to it
    std::int64_t textKeyFlops =
        0;  // of the first step that a run takes, whichever it is: keys and values of the text
    AttentionPlan attention;
    CachePlan cache;
    ProbePlan probes;
    MemoryPlan memory;

    [[nodiscard]] std::int64_t totalFlops() const;
};

[[nodiscard]] OrderedJson toJson(const Plan& plan);

}  // namespace fw::job
