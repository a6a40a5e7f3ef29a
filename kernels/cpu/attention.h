// Blocked attention with online softmax on the CPU. No N×M matrix in memory.
//
// Follows the tiling of FlashAttention-2 (https://arxiv.org/abs/2307.08691). The instruction set is chosen at run
// time: AMX bf16 tiles where the processor has them (bf16 only), otherwise AVX-512, AVX2 or baseline through
// Highway.
#pragma once

#include <cstdint>

#include "kernels/cpu/element.h"

namespace fw::kernels::cpu {

// Strides are in elements; the last dimension (headDim) has stride 1.
struct AttentionArgs {
    const void* q = nullptr;  // [batch, queries, heads, headDim]
    const void* k = nullptr;  // [batch, keys, heads, headDim]
    const void* v = nullptr;
    void* out = nullptr;  // [batch, queries, heads, headDim], same element type as q
    std::int64_t qBatch = 0, qToken = 0, qHead = 0;
    std::int64_t kBatch = 0, kToken = 0, kHead = 0;
    std::int64_t vBatch = 0, vToken = 0, vHead = 0;
    std::int64_t outBatch = 0, outToken = 0, outHead = 0;
    std::int64_t batch = 0, heads = 0, queries = 0, keys = 0;
    std::int64_t headDim = 0;  // multiple of 16, at most 512
    Element element = Element::F32;
    float scale = 1.0F;         // not 0 with firstKeyBias
    float firstKeyBias = 0.0F;  // added to the scaled scores of the first key
    const float* bias =
        nullptr;  // optional f32 [heads, queries, keys], -inf leaves a key out; any strides, stride 1 last
    std::int64_t biasHead = 0, biasQuery = 0;
    int threads = 1;
    void* workspace = nullptr;  // 64-byte aligned, attentionWorkspaceBytes() bytes
};

// Depends only on sizes and threads; linear in tokens.
[[nodiscard]] std::int64_t attentionWorkspaceBytes(const AttentionArgs& args);

// 0, or -1: unsupported headDim. `out` must not overlap the other operands.
// f32: everything in f32. bf16: with AMX both products in bf16 with f32 accumulation, the softmax in f32 and its
// probabilities rounded to bf16 before the second product; without AMX in f32, only the result is rounded.
// A query whose every score is -inf gets zeros. Results do not depend on the number of threads.
[[nodiscard]] int attention(const AttentionArgs& args);

// "amx_bf16", "avx512", "avx2", "sse4" or "baseline": what attention() runs with for this element type on this
// processor.
[[nodiscard]] const char* attentionTarget(Element element);

}  // namespace fw::kernels::cpu
