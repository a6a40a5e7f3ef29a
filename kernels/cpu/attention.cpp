#include "kernels/cpu/attention.h"

#include <algorithm>

#include "kernels/cpu/attention_internal.h"
#include "kernels/cpu/parallel.h"

namespace fw::kernels::cpu {

namespace {

constexpr std::int64_t kAlignment = 64;

std::int64_t divideUp(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit;
}

std::int64_t align(std::int64_t bytes) {
    return divideUp(bytes, kAlignment) * kAlignment;
}

// How the workspace is cut: panels of a group of heads that are packed and attended together, then one scratch area
// per thread. The group is as small as keeps the threads evenly loaded, so that memory does not grow with heads.
struct WorkspacePlan {
    WorkspacePlan(const AttentionArgs& args, const AttentionKernel& kernel)
        : threads(std::max(args.threads, 1)),
          queryBlocks(divideUp(args.queries, kernel.queryBlock)),
          packBlocks(divideUp(args.keys, kernel.packBlock)),
          panelBytes(align(kernel.panelBytes(args.keys, args.headDim))),
          scratchBytes(align(kernel.scratchBytes(args.headDim))) {
        constexpr std::int64_t kTasksPerThread = 48;
        const std::int64_t wanted = divideUp(kTasksPerThread * threads, std::max<std::int64_t>(queryBlocks, 1));
        group = std::clamp<std::int64_t>(wanted, 1, std::max<std::int64_t>(args.batch * args.heads, 1));
    }

    [[nodiscard]] std::int64_t bytes() const { return group * 2 * panelBytes + threads * scratchBytes; }

    [[nodiscard]] HeadPanel panel(std::byte* workspace, std::int64_t slot) const {
        std::byte* keys = workspace + slot * 2 * panelBytes;
        return {keys, keys + panelBytes};
    }

    [[nodiscard]] std::byte* scratch(std::byte* workspace, int worker) const {
        return workspace + group * 2 * panelBytes + worker * scratchBytes;
    }

    int threads;
    std::int64_t queryBlocks;
    std::int64_t packBlocks;
    std::int64_t panelBytes;
    std::int64_t scratchBytes;
    std::int64_t group = 1;
};

// Runs `function` over blocks of `block` tokens of `heads` consecutive (batch, head) pairs from `firstHead` on.
struct Pass {
    void (*function)(const BlockTask&) = nullptr;
    std::int64_t tokens = 0;
    std::int64_t block = 0;
    std::int64_t firstHead = 0;
    std::int64_t heads = 0;
};

void runPass(const AttentionArgs& args, const WorkspacePlan& plan, const Pass& pass) {
    const std::int64_t blocks = divideUp(pass.tokens, pass.block);
    auto* workspace = static_cast<std::byte*>(args.workspace);
    parallelFor(pass.heads * blocks, plan.threads, [&](std::int64_t index, int worker) {
        const std::int64_t slot = index / blocks;
        BlockTask task;
        task.args = &args;
        task.batch = (pass.firstHead + slot) / args.heads;
        task.head = (pass.firstHead + slot) % args.heads;
        task.first = (index % blocks) * pass.block;
        task.count = std::min(pass.block, pass.tokens - task.first);
        task.panel = plan.panel(workspace, slot);
        task.scratch = plan.scratch(workspace, worker);
        pass.function(task);
    });
}

}  // namespace

const AttentionKernel* findAttentionKernel(AttentionTarget target, Element element) {
    if (target == AttentionTarget::AmxBf16) {
        return element == Element::Bf16 ? findAmxAttentionKernel() : nullptr;
    }
    return findSimdAttentionKernel(target);
}

const AttentionKernel& bestAttentionKernel(Element element) {
    for (const AttentionTarget target : kAttentionTargets) {
        if (const AttentionKernel* kernel = findAttentionKernel(target, element)) {
            return *kernel;
        }
    }
    return *findSimdAttentionKernel(AttentionTarget::Baseline);
}

std::int64_t attentionWorkspaceBytes(const AttentionArgs& args, const AttentionKernel& kernel) {
    return WorkspacePlan(args, kernel).bytes();
}

int attention(const AttentionArgs& args, const AttentionKernel& kernel) {
    if (args.headDim < 16 || args.headDim > kMaxHeadDim || args.headDim % 16 != 0) {
        return -1;
    }
    const std::int64_t allHeads = args.batch * args.heads;
    if (allHeads <= 0 || args.queries <= 0) {
        return 0;
    }
    const WorkspacePlan plan(args, kernel);
    for (std::int64_t first = 0; first < allHeads; first += plan.group) {
        const std::int64_t heads = std::min(plan.group, allHeads - first);
        runPass(args, plan, {kernel.pack, args.keys, kernel.packBlock, first, heads});
        runPass(args, plan, {kernel.attend, args.queries, kernel.queryBlock, first, heads});
    }
    return 0;
}

std::int64_t attentionWorkspaceBytes(const AttentionArgs& args) {
    return attentionWorkspaceBytes(args, bestAttentionKernel(args.element));
}

int attention(const AttentionArgs& args) {
    return attention(args, bestAttentionKernel(args.element));
}

const char* attentionTarget(Element element) {
    return bestAttentionKernel(element).name;
}

}  // namespace fw::kernels::cpu
