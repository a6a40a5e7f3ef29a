// What if: changes to a run from one of its steps on, as a person makes them by hand. GenerationRequest::whatIf,
// and `fw generate --what-if`, `fw branch --what-if`.
//
// JSON: {"from_step": 4, "set": {"sparsity": 0.5}, "compute": [6, 8],
//        "masks": [{"layer": 0, "head": 2, "size": 64, "rows": ["0-3,7", …]}]}.
// All entries may be left out. Where changes begin at several steps, a list takes the place of the first, second
// and last entry: "changes": [{"from_step": 4, "set": {…}}, {"from_step": 7, "masks": […]}]. A mask says for every
// tile of queries which tiles of keys it sees; tiles are runs of `size` tokens (64 without it), or boxes of "box":
// [t, h, w] tokens.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::job {

struct GenerationRequest;

// One head's attention: exactly these tiles, whatever the method would choose.
struct PaintedMask {
    int layer = 0, head = 0;
    std::int64_t size = 64;                       // of runs; 0 with boxes
    std::array<std::int64_t, 3> box{0, 0, 0};     // t, h, w; all 0: runs
    std::vector<std::vector<std::int32_t>> rows;  // key tiles of each query tile, ascending, none empty
    bool operator==(const PaintedMask&) const = default;
};

// What holds from a step on.
struct Change {
    int fromStep = 0;
    Json parameters = Json::object();  // of the attention method: numbers by name (method::createMethodOf)
    std::vector<PaintedMask> masks;    // of distinct heads
    [[nodiscard]] bool isEmpty() const { return parameters.empty() && masks.empty(); }
    bool operator==(const Change&) const = default;
};

struct WhatIf {
    // None empty, by rising step. A parameter or a head that a later one names again is as the later one has it
    // from there on; everything else goes on as it was.
    std::vector<Change> changes;
    std::vector<int> compute;  // steps at which the step cache stands aside: everything is computed
    bool operator==(const WhatIf&) const = default;
};

// InvalidArgument names the entry that is wrong and what would fit.
[[nodiscard]] Result<WhatIf> whatIfFromJson(const Json& json);
[[nodiscard]] Json toJson(const WhatIf& whatIf);
// Of a request; nothing in one without.
[[nodiscard]] Result<WhatIf> whatIfOf(const GenerationRequest& request);
void setWhatIf(GenerationRequest& request, const WhatIf& whatIf);

// The first step that differs from the run without these changes; kMaxSteps: none does.
[[nodiscard]] int firstChange(const WhatIf& whatIf);
// The first step at which the two have different changes; kMaxSteps: they are the same at all.
[[nodiscard]] int firstDifference(const WhatIf& one, const WhatIf& other);
// All that holds at `step`, as one change from there on.
[[nodiscard]] Change changeAt(const WhatIf& whatIf, int step);
// `parameters` of a request's attention method, as they are at `step`.
[[nodiscard]] Json parametersAt(Json parameters, const WhatIf& whatIf, int step);
[[nodiscard]] bool hasMasks(const WhatIf& whatIf);

// Both: what `asked` names is as it says from its step on to the end, also where `earlier` would have changed the
// same later; everything else of `earlier` stays. Steps to compute are those of both. The result may exceed what a
// request may hold: whatIfFromJson() of its JSON says so.
[[nodiscard]] WhatIf combined(WhatIf earlier, const WhatIf& asked);
// What is left for another attention method: masks and steps to compute.
[[nodiscard]] WhatIf withoutParameters(WhatIf whatIf);

}  // namespace fw::job
