#include "core/method/changed_method.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "core/job/what_if.h"

namespace fw::method {

namespace {

// From a step on.
struct Stage {
    int fromStep;
    std::unique_ptr<AttentionMethod> method;
};

class ChangedMethod final : public AttentionMethod {
 public:
    // By rising step; the first holds from the beginning.
    explicit ChangedMethod(std::vector<Stage> stages) : m_stages(std::move(stages)) {}

    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        return methodAt(context.step).attend(context, call);
    }
    [[nodiscard]] const backend::PackedLinear* gate(const RunContext& context, int layer) const override {
        return methodAt(context.step).gate(context, layer);
    }

 private:
    [[nodiscard]] AttentionMethod& methodAt(int step) const {
        const auto next = std::find_if(m_stages.begin() + 1, m_stages.end(),
                                       [&](const Stage& stage) { return stage.fromStep > step; });
        return *std::prev(next)->method;
    }

    std::vector<Stage> m_stages;
};

Status checkChanges(const job::MethodDescription& method, const Json& changes) {
    std::vector<std::string> known;
    for (const job::ParameterSchema& parameter : method.parameters) {
        if (parameter.type == job::ParameterType::Real) {
            known.push_back(parameter.name);
        }
    }
    for (const auto& [name, value] : changes.items()) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            return fail(ErrorCode::InvalidArgument,
                        "what_if: '{}' cannot change on the way with the attention method {}; {}", name, method.id,
                        known.empty() ? "nothing of it can" : fmt::format("{} can", fmt::join(known, ", ")));
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<AttentionMethod>> createMethodOf(const job::GenerationRequest& request,
                                                        const MethodWeights* weights) {
    FW_ASSIGN(auto method, createAttentionMethod(request.method, request.methodParameters, weights));
    FW_ASSIGN(const job::WhatIf whatIf, job::whatIfOf(request));
    FW_ASSIGN(const MethodEntry* entry, findAttentionMethod(request.method));
    std::vector<Stage> stages;
    stages.push_back({0, std::move(method)});
    for (const job::Change& change : whatIf.changes) {
        if (change.parameters.empty()) {
            continue;
        }
        FW_TRY(checkChanges(entry->description, change.parameters));
        FW_ASSIGN(auto changed, createAttentionMethod(
                                    request.method,
                                    job::parametersAt(request.methodParameters, whatIf, change.fromStep), weights));
        stages.push_back({change.fromStep, std::move(changed)});
    }
    if (stages.size() == 1) {
        return std::move(stages.front().method);
    }
    return std::make_unique<ChangedMethod>(std::move(stages));
}

}  // namespace fw::method
