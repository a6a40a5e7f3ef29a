// The CPU back-end: oneDNN for products and convolutions, our SIMD kernels for everything else.
#pragma once

#include "core/backend/device.h"

namespace fw::backend {

// Always has one device, "cpu".
[[nodiscard]] BackendEntry createCpuBackend();

}  // namespace fw::backend
