// The attention of a run whose parameters a person changed from some of its steps on (core/job/what_if.h).
#pragma once

#include <memory>

#include "core/job/generation_request.h"
#include "core/method/attention_method.h"

namespace fw::method {

// The method of a resolved request; from the step of each of its changes on with the parameters that change names.
// `weights`: as createAttentionMethod(). InvalidArgument as there, and for parameters other than shares and
// strengths (ParameterType::Real): those may change what a trace's masks are cut into, which one run cannot.
[[nodiscard]] Result<std::unique_ptr<AttentionMethod>> createMethodOf(const job::GenerationRequest& request,
                                                                      const MethodWeights* weights);

}  // namespace fw::method
