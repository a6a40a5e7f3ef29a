// Sparse and linear attention as pieces of work for the benchmark.
#pragma once

#include "workloads.h"

namespace fw::gpu {

// sparse <operation> <kernel> <heads> <tokens> <width> <a> <b> [check]: random operands in bf16. Operations, with a
// and b: blocks (tokens of a block, key blocks listed at random), select (the same), window (frames, window; heads
// alternate between the orders), linear (1: with rotary tables, unused), branch (unused both).
// With `check` the first run computes by the kernel without tensor cores as well, and the result is {mean |a - b|,
// mean |b|, mean (a - b)², mean b²} of the two results.
[[nodiscard]] Result<std::unique_ptr<Workload>> makeSparse(Bench& bench, std::istringstream& words);

}  // namespace fw::gpu
