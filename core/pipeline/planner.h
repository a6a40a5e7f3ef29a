// Forecasts by a dry run: the stages of a clip on a device without bytes.
#pragma once

#include "core/base/result.h"
#include "core/job/plan.h"
#include "core/pipeline/generator.h"
#include "core/pipeline/model_parts.h"
#include "core/pipeline/run_stages.h"

namespace fw::pipeline {

// The plan of a resolved request within `limit`. `meta` holds the model on the Meta device. A run that cannot fit
// has a plan as well, whose memory.shortage says so.
[[nodiscard]] Result<job::Plan> dryRun(ModelParts& meta, const job::GenerationRequest& request,
                                       const PromptIds& ids, PreviewKind preview, const MemoryLimit& limit = {});

// Arena bytes a run of this plan needs: the largest scratch of its phases.
[[nodiscard]] std::int64_t arenaBytes(const job::Plan& plan);

// How the plan decodes, and how it decodes from now on: with a forecast of its own.
[[nodiscard]] model::VaeTiling tilingOf(const job::Plan& plan);
[[nodiscard]] Status useTiling(ModelParts& meta, const model::VaeTiling& tiling, job::Plan& plan);

}  // namespace fw::pipeline
