// What if: changes to a run from one of its steps on, as a person makes them by hand. GenerationRequest::whatIf,
// and `fw generate --what-if`, `fw branch --what-if`.
//
// JSON: {"from_step": 4, "set": {"sparsity": 0.5}, "compute": [6, 8],
//        "masks": [{"layer": 0, "head": 2, "size": 64, "rows": ["0-3,7", …]}]}.
// All entries may be left out. A mask says for every tile of queries which tiles of keys it sees; tiles are runs of
// `size` tokens (64 without it), or boxes of "box": [t, h, w] tokens.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace fw::job {

// One head's attention: exactly these tiles, whatever the method would choose.
struct PaintedMask {
    int layer = 0, head = 0;
    std::int64_t size = 64;                       // of runs; 0 with boxes
    std::array<std::int64_t, 3> box{0, 0, 0};     // t, h, w; all 0: runs
    std::vector<std::vector<std::int32_t>> rows;  // key tiles of each query tile, ascending, none empty
    bool operator==(const PaintedMask&) const = default;
};

struct WhatIf {
    int fromStep = 0;                  // masks and parameters hold from here on
    Json parameters = Json::object();  // of the attention method: numbers by name (method::createMethodOf)
    std::vector<PaintedMask> masks;    // of distinct heads
    std::vector<int> compute;          // steps at which the step cache stands aside: everything is computed
    bool operator==(const WhatIf&) const = default;
};

// InvalidArgument names the entry that is wrong and what would fit.
[[nodiscard]] Result<WhatIf> whatIfFromJson(const Json& json);
[[nodiscard]] Json toJson(const WhatIf& whatIf);
// The first step that differs from the run without these changes.
[[nodiscard]] int firstChange(const WhatIf& whatIf);

}  // namespace fw::job
