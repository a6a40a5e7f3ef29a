// What a run's probes look at: GenerationRequest::probes, and `fw generate --probe`.
//
// JSON: {"kinds": ["map", …], "steps": [0, 10, -1], "layers": […], "queries": […], "samples": 2}. Only "kinds"
// must be there, a list or "default" or "all" (every kind but qk, which is large). Steps ("all" or a list) and
// layers may count from the end (-1 is the last); without them, layers are all, and steps a few spread over the
// run.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::job {

enum class Probe : std::uint8_t {
    Map,     // pooled attention maps of every head
    Row,     // exact attention of chosen queries
    Stats,   // entropy, distances, sink, own frame of every head
    Mask,    // the tiles a sparse method computed
    Kept,    // the softmax mass those tiles hold
    Gate,    // SALAD's gate and the share of its linear branch
    Change,  // of each module's output from step to step, at every step
    Words,   // cross-attention of each prompt word
    Finite,  // stops at the first number that is not finite, at every step
    Scan,    // how long LinGen's scans remember, and what they take from the review tokens
    Error,   // of what a step cache put in the place of a module, at every step: computes what it saved
    Qk,      // queries and keys themselves, for rows of any query afterwards
};
inline constexpr std::array<std::string_view, 12> kProbeNames{"map",    "row",   "stats",  "mask", "kept",  "gate",
                                                              "change", "words", "finite", "scan", "error", "qk"};

struct ProbeSelection {
    std::vector<Probe> kinds;  // ascending, none twice; not empty
    std::optional<std::vector<int>> steps, layers;
    bool everyStep = false;             // "steps": "all"
    std::vector<std::int32_t> queries;  // tokens; wanted by "row" and by it alone
    std::int64_t samples = 2;           // queries asked of each pooled block; 0: all of them

    [[nodiscard]] bool has(Probe kind) const;
};

// InvalidArgument names the entry that is wrong and what would fit.
[[nodiscard]] Result<ProbeSelection> probeSelectionFromJson(const Json& json);

// The command line's words to JSON: kinds "map,stats", "default" or "all"; steps and layers "0,10,-1" or "all";
// both and the queries may be empty. Queries alone add the kind "row". InvalidArgument.
[[nodiscard]] Result<Json> probeJsonFromText(const std::string& kinds, const std::string& steps,
                                             const std::string& layers, const std::string& queries);

// The selection's steps of a run of `count`, ascending, none twice. InvalidArgument names one that does not exist.
[[nodiscard]] Result<std::vector<std::int32_t>> selectedSteps(const ProbeSelection& selection, int count);
// Likewise the layers of a model of `count`.
[[nodiscard]] Result<std::vector<std::int32_t>> selectedLayers(const ProbeSelection& selection, int count);

}  // namespace fw::job
