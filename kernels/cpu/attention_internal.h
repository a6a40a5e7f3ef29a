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

// Keys a panel holds side by side. In sparse calls each slot may be filled only in part.
inline constexpr std::int64_t kSlotKeys = 64;

// Which keys of a slot a query at position i sees, from the distance |i - j| to the key's position j.
enum class SlotMask : std::uint8_t { None, Within, Beyond };  // all; |i - j| <= window; |i - j| > window

// Up to kSlotKeys keys that a block of queries attends to (sparse_attention.h).
struct KeySlot {
    std::int64_t slot = 0;  // of the panel
    std::int64_t count = 0;
    std::int64_t position = 0, step = 1;  // key t stands at position + t·step
    SlotMask mask = SlotMask::None;
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

    // Sparse calls only. `first` then counts positions (queries) or panel rows (packing), and tokens are looked up.
    const std::int32_t* tokens = nullptr;
    std::int64_t tokenStep = 1;
    const KeySlot* slots = nullptr;
    std::int64_t slotCount = 0;
    std::int64_t window = 0;

    [[nodiscard]] bool isSparse() const { return tokens != nullptr; }
    // The token of row i of the task.
    [[nodiscard]] std::int64_t token(std::int64_t i) const {
        return tokens == nullptr ? first + i : tokens[i * tokenStep];
    }
};

// The queries i of a task, [begin, end), at most `window` positions away from a key at `position`.
struct QueryRange {
    std::int64_t begin = 0, end = 0;
};
[[nodiscard]] inline QueryRange queriesWithin(const BlockTask& task, std::int64_t position) {
    const std::int64_t begin = position - task.window - task.first;
    const std::int64_t end = position + task.window - task.first + 1;
    return {begin < 0            ? 0
            : begin < task.count ? begin
                                 : task.count,
            end < 0            ? 0
            : end < task.count ? end
                               : task.count};
}

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

// The first of kAttentionTargets that is there.
[[nodiscard]] const AttentionKernel& bestAttentionKernel(Element element);

// As the functions in attention.h, with this kernel instead of the best one.
[[nodiscard]] std::int64_t attentionWorkspaceBytes(const AttentionArgs& args, const AttentionKernel& kernel);
[[nodiscard]] int attention(const AttentionArgs& args, const AttentionKernel& kernel);

// attention_simd.cpp: nullptr for AmxBf16 and for what this processor lacks.
[[nodiscard]] const AttentionKernel* findSimdAttentionKernel(AttentionTarget target);

// attention_amx.cpp: nullptr where the processor or the operating system has no bf16 tiles.
[[nodiscard]] const AttentionKernel* findAmxAttentionKernel();

}  // namespace fw::kernels::cpu
