// A run between two steps, on disk: latents, sampler history and the request they belong to. A run continued from
// it is the run that was never stopped: the same numbers on the same device and number type.
#pragma once

#include <filesystem>
#include <string>

#include "core/backend/ops.h"
#include "core/base/result.h"
#include "core/cache/step_cache.h"
#include "core/job/generation_request.h"
#include "core/pipeline/sampler.h"

namespace fw::pipeline {

// What must agree before a checkpoint may be continued.
struct CheckpointKey {
    job::GenerationRequest request;  // resolved
    std::string modelHash;
    std::string dtype;
};

// What a step cache (or null) adds to a checkpoint before `step`: nothing where nothing it keeps is read again
// (StepCache::cleanBefore).
[[nodiscard]] std::int64_t cacheStateBytes(cache::StepCache* cache, int step);

// One safetensors file: a tensor for each part of the state ("sample", "estimate", "earlier_0", "earlier_1",
// "corrected"; f32 [C, T, h, w]), what the step cache must not forget ("cache.…"), the rest as metadata. Replaces
// the file at once or not at all. Io. `cache` may be null.
[[nodiscard]] Status writeCheckpoint(const std::filesystem::path& path, const CheckpointKey& key,
                                     const SamplerState& state, cache::StepCache* cache, backend::Ops& ops);

// The resolved request a checkpoint was made for. InvalidArgument when the file is no checkpoint, missing or
// damaged.
[[nodiscard]] Result<job::GenerationRequest> checkpointRequest(const std::filesystem::path& path);
// Steps that were computed when it was written. InvalidArgument as above.
[[nodiscard]] Result<int> checkpointStep(const std::filesystem::path& path);

// Fills `state` and `cache` (made for key.request) so that the next samplerStep() is step state.step.
// InvalidArgument, naming what differs, when the checkpoint belongs to another request, model or number type, does
// not fit, is missing or damaged: whoever has the request can begin anew.
[[nodiscard]] Status readCheckpoint(const std::filesystem::path& path, const CheckpointKey& key,
                                    SamplerState& state, cache::StepCache* cache, backend::Ops& ops);

// The same of a run that is changed by hand: `path` belongs to the run without these changes (key.request has none
// either). InvalidArgument also when `cache` would read what it kept before this step; `state` is spoilt then.
[[nodiscard]] Status readUnchanged(const std::filesystem::path& path, const CheckpointKey& key, SamplerState& state,
                                   const cache::StepCache* cache, backend::Ops& ops);

// A branch: fills `state` like readCheckpoint(), but key.request may differ from the checkpoint's in attention
// method, step cache, their parameters, adapters, what was changed by hand, probes, device, threads and budget of
// memory; what the checkpoint's step cache kept is not read. key.modelHash is the model's without adapters.
// InvalidArgument as above, when `cache` would read what it kept before this step or is to stand aside behind it,
// or when a change made by hand that the checkpoint does not hold would have begun before.
[[nodiscard]] Status readBranch(const std::filesystem::path& path, const CheckpointKey& key, SamplerState& state,
                                const cache::StepCache* cache, backend::Ops& ops);

}  // namespace fw::pipeline
