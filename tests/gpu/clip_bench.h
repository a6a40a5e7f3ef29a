// gpu_bench clip and gpu_bench memory: the whole engine at published sizes with random weights.
#pragma once

#include <span>

namespace fw::gpu {

// gpu_bench clip [--size 832x480] [--frames 81] [--steps 50] [--variants dense,never,pab,…] [--by-signature]
//                [--repeats 2] [--config wan2.1-t2v-1.3b] [--layers 0] [--dtype bf16] [--device cuda:0]
//                [--json FILE]
// Clips by the engine's own pipeline from prompt to frames in host memory, one variant (clip_runs.h) after the
// other; ratios are to the first. Returns the program's exit code.
[[nodiscard]] int runClipBench(std::span<char*> arguments);

// gpu_bench memory [--size …] [--lengths 33,81,161] and the options of the model and the device above.
// Decoding of clips of several lengths, and a short clip whose transformer visits the device block by block: time,
// and the memory measured beside the plan's.
[[nodiscard]] int runMemoryBench(std::span<char*> arguments);

}  // namespace fw::gpu
