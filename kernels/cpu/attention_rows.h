// Single rows of the softmax that attention() never forms, for looking into it.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace fw::kernels::cpu {

// One sample. Strides are in elements; the last dimension (headDim) has stride 1.
struct AttentionRowsArgs {
    const void* q = nullptr;  // [queries, heads, headDim]
    const void* k = nullptr;  // [keys, heads, headDim]
    std::int64_t qToken = 0, qHead = 0;
    std::int64_t kToken = 0, kHead = 0;
    std::int64_t heads = 0, keys = 0, headDim = 0;
    Element element = Element::F32;
    float scale = 1.0F;                    // above 0
    float firstKeyBias = 0.0F;             // added to the scaled scores of the first key
    const std::int32_t* wanted = nullptr;  // [rows]: which queries
    std::int64_t rows = 0;
    float* out = nullptr;        // [heads, rows, keys]: softmax over the keys of scale · q · k
    float* entropies = nullptr;  // [heads, rows]: -Σ p ln p, in nats
    int threads = 1;
};

// All in f32 over the stored q and k, whatever attention() itself rounds: within 1e-5 of a float64 softmax of the
// same operands for scores up to 80. A row with a score that is not finite becomes NaN. Results do not depend on
// the number of threads.
void attentionRows(const AttentionRowsArgs& args);

}  // namespace fw::kernels::cpu
