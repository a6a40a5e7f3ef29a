// The list of attention methods: a new method adds one line here.
#include <fmt/ranges.h>

#include "core/method/attention_method.h"
#include "core/method/dense.h"

namespace fw::method {

const std::vector<MethodEntry>& attentionMethods() {
    static const std::vector<MethodEntry> kMethods = {
        denseAttention(),
    };
    return kMethods;
}

Result<std::unique_ptr<AttentionMethod>> createAttentionMethod(std::string_view id, const Json& parameters) {
    std::vector<std::string> known;
    for (const MethodEntry& entry : attentionMethods()) {
        if (entry.description.id == id) {
            FW_ASSIGN(const Json resolved, job::resolveParameters(entry.description.parameters, parameters));
            return entry.create(resolved);
        }
        known.push_back(entry.description.id);
    }
    return fail(ErrorCode::InvalidArgument, "attention method '{}' is not known; this build has: {}", id,
                fmt::join(known, ", "));
}

}  // namespace fw::method
