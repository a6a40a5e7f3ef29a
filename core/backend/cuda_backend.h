// NVIDIA GPUs as devices. Internal to core/backend.
#pragma once

#include "core/backend/device.h"

namespace fw::backend {

// Without driver, device or library the list is empty and the status says why in one sentence.
[[nodiscard]] BackendEntry createCudaBackend();

}  // namespace fw::backend
