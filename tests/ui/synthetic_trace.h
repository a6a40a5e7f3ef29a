// Traces of runs that never were, with every kind of probe: small ones to test with, or of a real model's size.
#pragma once

#include <QString>

#include "core/base/result.h"
#include "core/trace/trace.h"

namespace fw::ui::test {

struct SyntheticRun {
    std::array<std::int64_t, 3> grid{3, 4, 4};
    std::array<std::int64_t, 3> pool{1, 2, 2};
    int steps = 4, layers = 3, heads = 2;
    bool probes = true;
    bool cached = true;        // every second step reuses cross-attention
    int maskShift = 0;         // another pattern, to compare with
    bool operands = false;     // queries and keys of the first layer and step
    bool sharedMasks = false;  // one mask for all heads, as windows in one order have
    int maskSteps = 1000;      // steps that keep masks: those of real sizes are large
};

[[nodiscard]] trace::Trace syntheticTrace(const SyntheticRun& run);
[[nodiscard]] Status writeSyntheticTrace(const SyntheticRun& run, const QString& file);

// Whether the synthetic mask computes a pair of tiles.
[[nodiscard]] bool syntheticMask(const SyntheticRun& run, std::int64_t query, std::int64_t key);

}  // namespace fw::ui::test
