// Which parts of a model stay on the device in which phase, so that a run keeps to the memory it may use.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "core/backend/device.h"
#include "core/job/plan.h"

namespace fw::pipeline {

// What a run may use.
struct MemoryLimit {
    std::int64_t bytes = std::numeric_limits<std::int64_t>::max();
    std::int64_t budget = 0;     // as asked; 0: none
    bool onHost = true;          // the device's memory is the host's
    bool canStream = false;      // weights can wait in host memory (weight_stream.h)
    std::string device = "cpu";  // DeviceInfo::id
};
// `held`: bytes of the device that the run may count on besides what is free, because it holds them itself.
[[nodiscard]] MemoryLimit memoryLimit(const backend::DeviceInfo& info, std::int64_t budget, std::int64_t held);

// What a run's probes hold in the memory that is limited: on a device of its own not what they gather on the host.
[[nodiscard]] std::int64_t probeBytes(const job::Plan& plan, const MemoryLimit& limit);

// Weights of each part on the device.
struct PartBytes {
    std::int64_t textEncoder = 0, transformer = 0, autoEncoder = 0;
    [[nodiscard]] std::int64_t of(const job::ModelPartSet& parts) const {
        return (parts.textEncoder ? textEncoder : 0) + (parts.transformer ? transformer : 0) +
               (parts.autoEncoder ? autoEncoder : 0);
    }
};

// Completes a plan whose phases (text, denoise, decode) know their scratch: parts and bytes of each phase, one
// arena or one for each phase, peak, shortage. On a device of its own the text encoder leaves after the prompt;
// everything else stays while it fits, and leaves in the phases that do not need it where it does not.
// `lookWhileDenoising`: previews need the auto-encoder during the steps.
void chooseMemory(const PartBytes& weights, const MemoryLimit& limit, bool lookWhileDenoising, job::Plan& plan);

}  // namespace fw::pipeline
