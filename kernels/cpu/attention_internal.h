// The pieces behind attention.h: one driver, one AttentionKernel per instruction set. For this library and its
// tests.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/attention.h"

namespace fw::kernels::cpu {

enum class AttentionTarget : std::uint8_t { AmxBf16, Avx512, Avx2, Sse4, Baseline };

inline constexpr AttentionTarget kAttentionTargets[] = {AttentionTarget::AmxBf16, AttentionTarget::Avx512,
                                                        AttentionTarget::Avx2, AttentionTarget::Sse4,
                                                        AttentionTarget::Baseline};

inline constexpr std::int64_t kMaxHeadDim = 512;

// One head's keys and values in the layout its kernel reads, in the workspace.
struct HeadPanel {
    std::byte* keys = nullptr;
    std::byte* values = nullptr;
};

// What one call of a kernel function works on: tokens [first, first + count) of one head.
struct BlockTask {
    const AttentionArgs* args = nullptr;
    std::int64_t batch = 0;
    std::int64_t head = 0;
    std::int64_t first = 0;
    std::int64_t count = 0;
    HeadPanel panel;
    std::byte* scratch = nullptr;  // one per thread, 64-byte aligned
};

struct AttentionKernel {
    AttentionTarget target = AttentionTarget::Baseline;
    const char* name = "";
    std::int64_t queryBlock = 0;  // tokens in one call of attend
    std::int64_t packBlock = 0;   // tokens in one call of pack
    std::int64_t (*panelBytes)(std::int64_t keys,
                               std::int64_t headDim) = nullptr;  // of the keys; the values the same
    std::int64_t (*scratchBytes)(std::int64_t headDim) = nullptr;
    void (*pack)(const BlockTask& keyBlock) = nullptr;
    void (*attend)(const BlockTask& queryBlock) = nullptr;
};

// The kernel of this target, or nullptr where the build, the processor or the element type does not allow it.
[[nodiscard]] const AttentionKernel* findAttentionKernel(AttentionTarget target, Element element);

// As the functions in attention.h, with this kernel instead of the best one.
[[nodiscard]] std::int64_t attentionWorkspaceBytes(const AttentionArgs& args, const AttentionKernel& kernel);
[[nodiscard]] int attention(const AttentionArgs& args, const AttentionKernel& kernel);

// attention_simd.cpp: nullptr for AmxBf16 and for what this processor lacks.
[[nodiscard]] const AttentionKernel* findSimdAttentionKernel(AttentionTarget target);

// attention_amx.cpp: nullptr where the processor or the operating system has no bf16 tiles.
[[nodiscard]] const AttentionKernel* findAmxAttentionKernel();

}  // namespace fw::kernels::cpu
