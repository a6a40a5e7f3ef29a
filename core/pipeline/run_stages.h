// The stages of one clip, written once: the generator runs them on a device, the planner on the Meta device. What
// the planner measures is therefore what the generator uses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/cache/step_cache.h"
#include "core/job/generation_request.h"
#include "core/job/what_if.h"
#include "core/method/painted_masks.h"
#include "core/method/run_context.h"
#include "core/pipeline/generator.h"
#include "core/pipeline/model_parts.h"
#include "core/pipeline/sampler.h"

namespace fw::pipeline {

// Latents of a resolved request: [C, T, h, w].
[[nodiscard]] Shape latentShape(const ModelParts& parts, const job::GenerationRequest& request);
// Tokens of one self-attention over such latents.
[[nodiscard]] std::int64_t tokenCount(const ModelParts& parts, const Shape& latents);
// Clips larger than 1280x768 are decoded in overlapping tiles, others whole, as by the reference: tiles of 720p
// cost 1.6 times the work. Where memory is short the plan goes on to smallerTiling().
[[nodiscard]] model::VaeTiling chooseTiling(const Shape& latents);
// The next choice that needs less memory on the device, for latents that do not fit with `tiling`: single latent
// frames, then tiles of half the side. Nothing below tiles of 8.
[[nodiscard]] std::optional<model::VaeTiling> smallerTiling(const Shape& latents, const model::VaeTiling& tiling);

// The two texts of a request as token ids. With guidance 1 there is no second text.
struct PromptIds {
    std::vector<std::int32_t> prompt, negative;
};
// Semantics of diffusers' WanPipeline: the negative prompt defaults to the empty text, which is encoded like any
// other.
[[nodiscard]] Result<PromptIds> tokenize(const model::Tokenizer& tokenizer, const job::GenerationRequest& request);

// What lives on the device from the first step to the last.
struct RunState {
    SamplerState sampler;
    TensorView velocity;                       // the guided prediction
    TensorView unguided;                       // the second branch's prediction; none with guidance 1
    TensorView text;                           // [L, width] f32 of the prompt
    TensorView negative;                       // of the negative prompt; none with guidance 1
    std::array<std::int64_t, 2> tokens{};      // of either text; all rows behind them are zeros
    std::array<method::TextKeys, 2> textKeys;  // of either branch
    std::unique_ptr<cache::StepCache> cache;   // null without
    std::vector<backend::OwnedTensor> owned;
    std::int64_t bytes = 0;  // of everything above
};
// The sigma schedule of a resolved request on this model.
[[nodiscard]] SigmaSchedule scheduleOf(const ModelParts& parts, const job::GenerationRequest& request);
// With room for the texts `ids`, which are encoded later.
[[nodiscard]] Result<RunState> createRunState(ModelParts& parts, const job::GenerationRequest& request,
                                              const PromptIds& ids);

// The heads a resolved request paints over, fitted to its clip; null: none. InvalidArgument as
// PaintedMasks::prepare().
[[nodiscard]] Result<std::unique_ptr<method::PaintedMasks>> createPaintedMasks(
    const ModelParts& parts, const job::GenerationRequest& request);
// Whether the request has its step cache stand aside at this step.
[[nodiscard]] bool cacheStandsAside(const job::WhatIf& whatIf, int step);

// One text into out [L, width] f32.
[[nodiscard]] Status encodeText(method::RunContext& context, ModelParts& parts,
                                const std::vector<std::int32_t>& ids, const TensorView& out);
// context.step is the step, context.cache what may stand in for parts of the model. state.velocity for the current
// sample: two forward passes and v = v₋ + g·(v₊ - v₋), or one when guidance is 1 (Ho and Salimans 2022,
// https://arxiv.org/abs/2207.12598).
[[nodiscard]] Status predictVelocity(method::RunContext& context, ModelParts& parts, RunState& state,
                                     double timestep, double guidance);
// One sampler step with state.velocity.
void advance(method::RunContext& context, const SigmaSchedule& schedule, RunState& state);
// The latents (state.sampler.sample after the last step) to frames.
[[nodiscard]] Status decodeFrames(method::RunContext& context, ModelParts& parts, const ConstTensorView& latents,
                                  const model::VaeTiling& tiling, const model::FrameSink& sink);

}  // namespace fw::pipeline
