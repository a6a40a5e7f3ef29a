// Linear attention instead of softmax attention.
#pragma once

#include "core/method/attention_method.h"

namespace fw::method {

// Rectified features with 3-D rotary positions, the form of SANA-Video (https://arxiv.org/abs/2509.24695). A
// baseline: a model that was trained with softmax attention does not survive it untuned. No trained weights.
[[nodiscard]] MethodEntry plainLinear();

// The parameter "rope_form" with these choices: "a" rotates the features for the numerator only, "b" takes the
// rotated queries and keys as they are for both.
[[nodiscard]] job::ParameterSchema ropeFormParameter(std::vector<std::string> choices);
[[nodiscard]] backend::LinearAttentionOptions linearOptions(const SelfAttentionCall& call, bool formA, float eps);

}  // namespace fw::method
