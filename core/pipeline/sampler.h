// Samplers of flow matching: from noise at sigma 1 to a clip at sigma 0.
//
// The model predicts the velocity v = noise - clip at x = (1 - sigma)·clip + sigma·noise, so the clip's estimate is
// x - sigma·v. Both samplers follow diffusers (UniPCMultistepScheduler with use_flow_sigmas, solver bh2;
// FlowMatchEulerDiscreteScheduler) to the last place of their float32 sigma tables.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/backend/ops.h"
#include "core/job/generation_request.h"
#include "core/tensor/tensor_view.h"

namespace fw::pipeline {

struct SamplerOptions {
    job::SamplerKind kind = job::SamplerKind::UniPc;
    int steps = 50;
    double shift = 3.0;  // sigma' = shift·sigma / (1 + (shift - 1)·sigma)
    int trainTimesteps = 1000;
    int solverOrder = 2;          // UniPC: 1 or 2
    bool lowerOrderFinal = true;  // UniPC: the last step is of order 1
};

// What the table of a sampler is made of; all steps follow from it.
struct SigmaSchedule {
    SamplerOptions options;
    std::vector<double> sigmas;     // steps + 1 values of float32 precision, falling, the last one 0
    std::vector<double> timesteps;  // steps values, what the model is told: whole numbers for UniPC
};
[[nodiscard]] SigmaSchedule makeSchedule(const SamplerOptions& options);

// Everything a sampler knows between two steps. A value: copied tensors and numbers resume the run elsewhere.
// The views are f32, contiguous, of the latents' shape, on one device, and owned by whoever made the state.
struct SamplerState {
    int step = 0;         // steps done
    int lastOrder = 0;    // order of the last predictor; 0: none yet
    TensorView sample;    // x at sigmas[step]: what the model sees next
    TensorView estimate;  // the clip's estimate of the last step
    // UniPC only: estimates of the two steps before, newest first, and the corrected sample of the last step.
    std::array<TensorView, 2> earlier;
    TensorView corrected;
};

// Latents-sized tensors a state of this sampler needs.
[[nodiscard]] int stateTensorCount(job::SamplerKind kind);
// A state at step 0 on `tensors` (stateTensorCount of them, distinct). tensors[0] is its `sample`, to be filled
// with noise by the caller.
[[nodiscard]] SamplerState makeState(job::SamplerKind kind, const std::vector<TensorView>& tensors);

// One step: `velocity` is the model's prediction at (state.sample, schedule.timesteps[state.step]). Only queues
// work.
//
// UniPC: Zhao et al. 2023, https://arxiv.org/abs/2302.04867, order 2, B₂(h), data prediction.
// Euler: Lipman et al. 2022, https://arxiv.org/abs/2210.02747.
void samplerStep(const SigmaSchedule& schedule, SamplerState& state, backend::Ops& ops,
                 const ConstTensorView& velocity);

}  // namespace fw::pipeline
