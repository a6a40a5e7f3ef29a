// Whether a model leaves room for a request's attention method.
#pragma once

#include "core/base/result.h"
#include "core/job/generation_request.h"
#include "core/model/video_model.h"

namespace fw::pipeline {

// InvalidArgument when the model's blocks have something else in the place of self-attention.
[[nodiscard]] Status checkMethod(const model::ModelInfo& info, const job::GenerationRequest& request);

}  // namespace fw::pipeline
