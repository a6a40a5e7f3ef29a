// The list of attention methods: a new method adds one line here.
#include <fmt/ranges.h>

#include "core/method/attention_method.h"
#include "core/method/dense.h"
#include "core/method/plain_linear.h"
#include "core/method/salad.h"
#include "core/method/sliding_window.h"
#include "core/method/tile_window.h"
#include "core/method/top_k.h"

namespace fw::method {

const std::vector<MethodEntry>& attentionMethods() {
    static const std::vector<MethodEntry> kMethods = {
        denseAttention(), slidingWindow(), tileWindow(), topKBlocks(), salad(), plainLinear(),
    };
    return kMethods;
}

Result<const MethodEntry*> findAttentionMethod(std::string_view id) {
    std::vector<std::string> known;
    for (const MethodEntry& entry : attentionMethods()) {
        if (entry.description.id == id) {
            return &entry;
        }
        known.push_back(entry.description.id);
    }
    return fail(ErrorCode::InvalidArgument, "attention method '{}' is not known; this build has: {}", id,
                fmt::join(known, ", "));
}

Result<std::unique_ptr<AttentionMethod>> createAttentionMethod(std::string_view id, const Json& parameters,
                                                               const MethodWeights* weights) {
    FW_ASSIGN(const MethodEntry* entry, findAttentionMethod(id));
    FW_ASSIGN(const Json resolved, job::resolveParameters(entry->description.parameters, parameters));
    return entry->create(resolved, weights);
}

}  // namespace fw::method
