// The list of back-ends: a new one is a file implementing Device and Ops, and a line here.
#include <fmt/ranges.h>

#include "core/backend/cpu_backend.h"
#include "core/backend/cuda_backend.h"
#include "core/backend/cuda_library.h"
#include "core/backend/device.h"
#include "core/backend/device_choice.h"
#include "core/backend/ops.h"

namespace fw::backend {

std::int64_t cudaFootprint(std::int64_t bytes) {
    constexpr std::int64_t kPage = std::int64_t{2} << 20;
    return bytes <= kPage / 2 ? bytes : (bytes + kPage - 1) / kPage * kPage;
}

Result<OwnedTensor> createTensor(Device& device, DType dtype, const Shape& shape) {
    OwnedTensor tensor;
    FW_ASSIGN(tensor.buffer, device.allocate(shape.product() * dtypeSize(dtype)));
    tensor.view = TensorView(tensor.buffer->data(), dtype, shape, tensor.buffer->device());
    return tensor;
}

std::vector<BackendEntry> createBackends() {
    std::vector<BackendEntry> backends;
#ifdef FW_CUDA
    constexpr bool kBuilt = true;
#else
    constexpr bool kBuilt = false;
#endif
    // Built without the CUDA engine, a program that finds none has nothing to say about it.
    if (kBuilt || CudaLibrary::isThere()) {
        backends.push_back(createCudaBackend());
    }
    backends.push_back(createCpuBackend());
    return backends;
}

namespace {

// "choose one of auto, cuda:0, cpu", and why a back-end that `choice` belongs to has none.
Error absentDevice(const std::string& choice, const std::vector<BackendEntry>& backends) {
    std::vector<std::string> known{"auto"};
    std::string reason;
    for (const BackendEntry& backend : backends) {
        for (const auto& device : backend.devices) {
            known.push_back(device->info().id);
        }
        if (backend.devices.empty() && choice.starts_with(backend.name)) {
            reason = fmt::format(" ({})", backend.status);
        }
    }
    return {ErrorCode::Unsupported, fmt::format("there is no device \"{}\" here{}; choose one of {}", choice,
                                                reason, fmt::join(known, ", "))};
}

// `tried`: what "auto" takes must be able to make a queue.
Result<DeviceChoice> choose(const std::string& choice, std::vector<BackendEntry> backends, bool tried) {
    const bool automatic = choice == "auto";
    std::vector<std::string> reasons;
    for (BackendEntry& backend : backends) {
        for (std::unique_ptr<Device>& device : backend.devices) {
            const DeviceInfo info = device->info();
            if (choice == info.id) {
                return DeviceChoice{std::move(device), {}};
            }
            // The CPU always can, and is the last to be asked.
            const bool asked = automatic && tried && info.kind != DeviceKind::Cpu;
            const auto ops = asked ? device->createOps({}) : Result<std::unique_ptr<Ops>>();
            if (automatic && ops) {
                return DeviceChoice{std::move(device), fmt::format("{}", fmt::join(reasons, "; "))};
            }
            if (automatic) {
                reasons.push_back(fmt::format("{}: {}", info.id, ops.error().message));
            }
        }
        if (backend.devices.empty()) {
            reasons.push_back(fmt::format("{}: {}", backend.name, backend.status));
        }
    }
    if (automatic) {
        return fail(ErrorCode::Unsupported, "no device can compute here: {}", fmt::join(reasons, "; "));
    }
    return tl::unexpected(absentDevice(choice, backends));
}

}  // namespace

Result<DeviceChoice> chooseDevice(const std::string& choice, std::vector<BackendEntry> backends) {
    return choose(choice, std::move(backends), true);
}

Result<DeviceChoice> chooseDevice(const std::string& choice) {
    return choose(choice, createBackends(), true);
}

Result<std::unique_ptr<Device>> createDevice(const std::string& choice) {
    FW_ASSIGN(DeviceChoice chosen, choose(choice, createBackends(), false));
    return std::move(chosen.device);
}

}  // namespace fw::backend
