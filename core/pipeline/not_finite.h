// What is said where a run's numbers break down: nothing of the program's own makes them do so, the settings do.
#pragma once

#include <fmt/core.h>

#include <string>

#include "core/base/result.h"
#include "core/tensor/dtype.h"

namespace fw::pipeline {

// `what`: what holds such a number and where in the run. `more`: a further half-sentence.
[[nodiscard]] inline Error notFiniteError(const std::string& what, DType dtype, const std::string& more = {}) {
    const std::string precision = dtype == DType::F32 ? "" : "precision f32 (--dtype f32), ";
    return {ErrorCode::InvalidArgument,
            fmt::format("{} in {}; try {}lower adapter strengths, a smaller guidance, more steps or another seed{}",
                        what, dtypeName(dtype), precision, more)};
}

}  // namespace fw::pipeline
