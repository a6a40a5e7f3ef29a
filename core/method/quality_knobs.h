// The knobs every sparse method has: where it stays dense because little error is affordable there.
#pragma once

#include <memory>
#include <vector>

#include "core/method/attention_method.h"

namespace fw::method {

// `own` followed by dense_steps and dense_layers, and sink_frame where the method keeps the first frame.
[[nodiscard]] std::vector<job::ParameterSchema> withQualityKnobs(std::vector<job::ParameterSchema> own,
                                                                 bool sinkFrame);
// The share of pairs left out: the one parameter all of them have in common.
[[nodiscard]] job::ParameterSchema sparsityParameter();

// `inner` from step dense_steps and layer dense_layers on, dense attention before.
[[nodiscard]] std::unique_ptr<AttentionMethod> denseAtFirst(const Json& parameters,
                                                            std::unique_ptr<AttentionMethod> inner);

// One call of dense attention, counted as such.
[[nodiscard]] Status attendDensely(RunContext& context, const SelfAttentionCall& call);
// Adds what one head of a sparse call computed, times `heads`.
void countWork(RunContext& context, const SelfAttentionCall& call, const backend::KeptWork& work,
               std::int64_t heads);

}  // namespace fw::method
