// The parts of a model besides transformer and decoder as pieces of work for the benchmark.
#pragma once

#include "workloads.h"

namespace fw::gpu {

// encode <folder> <inputs.safetensors> <dtype>: tensor "frames" [F, H, W, 3] f32 to normalised latents [C, T, h,
// w].
[[nodiscard]] Result<std::unique_ptr<Workload>> makeEncode(Bench& bench, std::istringstream& words);

// text <folder> <inputs.safetensors> <dtype>: tensor "ids" [n] i32 to [n, width].
[[nodiscard]] Result<std::unique_ptr<Workload>> makeText(Bench& bench, std::istringstream& words);

}  // namespace fw::gpu
