// How long the device has work, measured on the device: a small table of functions of its own beside that of api.h,
// for benchmarks.
#pragma once

#include <cstdint>

#include "kernels/cuda/api.h"

namespace fw::kernels::cuda {

// Raised with every change of the table.
inline constexpr std::int32_t kTimingVersion = 1;

struct TimingApi {
    std::int32_t version;
    // Measures from here on. Between two waits for all that is queued, synchronize() or markedMicroseconds(), the
    // device counts as busy from the first call to the last one that is no download: also while it runs dry
    // between.
    Code (*start)(Queue* queue);
    // Sum since start(), of what was waited for.
    Code (*busyMicroseconds)(Queue* queue, double* microseconds);
};

// Null when the library was built for another version.
inline constexpr const char* kTimingEntryPoint = "fwCudaTimingApi";
using TimingEntryPoint = const TimingApi* (*)(std::int32_t version);

}  // namespace fw::kernels::cuda
