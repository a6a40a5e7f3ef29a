#include "core/method/changed_method.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/job/what_if.h"

namespace fw::method {

namespace {

class ChangedMethod final : public AttentionMethod {
 public:
    ChangedMethod(int fromStep, std::unique_ptr<AttentionMethod> before, std::unique_ptr<AttentionMethod> after)
        : m_fromStep(fromStep), m_before(std::move(before)), m_after(std::move(after)) {}

    Status attend(RunContext& context, const SelfAttentionCall& call) override {
        return (context.step < m_fromStep ? *m_before : *m_after).attend(context, call);
    }

 private:
    int m_fromStep;
    std::unique_ptr<AttentionMethod> m_before, m_after;
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
    job::WhatIf whatIf;
    if (request.whatIf) {
        FW_ASSIGN(whatIf, job::whatIfFromJson(*request.whatIf));
    }
    if (whatIf.parameters.empty()) {
        return method;
    }
    FW_ASSIGN(const MethodEntry* entry, findAttentionMethod(request.method));
    FW_TRY(checkChanges(entry->description, whatIf.parameters));
    Json parameters = request.methodParameters;
    parameters.update(whatIf.parameters);
    FW_ASSIGN(auto changed, createAttentionMethod(request.method, parameters, weights));
    return std::make_unique<ChangedMethod>(whatIf.fromStep, std::move(method), std::move(changed));
}

}  // namespace fw::method
