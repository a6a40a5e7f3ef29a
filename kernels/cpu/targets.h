// Instruction sets the SIMD kernels are compiled for: baseline SSE2, AVX2, AVX-512. Include before Highway.
#pragma once

// Targets that would only cost compile time and size: no kernel gains from what they add.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
