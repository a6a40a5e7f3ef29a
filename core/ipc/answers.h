// What the answers to questions say (messages.h), as values and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/job/generation_request.h"

namespace fw::ipc {

// One model folder, looked into without loading its weights.
struct ModelCard {
    std::string folder, name;
    bool embedded = false;
    job::ModelDefaults defaults;
    std::int64_t parameters = 0, bytes = 0;
    std::vector<std::string> problems;  // empty: runnable
};

// What a request costs.
struct PlanCard {
    std::int64_t tokens = 0, flops = 0, peakBytes = 0;
};

[[nodiscard]] Json toJson(const ModelCard& card);
[[nodiscard]] Json toJson(const PlanCard& card);
[[nodiscard]] Json toJson(const std::vector<ModelCard>& cards);

// InvalidArgument, naming the field, for what no worker of this version would answer.
[[nodiscard]] Result<ModelCard> modelCardFromJson(const Json& json);
[[nodiscard]] Result<std::vector<ModelCard>> modelCardsFromJson(const Json& json);
[[nodiscard]] Result<PlanCard> planCardFromJson(const Json& json);

}  // namespace fw::ipc
