// Attention methods: one file pair each, one line in the registry (registry.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/job/parameter_schema.h"
#include "core/method/run_context.h"

namespace fw::method {

// The token grid of a clip; token index = (t·height + h)·width + w.
struct TokenGrid {
    std::int64_t frames = 0, height = 0, width = 0;
    [[nodiscard]] std::int64_t tokens() const { return frames * height * width; }
};

// One self-attention call, after projections, QK norm and rotary embedding.
struct SelfAttentionCall {
    ConstTensorView q, k, v;  // [B, N, H, D] act, strided
    TensorView out;           // [B, N, H, D] act
    ConstTensorView hidden;   // [B, N, C] act: the normalised, modulated input of the layer (gates read it)
    TokenGrid grid;
    float scale = 1.0F;
    int layer = 0;
};

// Stateless between runs; one instance per run, used by one thread.
class AttentionMethod {
 public:
    virtual ~AttentionMethod() = default;
    [[nodiscard]] virtual Status attend(RunContext& context, const SelfAttentionCall& call) = 0;
};

struct MethodEntry {
    job::MethodDescription description;
    // `parameters` are resolved against the description.
    Result<std::unique_ptr<AttentionMethod>> (*create)(const Json& parameters);
};

// Every method of this build, dense first.
[[nodiscard]] const std::vector<MethodEntry>& attentionMethods();
// InvalidArgument naming the known ids. Parameters are resolved and checked here.
[[nodiscard]] Result<std::unique_ptr<AttentionMethod>> createAttentionMethod(std::string_view id,
                                                                             const Json& parameters);

}  // namespace fw::method
