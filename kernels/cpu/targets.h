// Instruction sets the SIMD kernels are compiled for: AVX-512, AVX2, SSE4 and a portable baseline. Include before
// Highway.
#pragma once

// Targets that would only cost compile time and size: no kernel gains from what they add.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
