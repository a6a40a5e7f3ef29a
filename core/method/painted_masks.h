// Attention of single heads over masks a person painted (core/job/what_if.h), in the place of what the run's method
// chose for them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/job/what_if.h"
#include "core/method/attention_method.h"
#include "core/method/block_lists.h"

namespace fw::method {

// Belongs to one run. The method computes all heads; painted ones are computed again and overwritten, so both
// count.
class PaintedMasks {
 public:
    explicit PaintedMasks(const job::WhatIf& whatIf);

    // InvalidArgument when a mask names a layer or head that is not there, or has other tiles than this clip.
    // Unsupported where the device has no sparse attention.
    [[nodiscard]] Status prepare(const backend::Ops& ops, const TokenGrid& grid, std::int64_t layers,
                                 std::int64_t heads);
    // The heads of call.out that are painted at this step and layer.
    [[nodiscard]] Status paint(RunContext& context, const SelfAttentionCall& call);

 private:
    // One head, at the steps [from, until).
    struct Painted {
        job::PaintedMask mask;
        int from = 0, until = 0;
        // As the device wants it; stays where it is until the device has read it.
        backend::TokenBlocks cut = {};
        HostLists lists = {};
    };
    std::vector<Painted> m_painted;
};

// What every method that can be painted over does when its own heads are computed, and its probes told.
[[nodiscard]] Status paintOver(RunContext& context, const SelfAttentionCall& call);

}  // namespace fw::method
