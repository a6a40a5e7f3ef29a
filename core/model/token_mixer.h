// What stands in a diffusion transformer's block where tokens learn of one another: the only part in which the
// families differ that share WanTransformer.
#pragma once

#include "core/base/result.h"
#include "core/method/attention_method.h"
#include "core/method/run_context.h"

namespace fw::model {

// One block's call. Tensors are borrowed and live in the arena.
struct MixerCall {
    method::RunContext& context;
    method::TokenGrid grid;
    std::int64_t layer = 0;
    ConstTensorView x;             // [1, N, d] f32: the residual stream
    ConstTensorView scale, shift;  // [1, d] f32: modulation of the block's first norm at this step
    TensorView normed, buffer;     // [1, N, d] act: memory to work in, undefined before and after
};

class WeightLoader;

class TokenMixer {
 public:
    virtual ~TokenMixer() = default;
    // Loads the layer behind the last one loaded. As WeightLoader.
    [[nodiscard]] virtual Status loadLayer(WeightLoader& loader, std::int64_t layer) = 0;
    // Makes what depends on the clip's size. InvalidArgument when the model cannot run it. Waits for the device.
    [[nodiscard]] virtual Status prepare(backend::Ops& ops, const method::TokenGrid& grid) = 0;
    // delta [1, N, d] act: what the block adds to the residual stream, before its gate. prepare() came before.
    [[nodiscard]] virtual Status mix(const MixerCall& call, const TensorView& delta) = 0;
};

}  // namespace fw::model
