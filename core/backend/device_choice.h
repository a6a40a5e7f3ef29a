// Which device a run takes, and why it is not a better one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/backend/device.h"

namespace fw::backend {

struct DeviceChoice {
    std::unique_ptr<Device> device;
    // For "auto" on a machine whose back-ends before the chosen one cannot compute: why, in one sentence each
    // ("cuda: no NVIDIA driver is installed"). Empty: there is nothing better.
    std::string note;
};

// `choice` as in createDevice(), which tries nothing and is for forecasts. "auto" is the first device that can make
// a queue of operations: one that is there but cannot compute (of an architecture this build has no code for, with
// no memory left, lost) is passed over.
[[nodiscard]] Result<DeviceChoice> chooseDevice(const std::string& choice, std::vector<BackendEntry> backends);
[[nodiscard]] Result<DeviceChoice> chooseDevice(const std::string& choice);

}  // namespace fw::backend
