// Attention methods: one file pair each, one line in the registry (registry.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/job/parameter_schema.h"
#include "core/method/method_weights.h"
#include "core/method/run_context.h"

namespace fw::method {

using backend::TokenGrid;

// One self-attention call, after projections, QK norm and rotary embedding.
struct SelfAttentionCall {
    ConstTensorView q, k, v;  // [B, N, H, D] act, strided
    TensorView out;           // [B, N, H, D] act
    // What a method around this one wants added to its result. Only methods with windows or chosen blocks are given
    // one.
    backend::AddedBranch added = {};
    ConstTensorView logits;    // f32 [B, N, 1]: the layer's input times the method's gate(); none without one
    backend::RopeTables rope;  // f32 [N, D/2] each: the rotation q and k already have
    TokenGrid grid;
    float scale = 1.0F;
    int layer = 0;
    bool fp8 = false;  // dense attention may round to e4m3 (AttentionOptions::fp8)
};

// Stateless between runs; one instance per run, used by one thread.
class AttentionMethod {
 public:
    virtual ~AttentionMethod() = default;
    [[nodiscard]] virtual Status attend(RunContext& context, const SelfAttentionCall& call) = 0;
    // One column that the normalised, modulated input of a layer is to be multiplied with for attend() at this
    // step: whoever has the input at hand does so. Null: none.
    [[nodiscard]] virtual const backend::PackedLinear* gate(const RunContext& context, int layer) const {
        static_cast<void>(context), static_cast<void>(layer);
        return nullptr;
    }
};

struct MethodEntry {
    job::MethodDescription description;
    std::vector<WeightNeed> needs;       // empty: the base model is enough
    bool needsSparseOperations = false;  // Ops::supportsSparseAttention() must be true
    // `parameters` are resolved against the description. `weights`: null, or outlives the method. InvalidArgument
    // when the method cannot do without them and there are none.
    Result<std::unique_ptr<AttentionMethod>> (*create)(const Json& parameters, const MethodWeights* weights);
};

// Every method of this build, dense first.
[[nodiscard]] const std::vector<MethodEntry>& attentionMethods();
// InvalidArgument naming the known ids.
[[nodiscard]] Result<const MethodEntry*> findAttentionMethod(std::string_view id);
// The same. Parameters are resolved and checked here; those that only a clip's size can judge are refused by
// attend(), which every plan runs without computing anything.
[[nodiscard]] Result<std::unique_ptr<AttentionMethod>> createAttentionMethod(
    std::string_view id, const Json& parameters, const MethodWeights* weights = nullptr);

}  // namespace fw::method
